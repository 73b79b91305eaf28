package sqlite

import (
	"embed"
	"io/fs"
)

// Each statement is one file, named after what it finds or does. A connection prepares it once and keeps it.
//
//go:embed queries/*.sql
var queryFiles embed.FS

//go:embed schema/*.sql
var schemaFiles embed.FS

var (
	sqlCredentialByHash   = query("credential_by_hash")
	sqlCredentialByID     = query("credential_by_id")
	sqlCredentialInsert   = query("credential_insert")
	sqlCredentialRevoke   = query("credential_revoke")
	sqlCredentialsList    = query("credentials_list")
	sqlEffectByID         = query("effect_by_id")
	sqlEffectByKey        = query("effect_by_key")
	sqlEffectDelete       = query("effect_delete")
	sqlEffectExtend       = query("effect_extend")
	sqlEffectInsert       = query("effect_insert")
	sqlEffectSettle       = query("effect_settle")
	sqlEffectStrip        = query("effect_strip")
	sqlEffectUpdate       = query("effect_update")
	sqlEffectsByCallerKey = query("effects_by_caller_key")
	sqlEffectsByIdentity  = query("effects_by_identity")
	sqlEffectsByNear      = query("effects_by_near")
	sqlEffectsByScope     = query("effects_by_scope")
	sqlEffectsDue         = query("effects_due")
	sqlEffectsForgettable = query("effects_forgettable")
	sqlEffectsInReview    = query("effects_in_review")
	sqlEffectsList        = query("effects_list")
	sqlEffectsUnsent      = query("effects_unsent")
	sqlEffectsWalk        = query("effects_walk")
	sqlEffectsWithBytes   = query("effects_with_bytes")
	sqlEntriesAfter       = query("entries_after")
	sqlEntryInsert        = query("entry_insert")
	sqlEntryLatest        = query("entry_latest")
	sqlEntryOfEdition     = query("entry_of_edition")
	sqlEventInsert        = query("event_insert")
	sqlEventStrip         = query("event_strip")
	sqlEventWithPrevious  = query("event_with_previous")
	sqlEventsDelete       = query("events_delete")
	sqlEventsOfEffect     = query("events_of_effect")
	sqlHeartbeat          = query("heartbeat")
	sqlInstallationBind   = query("installation_bind")
	sqlInstallationMark   = query("installation_mark")
	sqlLastNumbers        = query("last_numbers")
	sqlPrunedMark         = query("pruned_mark")
	sqlTalliesOfTenant    = query("tallies_of_tenant")
	sqlTalliesPrune       = query("tallies_prune")
	sqlTallyAdd           = query("tally_add")
	sqlUseReplace         = query("use_replace")
	sqlUsesGiveBack       = query("uses_give_back")
	sqlUsesPrune          = query("uses_prune")
	sqlUsesSum            = query("uses_sum")
)

func query(name string) string { return embedded(queryFiles, "queries/"+name+".sql") }

// embedded panics on a missing file: that is a defect of the build, found before anything runs.
func embedded(files fs.FS, name string) string {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	return string(text)
}
