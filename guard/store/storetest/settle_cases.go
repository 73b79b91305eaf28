package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var outcomes = []guard.State{guard.Done, guard.Failed, guard.Partial, guard.Unknown}

var settleCases = []suiteCase{
	{"it records the outcome of an attempt", func(t *test) {
		for _, to := range outcomes {
			e, _ := t.in(guard.Pending)
			t.clock.Move(time.Second)
			s := Outcome(e, to)
			s.Reason = "the upstream said so"
			got := t.settled(s)
			if got.Fence != e.Fence || got.Code != s.Code || got.Reason != s.Reason || !sameResult(got.Result, s.Result) ||
				!got.LeaseUntil.IsZero() || string(got.Arguments) != string(e.Arguments) || !got.Updated.Equal(t.clock.Now()) {
				t.Fatalf("settled as %+v", got)
			}
			t.same(t.get(e.ID), got)
			ev := t.events(e.ID)[1]
			if ev.Kind != guard.EventSettled || ev.Claim != e.Claim || ev.Actor != s.Actor || !t.hasResult(ev, s.Result) {
				t.Fatalf("the event is %+v", ev)
			}
		}
	}},
	{"a result is kept byte for byte", func(t *test) {
		e, _ := t.in(guard.Pending)
		s := Outcome(e, guard.Done)
		s.Result = &guard.Result{Status: 201, ContentType: "application/octet-stream", IsError: true, Source: guard.FromCaller, Body: make([]byte, 1<<20)}
		for i := range s.Result.Body {
			s.Result.Body[i] = byte(i * 7)
		}
		if got := t.settled(s); !sameResult(got.Result, s.Result) {
			t.Fatal("the result differs")
		}
		if got := t.get(e.ID); !sameResult(got.Result, s.Result) {
			t.Fatal("the recorded result differs")
		}
	}},
	{"the same claim, fence, state and result again append nothing", func(t *test) {
		for _, to := range outcomes {
			e, _ := t.in(guard.Pending)
			s := Outcome(e, to)
			first := t.settled(s)
			t.clock.Move(time.Minute)
			s.Reason = "told in other words"
			t.same(t.settled(s), first)
			s.Claim = ""
			t.same(t.settled(s), first)
			t.same(t.get(e.ID), first)
		}
	}},
	{"another result is refused", func(t *test) {
		for _, to := range outcomes {
			e, _ := t.in(guard.Pending)
			first := t.settled(Outcome(e, to))
			s := Outcome(e, to)
			s.Result = &guard.Result{Status: 200, Body: []byte("another"), Source: guard.FromUpstream}
			_, err := t.store.Settle(t.ctx, s)
			t.refused(err, guard.CodeConflict, first)
		}
	}},
	{"a write with an older fence is refused", func(t *test) {
		e, r := t.in(guard.Failed)
		now := t.won(Again(r, e))
		s := Outcome(e, guard.Done)
		_, err := t.store.Settle(t.ctx, s)
		t.refused(err, guard.CodeStaleFence, now)
		s.Fence, s.Claim = now.Fence, e.Claim // the right fence by chance, another's claim
		_, err = t.store.Settle(t.ctx, s)
		t.refused(err, guard.CodeStaleFence, now)
		s.Fence = now.Fence + 1
		_, err = t.store.Settle(t.ctx, s)
		t.refused(err, guard.CodeStaleFence, now)
	}},
	{"a late answer settles an unknown effect while the fence is equal", func(t *test) {
		for _, to := range []guard.State{guard.Done, guard.Failed, guard.Partial} {
			e, _ := t.in(guard.Pending)
			t.clock.Move(Lease)
			if lapsed := t.swept(1)[0]; lapsed.Fence != e.Fence || lapsed.Review == "" {
				t.Fatalf("lapsed as %+v", lapsed)
			}
			got := t.settled(Outcome(e, to))
			if wantOpen := to == guard.Partial; (got.Review != "") != wantOpen {
				t.Fatalf("%s with review %q", to, got.Review)
			}
		}
	}},
	{"and so does an answer after the lease that was not swept yet", func(t *test) {
		e, _ := t.in(guard.Pending)
		t.clock.Move(2 * Lease)
		t.settled(Outcome(e, guard.Done))
		t.swept(0)
	}},
	{"done and failed start the effect's window", func(t *test) {
		for _, to := range []guard.State{guard.Done, guard.Failed} {
			e, _ := t.in(guard.Pending)
			t.clock.Move(time.Second)
			if got := t.settled(Outcome(e, to)); !got.WindowUntil.Equal(t.clock.Now().Add(Window)) {
				t.Fatalf("%s: the window lasts until %v", to, got.WindowUntil)
			}
		}
	}},
	{"unknown and partial open a review when Review is set", func(t *test) {
		for _, to := range outcomes {
			e, _ := t.in(guard.Pending)
			s := Outcome(e, to)
			s.Review = "look"
			open := to == guard.Unknown || to == guard.Partial
			if got := t.settled(s); (got.Review == "look") != open {
				t.Fatalf("%s with review %q", to, got.Review)
			}
		}
	}},
	{"done and failed close it", func(t *test) {
		for _, to := range []guard.State{guard.Done, guard.Failed} {
			e, _ := t.in(guard.Pending)
			if err := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: "doubt", Review: "doubt"}}); err != nil {
				t.Fatal(err)
			}
			if t.get(e.ID).Review != "doubt" {
				t.Fatal("no review was opened")
			}
			if got := t.settled(Outcome(e, to)); got.Review != "" {
				t.Fatalf("%s with review %q", to, got.Review)
			}
		}
	}},
	{"except that a review about a contradiction stays", func(t *test) {
		for _, to := range outcomes {
			e, _ := t.in(guard.Pending)
			t.noted(guard.Note{Tenant: tenant, ID: e.ID, Code: "evidence", Review: guard.CodeContradiction})
			s := Outcome(e, to)
			s.Review = "look"
			if got := t.settled(s); got.Review != guard.CodeContradiction {
				t.Fatalf("%s with review %q", to, got.Review)
			}
		}
	}},
	{"failed sets Failures to Attempts", func(t *test) {
		e, r := t.in(guard.Failed)
		e = t.settled(Outcome(t.won(Again(r, e)), guard.Failed))
		if e.Failures != 2 || e.Attempts != 2 || e.Doubtful() {
			t.Fatalf("%d failures of %d attempts", e.Failures, e.Attempts)
		}
		e, r = t.in(guard.Unknown)
		e = t.won(Again(r, e))
		if e.Failures != 0 || !e.Doubtful() {
			t.Fatalf("a second send of an unknown effect: %d failures of %d attempts", e.Failures, e.Attempts)
		}
	}},
	{"only outcomes settle, and only effects of the tenant", func(t *test) {
		e, _ := t.in(guard.Pending)
		for _, to := range []guard.State{"", guard.Held, guard.Approved, guard.Pending, guard.Refused} {
			_, err := t.store.Settle(t.ctx, Outcome(e, to))
			t.code(err, guard.CodeInvalid)
		}
		s := Outcome(e, guard.Done)
		s.Tenant = other
		_, err := t.store.Settle(t.ctx, s)
		t.code(err, guard.CodeNotFound)
		t.same(t.get(e.ID), e)
	}},
}
