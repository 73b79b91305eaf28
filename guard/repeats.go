package guard

import (
	"context"
	"fmt"
	"sync"
)

// maxRepeats bounds the kinds of repeats that wait to be written; further ones are only counted in metrics.
const maxRepeats = 10_000

// repeats collects answers that changed nothing, so that the ledger shows them without a write on their path. They
// are written once per sweep, equal ones as one note with a count, and are lost if the process dies before: they
// prove nothing.
type repeats struct {
	mu    sync.Mutex
	notes map[repeat]int
}

type repeat struct {
	tenant, effect string
	kind           AnswerKind
	code           Code
	actor          Actor
}

func newRepeats() *repeats { return &repeats{notes: map[repeat]int{}} }

func (r *repeats) add(k repeat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.notes[k]; known || len(r.notes) < maxRepeats {
		r.notes[k]++
	}
}

func (r *repeats) take() map[repeat]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.notes) == 0 {
		return nil
	}
	all := r.notes
	r.notes = map[repeat]int{}
	return all
}

// flushRepeats writes down the repeats counted so far. A failure loses them and is logged.
func (g *Guard) flushRepeats(ctx context.Context) {
	all := g.repeats.take()
	if len(all) == 0 {
		return
	}
	notes := make([]Note, 0, len(all))
	for k, n := range all {
		notes = append(notes, Note{
			Tenant: k.tenant, ID: k.effect, Code: k.code, Count: n, Actor: k.actor,
			Text: fmt.Sprintf("an equal call was answered %q", k.kind),
		})
	}
	if err := g.store.Note(ctx, notes); err != nil {
		g.log.WarnContext(ctx, "repeats were not written down", "notes", len(notes), "error", err)
	}
}
