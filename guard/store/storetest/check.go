package storetest

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Check reads all effects of a tenant and all their events, and reports what must never be: a chain that does not verify, a
// transition that is not listed, a fence or a time that goes back, a row that is not the fold of its events, two reads that
// do not agree, a superseded effect that is not named so. It returns the effects, newest first.
func Check(t testing.TB, s guard.Store, tenant string) []guard.Effect {
	t.Helper()
	ctx := context.Background()
	var effects []guard.Effect
	for before := ""; ; {
		page, err := s.List(ctx, guard.Query{Tenant: tenant, Before: before, Limit: 500})
		if err != nil {
			t.Fatalf("check: %v", err)
		}
		for _, row := range page {
			e, err := s.Get(ctx, tenant, row.ID)
			if err != nil {
				t.Fatalf("check effect %s: %v", row.ID, err)
			}
			events, err := s.Events(ctx, tenant, row.ID)
			if err != nil {
				t.Fatalf("check events of %s: %v", row.ID, err)
			}
			if err := checkEffect(e, events); err != nil {
				t.Errorf("effect %s: %v", row.ID, err)
			}
			row.Arguments, row.Result = e.Arguments, e.Result
			if d := Difference(row, e); d != "" {
				t.Errorf("effect %s is listed otherwise than it is read: %s", row.ID, d)
			}
			effects = append(effects, e)
		}
		if len(page) < 500 {
			checkSuperseded(t, s, effects)
			return effects
		}
		before = page[len(page)-1].ID
	}
}

func checkEffect(e guard.Effect, events []guard.Event) error {
	if err := checkChain(e, events); err != nil {
		return err
	}
	want := Fold(events)
	got := Folded{
		State: e.State, Code: e.Code, Reason: e.Reason, Fence: e.Fence, Claim: e.Claim, Attempts: e.Attempts,
		Failures: e.Failures, Arguments: e.Arguments, Result: e.Result, Since: want.Since,
	}
	if !want.equal(got) {
		return fmt.Errorf("the row is not the fold of its events:\n row  %+v\n fold %+v", got, want)
	}
	first, last := events[0], events[len(events)-1]
	answersByWindow := e.State == guard.Done || e.State == guard.Failed
	switch {
	case !e.Since.Equal(want.Since):
		return fmt.Errorf("so since %v, but the events say %v", e.Since, want.Since)
	case !e.Created.Equal(first.At), !e.Updated.Equal(last.At):
		return fmt.Errorf("created %v and updated %v, but the events are of %v to %v", e.Created, e.Updated, first.At, last.At)
	case e.LeaseUntil.IsZero() == (e.State == guard.Pending):
		return fmt.Errorf("%s with a lease until %v", e.State, e.LeaseUntil)
	case e.ExpiresAt.IsZero() == (e.State == guard.Held || e.State == guard.Approved):
		return fmt.Errorf("%s and expires at %v", e.State, e.ExpiresAt)
	case answersByWindow && e.WindowUntil.IsZero(), !answersByWindow && e.State != guard.Refused && !e.WindowUntil.IsZero():
		return fmt.Errorf("%s with a window until %v", e.State, e.WindowUntil)
	case e.State == guard.Unknown && e.Attempts == 0:
		return fmt.Errorf("unknown, but never claimed")
	}
	return nil
}

// checkSuperseded looks every done effect with a resource up and derives from all the others what superseded it. The effects
// are all of one tenant, newest first.
func checkSuperseded(t testing.TB, s guard.Store, effects []guard.Effect) {
	t.Helper()
	on := map[fingerprint.Digest][]guard.Effect{} // by resource, what was done on it
	for _, e := range effects {
		if e.State == guard.Done && !e.Resource.IsZero() {
			on[e.Resource] = append(on[e.Resource], e)
		}
	}
	for _, done := range on {
		slices.SortStableFunc(done, func(a, b guard.Effect) int { return b.Since.Compare(a.Since) })
		for _, e := range done {
			found, err := s.Lookup(context.Background(), e.Key)
			if err != nil || found.Effect == nil {
				t.Fatalf("check effect %s: looked up as %v, %v", e.ID, found.Effect, err)
			}
			want := ""
			if i := slices.IndexFunc(done, func(o guard.Effect) bool { return o.Key != e.Key }); i >= 0 && done[i].Since.After(e.Since) {
				want = done[i].ID
			}
			if found.Effect.ID == e.ID && found.Superseded != want { // else it has a later generation
				t.Errorf("effect %s is superseded by %q, but by the ledger by %q", e.ID, found.Superseded, want)
			}
		}
	}
}

func checkChain(e guard.Effect, events []guard.Event) error {
	if len(events) != e.Events || len(events) == 0 {
		return fmt.Errorf("%d events, but the row counts %d", len(events), e.Events)
	}
	var before guard.Event
	for i, ev := range events {
		fence := before.Fence
		if ev.Kind.Raises() {
			fence++
		}
		switch {
		case ev.Effect != e.ID || ev.Seq != i+1:
			return fmt.Errorf("event %d is number %d of effect %s", i+1, ev.Seq, ev.Effect)
		case ev.Seal(before.Hash) != ev.Hash:
			return fmt.Errorf("event %d does not verify", ev.Seq)
		case ev.From != before.To || !guard.Legal(ev.From, ev.Kind, ev.To):
			return fmt.Errorf("event %d: %q %s %q after %q", ev.Seq, ev.From, ev.Kind, ev.To, before.To)
		case ev.Fence != fence:
			return fmt.Errorf("event %d has fence %d after %d", ev.Seq, ev.Fence, before.Fence)
		case ev.At.Before(before.At):
			return fmt.Errorf("event %d is of %v, before %v", ev.Seq, ev.At, before.At)
		}
		before = ev
	}
	if before.Hash != e.Head {
		return fmt.Errorf("the row names another last event")
	}
	return nil
}

// Folded is what an effect's events say about it.
type Folded struct {
	State     guard.State
	Code      guard.Code
	Reason    string
	Fence     int64
	Claim     string
	Attempts  int
	Failures  int
	Arguments []byte
	Result    *guard.Result
	Since     time.Time
}

// Fold derives an effect from its events.
func Fold(events []guard.Event) Folded {
	var f Folded
	for _, e := range events {
		if e.Kind == guard.EventNoted {
			continue
		}
		f.State, f.Code, f.Reason, f.Fence, f.Since = e.To, e.Code, e.Note, e.Fence, e.At
		if e.To == guard.Failed {
			f.Failures = f.Attempts
		}
		if len(e.Arguments) > 0 {
			f.Arguments = e.Arguments
		}
		switch e.Kind {
		case guard.EventClaimed:
			f.Claim, f.Attempts = e.Claim, f.Attempts+1
		case guard.EventSettled:
			f.Result = e.Result
		case guard.EventResolved:
			if e.From != guard.Done || e.Result != nil {
				f.Result = e.Result
			}
		}
	}
	return f
}

func (f Folded) equal(g Folded) bool {
	same := bytes.Equal(f.Arguments, g.Arguments) && sameResult(f.Result, g.Result)
	f.Arguments, g.Arguments, f.Result, g.Result = nil, nil, nil, nil
	return same && reflect.DeepEqual(f, g)
}
