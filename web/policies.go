package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// policiesView is the list of policies.
type policiesView struct {
	Items   []policyItem
	Unknown string   // what happens to tools that no policy names
	Edits   bool     // the visitor may write policies
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
	Source  string              // file:line
	Changed *guard.PolicyChange // nil where the ledger does not keep it
	Refused bool                // no version of it can be used
}

// policiesRequest is GET /policies, and the form there that leads to a policy by its name.
type policiesRequest struct{ tool string }

func (r *policiesRequest) bind(c echo.Context) error {
	r.tool = strings.TrimSpace(c.QueryParam("tool"))
	return nil
}

// policiesList is GET /policies.
func (w *Web) policiesList(_ context.Context, p guard.Principal, r policiesRequest) (reply, error) {
	if r.tool != "" {
		return redirect(policyPath(r.tool)), nil
	}
	set := w.policies.Current()
	v := policiesView{Edits: w.guard.MayEditPolicies(p), Unknown: unknownTools[set.UnknownTools()], Problem: problemsOf(w.policies.LastError())}
	for _, r := range set.Rules() {
		i := policyItem{
			Pattern: r.Pattern, Address: policyPath(r.Pattern), Mode: r.Mode, Kind: r.Kind, Effect: r.Effect, Source: r.Source, Runs: upstreamOf(r),
			Refused: r.Defect != nil,
		}
		if c, ok := w.guard.PolicyChanged(r.Pattern); ok && r.Kept != 0 {
			i.Changed = &c
		}
		if r.Kind == policy.Write {
			i.Window = said(r.Lines(), "window")
		}
		v.Items = append(v.Items, i)
	}
	return page{template: "policies", title: "Policies", section: atPolicies, view: v}, nil
}

// unknownTools says what each value of defaults.unknown_tools means.
var unknownTools = map[string]string{
	"guard": "Tools that no policy names are guarded: each argument counts and is compared as its name suggests, and the agent runs the tool.",
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
