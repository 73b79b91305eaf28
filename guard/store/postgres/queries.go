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
	sqlAdmit            = query("admit")
	sqlAdmitBegin       = query("admit_begin")
	sqlAdmitChange      = query("admit_change")
	sqlBegin            = query("begin")
	sqlChange           = query("change")
	sqlCredentialByHash = query("credential_by_hash")
	sqlCredentialInsert = query("credential_insert")
	sqlCredentialRevoke = query("credential_revoke")
	sqlCredentialsList  = query("credentials_list")
	sqlEditionAdd       = query("edition_add")
	sqlEditionsAfter    = query("editions_after")
	sqlEffectByKey      = query("effect_by_key")
	sqlEffectsByID      = query("effects_by_id")
	sqlEffectsDue       = query("effects_due")
	sqlEffectsInReview  = query("effects_in_review")
	sqlEffectsList      = query("effects_list")
	sqlEffectsNear      = query("effects_near")
	sqlEffectsUnsent    = query("effects_unsent")
	sqlEnter            = query("enter")
	sqlEventsOfEffect   = query("events_of_effect")
	sqlExtend           = query("extend")
	sqlHeartbeat        = query("heartbeat")
	sqlInstallationBind = query("installation_bind")
	sqlInstallationMark = query("installation_mark")
	sqlNow              = query("now")
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
