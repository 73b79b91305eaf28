package api

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// Whether the policies in force are the ones that the files hold, and the newest in the ledger.
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
	w := client.Policies{
		UnknownTools: set.UnknownTools(), Status: a.policyStatus(), Policies: make([]client.Policy, len(rules)), Problems: defects(a.policies.LastError()),
	}
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
		Version: r.Kept, Refused: r.Defect != nil,
	}
	if r.Upstream != nil {
		w.Execute = string(guard.ByGuard)
	}
	return w
}

// defects are what is wrong with policies. Problems never hold a value of a header or of the environment.
func defects(err error) []client.Defect {
	list, ok := errors.AsType[policy.Problems](err)
	if !ok {
		return nil
	}
	all := make([]client.Defect, len(list))
	for i, p := range list {
		all[i] = client.Defect{Place: p.File, Line: p.Line, Column: p.Column, Message: p.Message, Remedy: p.Remedy}
	}
	return all
}

// toolNamed is a request whose path names the pattern of a policy, percent-encoded where it needs it.
type toolNamed struct{ tool string }

func (t *toolNamed) bind(c echo.Context) error {
	t.tool = c.Param("tool")
	if c.Request().URL.RawPath == "" {
		return nil // it was decoded with the path
	}
	tool, err := url.PathUnescape(t.tool)
	if err != nil {
		return invalid("tool", "is not percent-encoded as in a URL")
	}
	t.tool = tool
	return nil
}

// policyVersions is GET /v1/policies/{tool}/versions.
func (a *API) policyVersions(ctx context.Context, p guard.Principal, r toolNamed) (client.PolicyVersions, error) {
	list, err := a.guard.PolicyVersions(ctx, p, r.tool)
	if err != nil {
		return client.PolicyVersions{}, err
	}
	w := client.PolicyVersions{Versions: make([]client.PolicyVersion, len(list))}
	for i := range list {
		w.Versions[i] = version(&list[i])
	}
	return w, nil
}

type policyRequest struct {
	client.PolicyEdit
	toolNamed `json:"-"`
}

// editPolicy is PUT /v1/policies/{tool}.
func (a *API) editPolicy(ctx context.Context, p guard.Principal, r policyRequest) (client.PolicyVersion, error) {
	if r.Text == "" {
		return client.PolicyVersion{}, invalid("/text", "is missing; DELETE ends a policy")
	}
	return a.writePolicy(ctx, p, guard.PolicyEdit{Tool: r.tool, Text: r.Text, Reason: r.Reason, Onto: r.Onto})
}

func (a *API) writePolicy(ctx context.Context, p guard.Principal, e guard.PolicyEdit) (client.PolicyVersion, error) {
	v, err := a.guard.EditPolicy(ctx, p, e)
	if err != nil {
		return client.PolicyVersion{}, err
	}
	return version(&v), nil
}

// policyDeletion has no body: proxies drop it from a DELETE.
type policyDeletion struct {
	toolNamed
	onto   int64
	reason string
}

func (d *policyDeletion) bind(c echo.Context) error {
	values := c.QueryParams()
	if err := known(values, "onto", "reason"); err != nil {
		return err
	}
	var err error
	if d.onto, err = strconv.ParseInt(values.Get("onto"), 10, 64); err != nil {
		return invalid("onto", "must be the number of the version that you have seen")
	}
	d.reason = values.Get("reason")
	return d.toolNamed.bind(c)
}

// deletePolicy is DELETE /v1/policies/{tool}.
func (a *API) deletePolicy(ctx context.Context, p guard.Principal, d policyDeletion) (client.PolicyVersion, error) {
	return a.writePolicy(ctx, p, guard.PolicyEdit{Tool: d.tool, Reason: d.reason, Onto: d.onto})
}

func version(v *guard.PolicyVersion) client.PolicyVersion {
	return client.PolicyVersion{
		Number: v.Number, Tool: v.Tool, Text: v.Text, Author: v.Author, Reason: v.Reason, At: v.At, Onto: v.Onto, InForce: v.InForce,
		Digest: v.Digest, Diff: v.Diff,
	}
}
