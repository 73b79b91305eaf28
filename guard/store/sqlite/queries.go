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
	sqlEditionInsert      = query("edition_insert")
	sqlEditionNumber      = query("edition_number")
	sqlEditionsAfter      = query("editions_after")
	sqlEffectByID         = query("effect_by_id")
	sqlEffectByKey        = query("effect_by_key")
	sqlEffectByNumber     = query("effect_by_number")
	sqlEffectExtend       = query("effect_extend")
	sqlEffectInsert       = query("effect_insert")
	sqlEffectSettle       = query("effect_settle")
	sqlEffectUpdate       = query("effect_update")
	sqlEffectsByCallerKey = query("effects_by_caller_key")
	sqlEffectsByIdentity  = query("effects_by_identity")
	sqlEffectsByWide      = query("effects_by_wide")
	sqlEffectsDue         = query("effects_due")
	sqlEffectsInReview    = query("effects_in_review")
	sqlEffectsList        = query("effects_list")
	sqlEffectsNear        = query("effects_near")
	sqlEffectsNearFences  = query("effects_near_fences")
	sqlEffectsUnsent      = query("effects_unsent")
	sqlEventInsert        = query("event_insert")
	sqlEventWithPrevious  = query("event_with_previous")
	sqlEventsOfEffect     = query("events_of_effect")
	sqlHeartbeat          = query("heartbeat")
	sqlInstallationBind   = query("installation_bind")
	sqlInstallationMark   = query("installation_mark")
	sqlLastNumbers        = query("last_numbers")
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
