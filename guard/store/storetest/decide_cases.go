package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var decideCases = []suiteCase{
	{"it records what a person decided", func(t *test) {
		for _, c := range decisions {
			e, _ := t.in(c.From)
			t.clock.Move(time.Second)
			d := Verdict(e, c.By, c.To)
			got := t.decided(d)
			if got.Fence != e.Fence+1 || got.Code != d.Code || got.Reason != d.Reason || got.Review != "" || !got.Updated.Equal(t.clock.Now()) {
				t.Fatalf("%s %s %s: %+v", c.From, c.By, c.To, got)
			}
			t.same(t.get(e.ID), got)
			evs := t.events(e.ID)
			if ev := evs[len(evs)-1]; ev.Kind != c.By || ev.Actor != d.Actor || ev.Note != d.Reason {
				t.Fatalf("the event is %+v", ev)
			}
		}
	}},
	{"if state, fence and arguments are still those that were shown", func(t *test) {
		e, _ := t.in(guard.Held)
		d := Verdict(e, guard.EventApproved, guard.Approved)
		d.Fence++
		_, err := t.store.Decide(t.ctx, d)
		t.refused(err, guard.CodeStaleFence, e)
		d = Verdict(e, guard.EventApproved, guard.Approved)
		d.Digest[0]++
		_, err = t.store.Decide(t.ctx, d)
		t.refused(err, guard.CodeConflict, e)
		d = Verdict(e, guard.EventResolved, guard.Done)
		_, err = t.store.Decide(t.ctx, d)
		t.refused(err, guard.CodeConflict, e)
	}},
	{"a decision is used once", func(t *test) {
		for _, c := range decisions {
			e, _ := t.in(c.From)
			d := Verdict(e, c.By, c.To)
			got := t.decided(d)
			_, err := t.store.Decide(t.ctx, d)
			t.refused(err, guard.CodeStaleFence, got)
		}
	}},
	{"an approval waits until its expiry", func(t *test) {
		e, _ := t.in(guard.Approved)
		if !e.ExpiresAt.Equal(t.clock.Now().Add(Expiry)) || !e.LeaseUntil.IsZero() {
			t.Fatalf("approved as %+v", e)
		}
	}},
	{"an approval is bound to arguments and to a time", func(t *test) {
		e, _ := t.in(guard.Held)
		d := Verdict(e, guard.EventApproved, guard.Approved)
		d.Digest = [32]byte{}
		_, err := t.store.Decide(t.ctx, d)
		t.code(err, guard.CodeInvalid)
		d = Verdict(e, guard.EventApproved, guard.Approved)
		d.Expiry = 0
		_, err = t.store.Decide(t.ctx, d)
		t.code(err, guard.CodeInvalid)
	}},
	{"an approval may bring other arguments, which take the place of those that were shown", func(t *test) {
		e, r := t.in(guard.Held)
		t.clock.Move(time.Second)
		d := Verdict(e, guard.EventApproved, guard.Approved)
		d.Arguments = []byte(`{"order_id":"A-1","amount":"5.00"}`)
		got := t.decided(d)
		if string(got.Arguments) != string(d.Arguments) {
			t.Fatalf("approved with %s", got.Arguments)
		}
		t.same(t.get(e.ID), got)
		evs := t.events(e.ID)
		if string(evs[0].Arguments) != string(e.Arguments) || string(evs[1].Arguments) != string(d.Arguments) {
			t.Fatalf("the events keep %s, then %s", evs[0].Arguments, evs[1].Arguments)
		}
		again := Again(r, got)
		again.Effect.Arguments = nil
		if sent := t.won(again); string(sent.Arguments) != string(d.Arguments) {
			t.Fatalf("claimed with %s", sent.Arguments)
		}
	}},
	{"no other decision does, and the digest is that of the old ones", func(t *test) {
		for _, c := range decisions {
			e, _ := t.in(c.From)
			d := Verdict(e, c.By, c.To)
			d.Arguments = []byte(`{}`)
			if c.By == guard.EventApproved {
				d.Digest = (&guard.Effect{Arguments: d.Arguments}).ArgumentsDigest()
				_, err := t.store.Decide(t.ctx, d)
				t.refused(err, guard.CodeConflict, e)
				continue
			}
			_, err := t.store.Decide(t.ctx, d)
			t.code(err, guard.CodeInvalid)
			t.same(t.get(e.ID), e)
		}
	}},
	{"a held call is not decided after its time, swept or not", func(t *test) {
		e, _ := t.in(guard.Held)
		t.clock.Move(Expiry)
		_, err := t.store.Decide(t.ctx, Verdict(e, guard.EventApproved, guard.Approved))
		t.refused(err, guard.CodeConflict, e)
	}},
	{"what a person refused answers for the window", func(t *test) {
		e, _ := t.in(guard.Held)
		got := t.decided(Verdict(e, guard.EventRejected, guard.Refused))
		if !got.WindowUntil.Equal(t.clock.Now().Add(Window)) {
			t.Fatalf("the window lasts until %v", got.WindowUntil)
		}
	}},
	{"a resolution brings its result, or none", func(t *test) {
		e, _ := t.in(guard.Partial)
		d := Verdict(e, guard.EventResolved, guard.Done)
		got := t.decided(d)
		if !sameResult(got.Result, d.Result) || got.WindowUntil.IsZero() {
			t.Fatalf("resolved as %+v", got)
		}
		e, _ = t.in(guard.Partial)
		if got := t.decided(Verdict(e, guard.EventResolved, guard.Failed)); got.Result != nil || got.Failures != got.Attempts {
			t.Fatalf("resolved as %+v", got)
		}
	}},
	{"a late answer does not undo a resolution", func(t *test) {
		e, _ := t.in(guard.Unknown)
		got := t.decided(Verdict(e, guard.EventResolved, guard.Failed))
		_, err := t.store.Settle(t.ctx, Outcome(e, guard.Done))
		t.refused(err, guard.CodeStaleFence, got)
	}},
	{"only people's events decide, and only on effects of the tenant", func(t *test) {
		e, _ := t.in(guard.Held)
		for _, by := range []guard.EventKind{"", guard.EventClaimed, guard.EventSettled, guard.EventExpired, guard.EventLapsed, guard.EventNoted} {
			d := Verdict(e, by, guard.Refused)
			_, err := t.store.Decide(t.ctx, d)
			t.code(err, guard.CodeInvalid)
		}
		d := Verdict(e, guard.EventApproved, guard.Approved)
		d.Tenant = other
		_, err := t.store.Decide(t.ctx, d)
		t.code(err, guard.CodeNotFound)
		t.same(t.get(e.ID), e)
	}},
}

// decisions are the transitions that a person makes.
var decisions = func() (found []guard.Transition) {
	for _, c := range guard.Transitions {
		switch c.By {
		case guard.EventApproved, guard.EventRejected, guard.EventResolved, guard.EventOrdered:
			found = append(found, c)
		}
	}
	return found
}()

var noteCases = []suiteCase{
	{"it appends facts that change no state", func(t *test) {
		for _, state := range guard.States {
			e, _ := t.in(state)
			t.clock.Move(time.Second)
			n := guard.Note{
				Tenant: tenant, ID: e.ID, Code: "repeat", Text: "an equal call came", Count: 3, Actor: guard.Actor{Kind: "guard"},
				Result: &guard.Result{Status: 200, Body: []byte("late"), Source: guard.FromUpstream},
			}
			if err := t.store.Note(t.ctx, []guard.Note{n}); err != nil {
				t.Fatal(err)
			}
			got := t.get(e.ID)
			evs := t.events(e.ID)
			ev := evs[len(evs)-1]
			if ev.Kind != guard.EventNoted || ev.Code != n.Code || ev.Note != n.Text || ev.Count != 3 || !t.hasResult(ev, n.Result) || ev.Actor != n.Actor {
				t.Fatalf("the event is %+v", ev)
			}
			want := e
			want.Events, want.Head, want.Updated = e.Events+1, ev.Hash, t.clock.Now() // and Since stays
			t.same(got, want)
		}
	}},
	{"and opens a review where Review is set and none is open", func(t *test) {
		e, _ := t.in(guard.Done)
		for _, review := range []guard.Code{"", "first", "second"} {
			if err := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: "doubt", Review: review}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := t.get(e.ID); got.Review != "first" {
			t.Fatalf("the review is %q", got.Review)
		}
	}},
	{"one about a contradiction takes the place of any other, until a person decides", func(t *test) {
		e, _ := t.in(guard.Done)
		for _, review := range []guard.Code{"first", guard.CodeContradiction, "second"} {
			t.noted(guard.Note{Tenant: tenant, ID: e.ID, Code: "evidence", Review: review})
		}
		e = t.get(e.ID)
		if e.Review != guard.CodeContradiction {
			t.Fatalf("the review is %q", e.Review)
		}
		d := Verdict(e, guard.EventResolved, guard.Done)
		d.Result = nil
		if got := t.decided(d); got.Review != "" || !sameResult(got.Result, e.Result) {
			t.Fatalf("decided with review %q and result %+v", got.Review, got.Result)
		}
	}},
	{"facts about unknown effects are left out without an error", func(t *test) {
		e, _ := t.in(guard.Done)
		theirs := t.won(NewCall(other))
		notes := []guard.Note{
			{Tenant: tenant, ID: NewID(), Code: "a"}, {Tenant: tenant, ID: e.ID, Code: "b"},
			{Tenant: tenant, ID: theirs.ID, Code: "c"}, {Tenant: tenant, ID: e.ID, Code: "d"},
		}
		if err := t.store.Note(t.ctx, notes); err != nil {
			t.Fatal(err)
		}
		if err := t.store.Note(t.ctx, nil); err != nil {
			t.Fatal(err)
		}
		evs := t.events(e.ID)
		if len(evs) != 4 || evs[2].Code != "b" || evs[3].Code != "d" {
			t.Fatalf("the events are %+v", evs)
		}
		if got, err := t.store.Get(t.ctx, other, theirs.ID); err != nil || got.Events != 1 {
			t.Fatalf("another tenant's effect has %d events, %v", got.Events, err)
		}
	}},
}

var sweepCases = []suiteCase{
	{"pending with its lease over becomes unknown and opens a review", func(t *test) {
		e, _ := t.in(guard.Pending)
		t.clock.Move(Lease - time.Microsecond)
		t.swept(0)
		t.clock.Move(time.Microsecond)
		got := t.swept(1)[0]
		if got.State != guard.Unknown || got.Fence != e.Fence || got.Review == "" || got.Claim != e.Claim || got.Code != guard.CodeLapsed {
			t.Fatalf("swept to %+v", got)
		}
		t.same(t.get(e.ID), got)
		t.swept(0)
	}},
	{"held with its time over becomes refused", func(t *test) {
		e, _ := t.in(guard.Held)
		t.clock.Move(Expiry)
		got := t.swept(1)[0]
		if got.State != guard.Refused || got.Fence != e.Fence+1 || got.Review != "" || got.Code != guard.CodeExpired || !got.WindowUntil.IsZero() {
			t.Fatalf("swept to %+v", got)
		}
	}},
	{"approved with its time over becomes refused if it was never sent", func(t *test) {
		e, _ := t.in(guard.Approved)
		t.clock.Move(Expiry)
		if got := t.swept(1)[0]; got.State != guard.Refused || got.Fence != e.Fence+1 {
			t.Fatalf("swept to %+v", got)
		}
	}},
	{"and unknown if it was", func(t *test) {
		e, _ := t.in(guard.Unknown)
		e = t.decided(Verdict(e, guard.EventOrdered, guard.Approved))
		t.clock.Move(Expiry)
		if got := t.swept(1)[0]; got.State != guard.Unknown || got.Fence != e.Fence+1 || got.Review == "" {
			t.Fatalf("swept to %+v", got)
		}
	}},
	{"at most limit effects, and what is due longest first", func(t *test) {
		var ids []string
		for range 5 {
			e, _ := t.in(guard.Pending)
			ids = append(ids, e.ID)
			t.clock.Move(time.Second)
		}
		t.clock.Move(Lease)
		for _, part := range [][]string{ids[:2], ids[2:4], ids[4:], nil} {
			swept, err := t.store.Sweep(t.ctx, 2)
			if err != nil || len(swept) != len(part) {
				t.Fatalf("swept %d, %v; want %d", len(swept), err, len(part))
			}
			for i, e := range swept {
				if e.ID != part[i] {
					t.Fatalf("swept %s before %s", e.ID, part[i])
				}
			}
		}
		if swept, err := t.store.Sweep(t.ctx, 0); err != nil || len(swept) != 0 {
			t.Fatalf("a limit of 0 swept %d, %v", len(swept), err)
		}
	}},
	{"what has no clock is left alone for ever", func(t *test) {
		for _, state := range []guard.State{guard.Done, guard.Failed, guard.Partial, guard.Unknown, guard.Refused} {
			t.in(state)
		}
		t.clock.Move(100 * 365 * 24 * time.Hour)
		t.swept(0)
	}},
}
