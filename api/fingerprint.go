package api

import (
	"cmp"
	"context"
	"encoding/hex"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// fingerprint is POST /v1/fingerprint.
func (a *API) fingerprint(ctx context.Context, p guard.Principal, q client.Question) (client.Fingerprint, error) {
	call := guard.Call{Tool: q.Tool, Arguments: q.Arguments, Run: q.Run, Agent: q.Agent, Labels: q.Labels, IdempotencyKey: q.IdempotencyKey}
	e, err := a.guard.Fingerprint(ctx, p, call, otherCall(&q))
	if err != nil {
		return client.Fingerprint{}, err
	}
	f := client.Fingerprint{
		Rule: e.Rule, Source: e.Source, Fingerprint: hex.EncodeToString(e.Key[:]), Spec: e.Spec, Terms: terms(e.Terms),
		Canonical: e.Canonical, Comparison: comparison(&e),
	}
	if q.Other != nil {
		f.Other = terms(e.Other)
	}
	if e.Recorded != nil {
		f.Recorded = new(briefly(e.Recorded))
	}
	return f, nil
}

// otherCall completes the second call from the first, so that a question names only what differs.
func otherCall(q *client.Question) *guard.Call {
	o := q.Other
	if o == nil {
		return nil
	}
	c := &guard.Call{
		Tool: cmp.Or(o.Tool, q.Tool), Arguments: o.Arguments, Run: cmp.Or(o.Run, q.Run), Agent: cmp.Or(o.Agent, q.Agent),
		Labels: o.Labels, IdempotencyKey: cmp.Or(o.IdempotencyKey, q.IdempotencyKey),
	}
	if c.Arguments == nil {
		c.Arguments = q.Arguments
	}
	if c.Labels == nil {
		c.Labels = q.Labels
	}
	return c
}

func terms(list []fingerprint.Term) []client.Term {
	w := make([]client.Term, len(list))
	for i, t := range list {
		w[i] = client.Term{Argument: t.Argument, Raw: t.Raw, Normal: t.Normal, Kind: t.Kind, Role: t.Role.String(), Note: t.Note}
	}
	return w
}

func comparison(e *guard.Explained) *client.Comparison {
	g := e.Comparison
	if g == nil {
		return nil
	}
	w := &client.Comparison{Same: g.Same, Relation: cmp.Or(string(e.Verdict.Relation), "different"), Sentence: e.Verdict.Sentence, Because: g.Because, Differs: make([]client.TermConflict, len(g.Differs))}
	for i, d := range g.Differs {
		w.Differs[i] = client.TermConflict{Argument: d.Argument, Role: d.Role.String(), Earlier: d.Earlier, Now: d.Now, Decides: d.Decides}
	}
	if n := e.Verdict.Nearness; n.Argument != "" {
		w.Likeness = &client.Likeness{Verdict: n.Verdict.String(), Score: n.Score, Argument: n.Argument, Contrast: n.Contrast}
	}
	return w
}
