package postgres

import (
	"embed"
	"io/fs"
)

// Each statement is one file, named after what it finds or does.
//
//go:embed queries/*.sql
var queryFiles embed.FS

//go:embed schema/*.sql
var schemaFiles embed.FS

var (
	sqlBegin            = query("begin")
	sqlBeginOne         = query("begin_one")
	sqlBookAfter        = query("book_after")
	sqlBookEnter        = query("book_enter")
	sqlChange           = query("change")
	sqlCredentialByHash = query("credential_by_hash")
	sqlCredentialInsert = query("credential_insert")
	sqlCredentialRevoke = query("credential_revoke")
	sqlCredentialsList  = query("credentials_list")
	sqlDueForget        = query("due_forget")
	sqlEffectByKey      = query("effect_by_key")
	sqlEffectOutline    = query("effect_outline")
	sqlEffectsByID      = query("effects_by_id")
	sqlEffectsDue       = query("effects_due")
	sqlEffectsInReview  = query("effects_in_review")
	sqlEffectsList      = query("effects_list")
	sqlEffectsRelated   = query("effects_related")
	sqlEffectsUnsent    = query("effects_unsent")
	sqlEffectsWalk      = query("effects_walk")
	sqlEventsOfEffect   = query("events_of_effect")
	sqlExtend           = query("extend")
	sqlHeartbeat        = query("heartbeat")
	sqlInstallationBind = query("installation_bind")
	sqlInstallationMark = query("installation_mark")
	sqlNow              = query("now")
	sqlPrune            = query("prune")
	sqlSettle           = query("settle")
	sqlSettleOne        = query("settle_one")
	sqlTakeLocks        = query("take_locks")
	sqlTalliesAdd       = query("tallies_add")
	sqlTalliesBetween   = query("tallies_between")
	sqlWake             = query("wake")
	sqlWeigh            = query("weigh")
	sqlWeighBegin       = query("weigh_begin")
	sqlWeighChange      = query("weigh_change")
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
