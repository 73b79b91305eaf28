package web

import (
	"context"
	"net/url"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// policiesView is the list of policies.
type policiesView struct {
	Items   []policyItem
	Unknown string   // what happens to tools that no policy names
	Problem problems // of files that were refused, so that these policies are older
}

// policyItem is one policy in the list.
type policyItem struct {
	Pattern string
	Address string
	Mode    policy.Mode
	Kind    policy.Kind
	Effect  string
	Runs    string // the upstream, or "" where the agent runs the tool itself
	Window  string
	Source  string // file:line
}

// policiesList is GET /policies.
func (w *Web) policiesList(context.Context, guard.Principal, nothing) (reply, error) {
	set := w.policies.Current()
	v := policiesView{Unknown: unknownTools[set.UnknownTools()], Problem: problemsOf(w.policies.LastError())}
	for _, r := range set.Rules() {
		i := policyItem{
			Pattern: r.Pattern, Address: policyPath(r.Pattern), Mode: r.Mode, Kind: r.Kind, Effect: r.Effect, Source: r.Source, Runs: upstreamOf(r),
		}
		if r.Kind == policy.Write {
			i.Window = long(r.Window)
		}
		v.Items = append(v.Items, i)
	}
	return page{template: "policies", title: "Policies", section: atPolicies, view: v}, nil
}

// unknownTools says what each value of defaults.unknown_tools means.
var unknownTools = map[string]string{
	"guard": "Tools that no policy names are guarded: each argument counts, and the agent runs the tool.",
	"deny":  "Tools that no policy names are denied.",
	"pass":  "Tools that no policy names pass unrecorded.",
}

func policyPath(pattern string) string { return "/policies/" + url.PathEscape(pattern) }

// upstreamOf is where the calls of a tool go, with variables of the environment by their names.
func upstreamOf(r *policy.Rule) string {
	if r.Upstream == nil || r.Upstream.HTTP == nil {
		return ""
	}
	return r.Upstream.HTTP.String()
}
