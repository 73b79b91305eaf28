package guard

import (
	"bytes"
	"context"
	"errors"
)

// maxEvidence bounds how many late answers are kept for one effect.
const maxEvidence = 16

// contradict keeps an outcome that came after somebody else had decided, as evidence, and calls a person if it speaks against
// what is recorded. It returns the effect as it stands.
func (g *Guard) contradict(ctx context.Context, e Effect, s Settlement, cause error) Effect {
	now := e
	if ge, ok := errors.AsType[*Error](cause); ok && ge.Effect != nil {
		now = *ge.Effect
	}
	events, err := g.store.Events(ctx, s.Tenant, s.ID)
	if err == nil && alreadyKept(events, s) {
		return now
	}
	n := Note{
		Tenant: s.Tenant, ID: s.ID, Code: CodeLate, Count: 1, Result: s.Result, Actor: s.Actor, Seal: s.Seal,
		Text: "an answer came after somebody else had decided: " + string(s.State),
	}
	if speaksAgainst(s, &now, sentSince(events, s.Fence)) {
		n.Review = CodeContradiction
	}
	if err := errors.Join(err, g.store.Note(ctx, []Note{n})); err != nil {
		g.log.Error("late evidence could not be kept", "effect", s.ID, "says", s.State, "error", err)
		return now
	}
	if n.Review != "" {
		reviewed := now
		reviewed.Review = n.Review
		g.opened(&reviewed)
	}
	return now
}

// alreadyKept reports whether equal evidence is on record, or so much of it that more would tell nothing.
func alreadyKept(events []Event, s Settlement) bool {
	kept := 0
	for i := range events {
		e := &events[i]
		if e.Kind != EventNoted || e.Code != CodeLate {
			continue
		}
		kept++
		if e.Actor == s.Actor && (e.Result == nil) == (s.Result == nil) && (e.Result == nil || bytes.Equal(e.Result.Body, s.Result.Body)) {
			return true
		}
	}
	return kept >= maxEvidence
}

// sentSince reports whether another send was claimed after the one that has this fence.
func sentSince(events []Event, fence int64) bool {
	for i := range events {
		if events[i].Kind == EventClaimed && events[i].Fence > fence {
			return true
		}
	}
	return false
}

// speaksAgainst reports whether a late outcome contradicts the record. An effect that was sent again since and now turns out to
// have been applied the first time may have been applied twice.
func speaksAgainst(s Settlement, now *Effect, sentAgain bool) bool {
	switch s.State {
	case Done, Partial:
		return sentAgain || now.State != s.State
	case Failed:
		return !sentAgain && (now.State == Done || now.State == Partial)
	}
	return false
}
