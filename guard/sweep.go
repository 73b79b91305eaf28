package guard

import (
	"context"
	"sync"
	"time"
)

// sweepBatch bounds one sweep, so that it never holds up claims for long.
const sweepBatch = 256

// Run does what time asks for until ctx ends: it settles lapsed leases and expired reviews, writes down repeats and tallies,
// reads what other replicas have entered into the book, sends approved effects whose sender died, hears of what other replicas
// change, tells endpoints of reviews, and forgets what no longer answers. What a dead process left needs nothing more, so start-up is the first
// round of Run.
func (g *Guard) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { g.prune(ctx) })
	beside.Go(func() { g.watch(ctx) })
	beside.Go(func() { g.tellEndpoints(ctx) })
	tick := time.NewTicker(g.times.Sweep)
	defer tick.Stop()
	var left leftovers
	for {
		if err := g.sweep(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the sweep failed and will be repeated", "error", err)
		}
		g.flushRepeats(ctx)
		g.flushTallies(ctx)
		if err := g.book.refresh(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the book could not be read and will be read again", "error", err)
		}
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
			g.outcome(&changed[i])
			g.hub.publish(changed[i].Tenant, changed[i].ID)
			g.opened(&changed[i])
		}
		if len(changed) > 0 {
			g.observe.Swept(len(changed))
		}
		if err != nil || len(changed) < sweepBatch {
			return err
		}
	}
}
