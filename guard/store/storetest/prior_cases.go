package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var priorCases = []suiteCase{
	{"it makes the next generation", func(t *test) {
		e, r := t.in(guard.Refused)
		next := t.won(Next(r, e))
		if next.Generation != 2 || next.Fence != 1 || next.ID == e.ID || next.Attempts != 1 {
			t.Fatalf("the next generation is %+v", next)
		}
		t.same(t.get(e.ID), e)
		found, err := t.store.Lookup(t.ctx, e.Key)
		if err != nil || found.Effect == nil || found.Effect.ID != next.ID {
			t.Fatalf("lookup finds %+v, %v; want the latest generation", found.Effect, err)
		}
	}},
	{"or claims Prior itself once more", func(t *test) {
		for _, state := range []guard.State{guard.Approved, guard.Failed, guard.Unknown} {
			e, r := t.in(state)
			t.clock.Move(time.Minute)
			again := Again(r, e)
			again.Effect.Code, again.Effect.Reason, again.Effect.Policy, again.Effect.Window = "retry", "once more", "sha256:newer", time.Hour
			got := t.won(again)
			if got.ID != e.ID || got.State != guard.Pending || got.Fence != e.Fence+1 || got.Attempts != e.Attempts+1 || got.Claim != again.Effect.Claim ||
				got.Review != "" || got.Policy != "sha256:newer" || got.Window != time.Hour || !got.LeaseUntil.Equal(t.clock.Now().Add(Lease)) {
				t.Fatalf("claimed again from %s: %+v", state, got)
			}
			t.same(t.get(e.ID), got)
		}
	}},
	{"if Prior is still the latest generation with this very state and fence", func(t *test) {
		e, r := t.in(guard.Failed)
		stale := *PriorOf(e)
		stale.Fence--
		otherState := *PriorOf(e)
		otherState.State = guard.Unknown
		unknown := guard.Prior{ID: NewID(), State: e.State, Fence: e.Fence}
		for _, p := range []guard.Prior{stale, otherState, unknown} {
			again := Again(r, e)
			again.Prior = &p
			t.stands(again, guard.SameEffect, e.ID)
		}
		t.same(t.get(e.ID), e)
		d, r := t.in(guard.Refused)
		next := t.won(Next(r, d))
		t.stands(Next(r, d), guard.SameEffect, next.ID)
	}},
	{"a Prior under a key that nobody used does not exist", func(t *test) {
		e, _ := t.in(guard.Failed)
		_, err := t.store.Claim(t.ctx, Again(NewCall(tenant), e))
		t.code(err, guard.CodeNotFound)
	}},
	{"a next generation is refused while the window lasts", func(t *test) {
		done, doneCall := t.in(guard.Done)
		held, heldCall := t.in(guard.Held)
		rejected := t.decided(Verdict(held, guard.EventRejected, guard.Refused))
		t.clock.Move(Window - time.Microsecond)
		_, err := t.store.Claim(t.ctx, Next(doneCall, done))
		t.refused(err, guard.CodeConflict, done)
		_, err = t.store.Claim(t.ctx, Next(heldCall, rejected))
		t.refused(err, guard.CodeConflict, rejected)
		t.clock.Move(time.Microsecond)
		t.won(Next(doneCall, done))
		t.won(Next(heldCall, rejected))
	}},
	{"unless Order is set", func(t *test) {
		done, r := t.in(guard.Done)
		next := Next(r, done)
		next.Order = true
		if e := t.won(next); e.Generation != 2 {
			t.Fatalf("generation %d", e.Generation)
		}
	}},
	{"an effect that is not settled has no next generation", func(t *test) {
		for _, state := range []guard.State{guard.Held, guard.Approved, guard.Pending, guard.Partial, guard.Unknown} {
			e, r := t.in(state)
			next := Next(r, e)
			next.Order = true
			_, err := t.store.Claim(t.ctx, next)
			t.refused(err, guard.CodeConflict, e)
		}
	}},
	{"a next generation of a failed effect needs no order and no time", func(t *test) {
		failed, r := t.in(guard.Failed)
		if e := t.won(Next(r, failed)); e.Generation != 2 || e.Attempts != 1 || e.Failures != 0 {
			t.Fatalf("generation %d after %d attempts and %d failures", e.Generation, e.Attempts, e.Failures)
		}
	}},
	{"a claim of Prior keeps a review about a contradiction and closes others", func(t *test) {
		for review, want := range map[guard.Code]guard.Code{guard.CodeContradiction: guard.CodeContradiction, guard.CodeUnknown: ""} {
			failed, r := t.in(guard.Failed)
			t.noted(guard.Note{Tenant: tenant, ID: failed.ID, Code: "evidence", Count: 1, Review: review})
			if e := t.won(Again(r, t.get(failed.ID))); e.Review != want {
				t.Fatalf("a review about %q became %q", review, e.Review)
			}
		}
	}},
	{"an approval that is over is not claimed, swept or not", func(t *test) {
		e, r := t.in(guard.Approved)
		t.clock.Move(Expiry)
		_, err := t.store.Claim(t.ctx, Again(r, e))
		t.refused(err, guard.CodeConflict, e)
	}},
	{"a claim of Prior keeps what the request leaves empty", func(t *test) {
		e, r := t.in(guard.Failed)
		again := Again(r, e)
		again.Effect.Subject, again.Effect.Agent, again.Effect.Run, again.Effect.CallID, again.Effect.Arguments = "", "", "", "", nil
		got := t.won(again)
		if got.Subject != e.Subject || got.Agent != e.Agent || got.Run != e.Run || got.CallID != e.CallID || string(got.Arguments) != string(e.Arguments) {
			t.Fatalf("kept %+v", got)
		}
		t.same(t.get(e.ID), got)
		if evs := t.events(e.ID); len(evs[len(evs)-1].Arguments) != 0 {
			t.Fatal("the event repeats arguments that it did not bring")
		}
		failed := t.settled(Outcome(got, guard.Failed))
		again = Again(r, failed)
		again.Effect.Subject, again.Effect.CallID, again.Effect.Arguments = "billing", "call-2", []byte(`{"order_id":"a-1"}`)
		got = t.won(again)
		if got.Subject != "billing" || got.CallID != "call-2" || string(got.Arguments) != `{"order_id":"a-1"}` {
			t.Fatalf("replaced %+v", got)
		}
		t.same(t.get(e.ID), got)
	}},
	{"and closes the review", func(t *test) {
		e, r := t.in(guard.Pending)
		s := Outcome(e, guard.Unknown)
		s.Review = "unknown"
		e = t.settled(s)
		if e.Review == "" {
			t.Fatal("no review was opened")
		}
		if got := t.won(Again(r, e)); got.Review != "" {
			t.Fatalf("the review %q is open", got.Review)
		}
	}},
}
