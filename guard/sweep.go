package guard

import (
	"context"
	"time"
)

// sweepBatch bounds one sweep, so that it never holds up claims for long.
const sweepBatch = 256

// resumeAfter is the age at which an approved effect that the guard is to send counts as left behind by the process that
// was about to send it.
const resumeAfter = 5 * time.Second

// Run does what time asks for until ctx ends: it settles lapsed leases and expired reviews, writes down repeats, and
// sends approved effects whose sender died. What a dead process left needs nothing more, so start-up is the first
// round of Run.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(g.times.Sweep)
	defer tick.Stop()
	for {
		if err := g.sweep(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the sweep failed and will be repeated", "error", err)
		}
		g.flushRepeats(ctx)
		g.resumeApproved(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// sweep settles everything whose time is over, and wakes who waits for it.
func (g *Guard) sweep(ctx context.Context) error {
	for {
		changed, err := g.store.Sweep(ctx, sweepBatch)
		for i := range changed {
			g.hub.publish(changed[i].ID)
		}
		if len(changed) > 0 {
			g.observe.Swept(len(changed))
		}
		if err != nil || len(changed) < sweepBatch {
			return err
		}
	}
}

// resumeApproved sends what a person has approved and nobody has sent.
func (g *Guard) resumeApproved(ctx context.Context) {
	unsent, err := g.store.Unsent(ctx, resumeAfter, sweepBatch)
	if err != nil && ctx.Err() == nil {
		g.log.WarnContext(ctx, "approved effects could not be looked for", "error", err)
	}
	for _, e := range unsent {
		g.sendApproved(ctx, e)
	}
}

// sendApproved claims an approved effect and sends it in the background. Losing the claim is no fault: somebody else
// sends it.
func (g *Guard) sendApproved(ctx context.Context, e Effect) {
	rule := g.policies.Current().Match(e.Tool)
	if rule.Upstream == nil {
		g.log.WarnContext(ctx, "an approved effect cannot be sent, because the policy no longer names an upstream", "effect", e.ID, "tool", e.Tool)
		return
	}
	args, err := decodeArguments(e.Arguments)
	if err != nil {
		g.log.ErrorContext(ctx, "an approved effect cannot be sent, because its arguments cannot be read", "effect", e.ID, "error", err)
		return
	}
	release, err := g.takeOff()
	if err != nil {
		return
	}
	started := time.Now()
	c, err := g.claim(ctx, resumption(e, g.lease(rule, ByGuard)))
	if err != nil || !c.Won {
		release()
		return
	}
	g.hub.publish(e.ID)
	g.launch(shipment{rule: rule, tool: e.Tool, args: args, effect: c.Effect, started: started}, release)
}
