package guard

import (
	"context"
	"time"
)

// Report records what a caller who runs the tool itself says about the outcome.
//
// Errors: CodeForbidden where the guard runs the tool, CodeStaleFence when the lease was lost and somebody has
// decided since: the report is then kept as evidence.
func (g *Guard) Report(ctx context.Context, p Principal, r Report) (Effect, error) {
	switch r.State {
	case Done, Failed, Partial, Unknown:
	default:
		return Effect{}, invalid("/status", "must be done, failed, partial or unknown")
	}
	if len(r.Reason) > maxReason {
		return Effect{}, invalid("/error", "is too long")
	}
	e, err := g.holder(ctx, p, r.Effect)
	if err != nil {
		return Effect{}, err
	}
	s := Settlement{
		Tenant: p.Tenant, ID: e.ID, Fence: r.Fence, State: r.State, Code: CodeReported, Reason: g.spoken(&e, r.Reason),
		Actor: agentActor(p), Seal: seals(g.ruleOf(&e)),
	}
	if r.Result != nil {
		s.Result = &Result{ContentType: "application/json", Body: r.Result, IsError: r.IsError || r.State != Done, Source: FromCaller}
	}
	s.judge(&e)
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	settled, err := g.store.Settle(write, s)
	if CodeOf(err) == CodeUncertain {
		settled, err = g.store.Settle(write, s)
	}
	if c := CodeOf(err); c == CodeStaleFence || c == CodeConflict {
		g.contradict(write, e, s, err)
	}
	if err != nil {
		return Effect{}, g.shownError(err)
	}
	g.outcome(&settled)
	g.hub.publish(e.Tenant, e.ID)
	g.opened(&settled)
	return g.shown(settled), nil
}

// Heartbeat renews the lease of a caller who still runs the tool, for the policy's lease time from now.
func (g *Guard) Heartbeat(ctx context.Context, p Principal, effect string, fence int64) (Lease, error) {
	e, err := g.holder(ctx, p, effect)
	if err != nil {
		return Lease{}, err
	}
	var until time.Time
	until, err = g.store.Extend(ctx, e.ID, fence, g.policies.Current().Match(e.Tool).Lease)
	return Lease{Fence: fence, Expires: until}, err
}

// holder returns an effect that the principal itself runs.
func (g *Guard) holder(ctx context.Context, p Principal, id string) (Effect, error) {
	e, err := g.store.Get(ctx, p.Tenant, id)
	switch {
	case err != nil:
		return Effect{}, err
	case e.Subject != p.Subject:
		return Effect{}, &Error{Code: CodeNotFound, Message: "no such effect"}
	case e.Execute != ByCaller:
		return Effect{}, &Error{Code: CodeForbidden, Message: "the guard itself runs this tool, so callers report nothing about it"}
	}
	return e, nil
}
