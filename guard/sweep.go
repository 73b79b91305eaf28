package guard

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/policy"
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
	var left leftovers
	for {
		if err := g.sweep(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the sweep failed and will be repeated", "error", err)
		}
		g.flushRepeats(ctx)
		g.resumeApproved(ctx, &left)
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

// leftovers are approved effects that cannot be sent under the policies that were tried. They wait for their agent's
// next call, or for their end, and must not keep others from being found.
type leftovers struct {
	tried *policy.Set
	ids   map[string]bool
}

// resumeApproved sends what a person has approved and nobody has sent.
func (g *Guard) resumeApproved(ctx context.Context, left *leftovers) {
	if set := g.policies.Current(); left.tried != set {
		*left = leftovers{set, map[string]bool{}}
	}
	unsent, err := g.store.Unsent(ctx, resumeAfter, sweepBatch+len(left.ids))
	if err != nil && ctx.Err() == nil {
		g.log.WarnContext(ctx, "approved effects could not be looked for", "error", err)
	}
	still := map[string]bool{}
	for _, e := range unsent {
		if left.ids[e.ID] || !g.sendApproved(ctx, e) {
			still[e.ID] = true
		}
	}
	left.ids = still
}

// sendApproved claims an approved effect and sends it in the background. It returns false if that is not possible under today's
// policy. An approval was given in view of a rule; if that was edited since, the agent's next call must pass the new one
// first. Losing the claim is no fault: somebody else sends it.
func (g *Guard) sendApproved(ctx context.Context, e Effect) bool {
	rule := g.policies.Current().Match(e.Tool)
	if rule.Upstream == nil || rule.Digest != e.Policy {
		g.log.WarnContext(ctx, "an approved effect waits for its agent's next call, because the policy has changed", "effect", e.ID, "tool", e.Tool)
		return false
	}
	release, err := g.takeOff()
	if err != nil {
		return true
	}
	started := time.Now()
	c, err := g.claim(ctx, resumption(e, g.lease(rule, ByGuard)))
	if err != nil || !c.Won {
		release()
		return true
	}
	g.hub.publish(e.ID)
	g.launch(shipment{rule: rule, tool: e.Tool, effect: c.Effect, started: started}, release)
	return true
}
