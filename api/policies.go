package api

import (
	"context"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// Whether the policies in force are the ones that the files hold.
const (
	policiesCurrent = "current"
	policiesRefused = "reload_refused"
)

func (a *API) policyStatus() string {
	if a.policies.LastError() != nil {
		return policiesRefused
	}
	return policiesCurrent
}

// listPolicies is GET /v1/policies. Upstreams are left out: their headers may hold secrets.
func (a *API) listPolicies(context.Context, guard.Principal, struct{}) (client.Policies, error) {
	set := a.policies.Current()
	rules := set.Rules()
	w := client.Policies{UnknownTools: set.UnknownTools(), Status: a.policyStatus(), Policies: make([]client.Policy, len(rules))}
	for i, r := range rules {
		w.Policies[i] = brief(r)
	}
	return w, nil
}

func brief(r *policy.Rule) client.Policy {
	w := client.Policy{
		Name: r.Pattern, Source: r.Source, Digest: r.Digest, Effect: r.Effect, Kind: string(r.Kind), Execute: string(guard.ByCaller),
		Scope: r.Scope, Window: r.Window.String(), On: map[string]string{
			"pending": string(r.On.Pending), "done": string(r.On.Done), "failed": string(r.On.Failed), "partial": string(r.On.Partial),
			"unknown": string(r.On.Unknown), "same_identity": string(r.On.SameIdentity), "other_scope": string(r.On.OtherScope),
			"near": string(r.On.Near),
		},
	}
	if r.Upstream != nil {
		w.Execute = string(guard.ByGuard)
	}
	return w
}
