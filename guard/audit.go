package guard

import (
	"bytes"
	"fmt"
	"time"
)

// Audit returns what is wrong with an effect and its events, as they were read at one moment with arguments and result: one
// sentence for each fault, none for a sound effect. An effect is sound when its events form an unbroken chain of hashes that
// ends at the row's Head, each of them is legal after the one before it, nothing was settled that was not claimed, times
// never go back, and the row is the fold of the events. An open review and the end of a lease are no part of that: no event keeps
// them. Bytes that were pruned are vouched for by their hashes.
func Audit(e Effect, events []Event) []string {
	a := audit{effect: &e}
	if len(events) == 0 {
		a.fault("The effect has no events.")
		return a.faults
	}
	if len(events) != e.Events {
		a.fault("The row counts %d events, and there are %d.", e.Events, len(events))
	}
	for i := range events {
		a.event(i+1, &events[i])
	}
	a.row(&events[0])
	return a.faults
}

// audit is the fold of the events that it has seen, and what was wrong with them.
type audit struct {
	effect *Effect
	faults []string
	last   Event
	fold   Effect
	// rejected tells that the last event but notes was a person's refusal.
	rejected bool
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// event judges the n-th event by those before it, and then folds it.
func (a *audit) event(n int, ev *Event) {
	if ev.Effect != a.effect.ID {
		a.fault("Event %d belongs to effect %q.", n, ev.Effect)
	}
	if ev.Seq != n {
		a.fault("Event %d has the number %d.", n, ev.Seq)
	}
	if ev.Seal(a.last.Hash) != ev.Hash {
		a.fault("Event %d does not verify: it was changed, or one before it was.", n)
	}
	if ev.From != a.last.To {
		a.fault("Event %d starts from %q, where the effect was %q.", n, ev.From, a.last.To)
	}
	if !Legal(ev.From, ev.Kind, ev.To) {
		a.fault("Event %d is not allowed: nothing that was %q can be %s to %q.", n, ev.From, ev.Kind, ev.To)
	}
	fence := a.last.Fence
	if ev.Kind.Raises() {
		fence++
	}
	if ev.Fence != fence {
		a.fault("Event %d has fence %d, where %d is due.", n, ev.Fence, fence)
	}
	if ev.At.Before(a.last.At) {
		a.fault("Event %d is of %s, before the event before it.", n, ev.At.Format(time.RFC3339Nano))
	}
	a.attempt(n, ev)
	a.add(ev)
	a.last = *ev
}

// attempt demands a claim before whatever speaks of an attempt.
func (a *audit) attempt(n int, ev *Event) {
	switch {
	case ev.Kind == EventSettled || ev.Kind == EventLapsed:
		if a.fold.Attempts == 0 {
			a.fault("Event %d is %s, and nothing was claimed before it.", n, ev.Kind)
		} else if ev.Claim != a.fold.Claim {
			a.fault("Event %d is %s for claim %q, where the latest is %q.", n, ev.Kind, ev.Claim, a.fold.Claim)
		}
	case ev.Kind == EventExpired && (ev.To == Unknown) != (a.fold.Attempts > 0):
		a.fault("Event %d makes an effect of %d attempts %s.", n, a.fold.Attempts, ev.To)
	}
}

func (a *audit) add(ev *Event) {
	f := &a.fold
	if ev.Kind == EventNoted {
		return
	}
	f.State, f.Code, f.Reason, f.Fence, f.Since = ev.To, ev.Code, ev.Note, ev.Fence, ev.At
	if ev.To == Failed {
		f.Failures = f.Attempts
	}
	a.rejected = ev.Kind == EventRejected
	if len(ev.Arguments) > 0 || ev.ArgumentsHash != [32]byte{} {
		f.Arguments = ev.Arguments
	}
	switch ev.Kind {
	case EventClaimed:
		f.Claim, f.Attempts = ev.Claim, f.Attempts+1
	case EventSettled:
		f.Result = ev.Result
	case EventResolved:
		if ev.From != Done || ev.Result != nil {
			f.Result = ev.Result
		}
	}
}

// row compares the row with the fold.
func (a *audit) row(first *Event) {
	e, f := a.effect, &a.fold
	if e.Head != a.last.Hash {
		a.fault("The row names another last event.")
	}
	for _, c := range []struct {
		name      string
		row, fold any
	}{
		{"state", e.State, f.State},
		{"code", e.Code, f.Code},
		{"reason", e.Reason, f.Reason},
		{"fence", e.Fence, f.Fence},
		{"claim", e.Claim, f.Claim},
		{"number of attempts", e.Attempts, f.Attempts},
		{"number of failures", e.Failures, f.Failures},
		{"time of creation", e.Created.UnixMicro(), first.At.UnixMicro()},
		{"time of its last change", e.Updated.UnixMicro(), a.last.At.UnixMicro()},
		{"time since which it is so", e.Since.UnixMicro(), f.Since.UnixMicro()},
	} {
		if c.row != c.fold {
			a.fault("The row's %s is %v, and by the events it is %v.", c.name, c.row, c.fold)
		}
	}
	if !bytes.Equal(e.Arguments, f.Arguments) {
		a.fault("The row's arguments are not those of the events.")
	}
	if !e.Result.Equal(f.Result) {
		a.fault("The row's result is not that of the events.")
	}
	a.ends()
}

// ends demands the one end that a state has.
func (a *audit) ends() {
	e := a.effect
	if e.LeaseUntil.IsZero() == (e.State == Pending) {
		a.fault("An effect that is %s has a lease until %s.", e.State, auditTime(e.LeaseUntil))
	}
	if e.ExpiresAt.IsZero() == (e.State == Held || e.State == Approved) {
		a.fault("An effect that is %s expires at %s.", e.State, auditTime(e.ExpiresAt))
	}
	// Of what is refused, only what a person refused has a window.
	answers := e.State == Done || e.State == Failed || a.rejected
	if want := e.Since.Add(e.Window.Truncate(time.Microsecond)); answers && !e.WindowUntil.Equal(want) {
		a.fault("The window ends at %s, and by its length at %s.", auditTime(e.WindowUntil), auditTime(want))
	} else if !answers && !e.WindowUntil.IsZero() {
		a.fault("An effect that is %s has a window until %s.", e.State, auditTime(e.WindowUntil))
	}
}

func auditTime(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.Format(time.RFC3339Nano)
}
