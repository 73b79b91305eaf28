package guard

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// resumeAfter is the age at which an approved effect that the guard is to send counts as left behind by the process that
// was about to send it.
const resumeAfter = 5 * time.Second

// leftovers are approved effects that cannot be sent under the policies and the book that were tried. They wait for their agent's
// next call, or for their end, and must not keep others from being found.
type leftovers struct {
	tried *policy.Set
	book  int64
	ids   map[string]bool
}

// resumeApproved sends what a person has approved and nobody has sent.
func (g *Guard) resumeApproved(ctx context.Context, left *leftovers) {
	if set, book := g.policies.Current(), g.book.number(); left.tried != set || left.book != book {
		*left = leftovers{set, book, map[string]bool{}}
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
// policy and book. An approval was given in view of a rule; if that was edited since, the agent's next call must pass the new one
// first. Losing the claim is no fault: somebody else sends it.
func (g *Guard) sendApproved(ctx context.Context, e Effect) bool {
	now, err := g.rules(ctx)
	if err != nil {
		return false
	}
	rule := now.set.Match(e.Tool)
	if rule.Upstream == nil || rule.Digest != e.Policy {
		g.log.WarnContext(ctx, "an approved effect waits for its agent's next call, because the policy has changed", "effect", e.ID, "tool", e.Tool)
		return false
	}
	release, err := g.takeOff()
	if err != nil {
		return true
	}
	started := time.Now()
	c, stopped, err := g.resume(ctx, e, rule, now.number)
	if stopped || err != nil || !c.Won {
		release()
		return !stopped
	}
	g.hub.publish(e.Tenant, e.ID)
	g.launch(shipment{rule: rule, tool: e.Tool, effect: c.Effect, started: started}, release)
	return true
}

// resume asks for the one send that an approval allows, unless an admin has stopped the tool or the agent, or the book has a newer
// policy than the one of the rule.
func (g *Guard) resume(ctx context.Context, e Effect, rule *policy.Rule, policies int64) (c Claimed, stopped bool, err error) {
	limits := g.limitsOnRecord(ctx, &e)
	for range maxRounds {
		// The number is read first, so that a switch or a policy which comes in between is newer than it.
		book, known := g.book.known()
		if !known {
			if err = g.book.refresh(ctx); err == nil {
				err = g.book.fault()
			}
		} else if _, off := g.book.stopped(e.Tenant, e.Tool, e.Agent); off || g.book.policy.Load() != policies {
			return c, true, nil
		} else {
			r := resumption(e, g.lease(rule, ByGuard))
			r.Book, r.Limits = book, limits
			if c, err = g.claim(ctx, r); CodeOf(err) != CodeOldBook {
				return c, false, err
			}
			err = g.book.refresh(ctx)
		}
		if err != nil {
			return c, false, err
		}
	}
	return c, false, err
}

// limitsOnRecord is what a recorded call uses of its limits, as far as its amounts can be read. A person has approved it, so that
// it is counted and not bounded.
func (g *Guard) limitsOnRecord(ctx context.Context, e *Effect) []Limit {
	if len(g.ruleOf(e).Limits) == 0 {
		return nil
	}
	r, err := g.recall(ctx, e, e.Arguments)
	if err != nil {
		return nil
	}
	limits, err := r.limitsOf()
	if err != nil {
		return nil
	}
	return unbounded(limits)
}

func resumption(e Effect, lease time.Duration) ClaimRequest {
	prior := Prior{e.ID, e.State, e.Fence}
	e.State, e.Code, e.Review, e.Claim = Pending, CodeForwarded, "", rand.Text()
	e.Arguments, e.Subject = nil, ""
	return ClaimRequest{Effect: e, Lease: lease, Actor: Actor{Kind: "guard"}, Prior: &prior, Again: true}
}
