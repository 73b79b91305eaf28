package api

import (
	"context"
	"net/http"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// healthResponse is 200 while calls can be decided and 503 while they cannot. Causes are in the log: they may name files
// and hosts, and these routes need no key.
type healthResponse struct{ client.Health }

func (r healthResponse) status() int {
	switch r.Status {
	case "draining", "unavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// alive is GET /healthz: the process answers.
func (a *API) alive(context.Context, guard.Principal, struct{}) (healthResponse, error) {
	return healthResponse{client.Health{Status: "alive"}}, nil
}

// ready is GET /readyz: calls can be decided now. A refused reload of the policies is a degradation and no more, because the
// previous ones stay in force.
func (a *API) ready(ctx context.Context, _ guard.Principal, _ struct{}) (healthResponse, error) {
	h := client.Health{Status: "ready", Ledger: "answers", Policies: a.policyStatus()}
	if h.Policies != policiesCurrent {
		h.Status = "degraded"
	}
	err := a.guard.Ready(ctx)
	switch {
	case guard.CodeOf(err) == guard.CodeDraining:
		h.Status = "draining"
	case err != nil:
		a.log.WarnContext(ctx, "the ledger does not answer", "error", err)
		h.Status, h.Ledger = "unavailable", "does_not_answer"
	}
	return healthResponse{h}, nil
}

// me is GET /v1/me.
func (a *API) me(_ context.Context, p guard.Principal, _ struct{}) (client.Me, error) {
	return client.Me{Tenant: p.Tenant, Subject: p.Subject, Agent: p.Agent, Role: string(p.Role), SelfReview: p.SelfReview}, nil
}
