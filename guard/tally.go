package guard

import (
	"context"
	"sync"
	"time"
)

// The kinds of tallies beside the kinds of answers.
const (
	TallyOutcome = "outcome" // what attempts, reports, reviews and time came to; the code is the state
	TallyWarned  = "warned"  // calls that were forwarded only because the policy's mode is to warn; the code says what it would have answered
)

// maxTallies bounds the different things that are counted between two sweeps; further ones are counted without their tool, because
// agents can name tools at will.
const maxTallies = 2_000

// tally names what is counted.
type tally struct {
	tenant, tool, kind string
	code               Code
}

// tallies counts in memory what people look at later. It is written once per sweep, and lost if the process dies before: it
// decides nothing.
type tallies struct {
	mu     sync.Mutex
	counts map[tally]int64
}

func newTallies() *tallies { return &tallies{counts: map[tally]int64{}} }

func (t *tallies) add(k tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.counts[k]; !known && len(t.counts) >= maxTallies {
		k.tool = ""
	}
	t.counts[k]++
}

func (t *tallies) take() map[tally]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.counts) == 0 {
		return nil
	}
	all := t.counts
	t.counts = map[tally]int64{}
	return all
}

// outcome counts what an attempt or a decision came to.
func (g *Guard) outcome(e *Effect) {
	g.tallies.add(tally{e.Tenant, e.Tool, TallyOutcome, Code(e.State)})
}

// flushTallies adds the counts to the ledger's. A failure loses them and is logged.
func (g *Guard) flushTallies(ctx context.Context) {
	all := g.tallies.take()
	if len(all) == 0 {
		return
	}
	add := make([]Tally, 0, len(all))
	for k, n := range all {
		add = append(add, Tally{Tenant: k.tenant, Tool: k.tool, Kind: k.kind, Code: k.code, Count: n})
	}
	if err := g.store.AddTallies(ctx, add); err != nil {
		g.log.WarnContext(ctx, "tallies were not written down", "tallies", len(add), "error", err)
	}
}

// Tallies returns the counters of the principal's tenant whose buckets begin in [from, until), oldest first. What was counted
// since the last sweep is not in them.
func (g *Guard) Tallies(ctx context.Context, p Principal, from, until time.Time) ([]Tally, error) {
	if !p.Reviews() {
		return nil, &Error{Code: CodeForbidden, Op: "tallies", Message: "only reviewers and admins see what was counted"}
	}
	if !from.Before(until) {
		return nil, invalid("/until", "must be later than from")
	}
	return g.store.Tallies(ctx, p.Tenant, from, until)
}
