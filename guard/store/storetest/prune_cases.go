package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

// What the cases below keep.
const (
	keepBodies = 10 * Window
	keepRows   = 20 * Window
)

var keepsAll = guard.Retention{}

var pruneCases = []suiteCase{
	{"what has not changed for Bodies loses the bytes, of which the events keep the hashes", func(t *test) {
		for _, state := range []guard.State{guard.Done, guard.Failed, guard.Refused} {
			e, _ := t.in(state)
			before := t.events(e.ID)
			t.clock.Move(keepBodies - time.Microsecond)
			t.prunes(guard.Retention{Bodies: keepBodies}, 0, 0)
			t.same(t.get(e.ID), e)
			t.clock.Move(time.Microsecond)
			t.prunes(guard.Retention{Bodies: keepBodies}, 1, 0)
			t.prunes(guard.Retention{Bodies: keepBodies}, 0, 0)
			t.stripped(e, before)
		}
	}},
	{"and then answers nothing from them, but is read as ever", func(t *test) {
		r := NewCall(tenant)
		e := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(keepBodies)
		t.prunes(guard.Retention{Bodies: keepBodies}, 1, 0)
		found, err := t.store.Lookup(t.ctx, e.Key)
		if err != nil || found.Effect == nil || found.Effect.Arguments != nil || found.Effect.Result.BodyHash != t.keptHash(e.ID, true, e.Result.Body) {
			t.Fatalf("looked up as %+v, %v", found.Effect, err)
		}
		t.settled(Outcome(e, guard.Done)) // the same again, by the hash
		s := Outcome(e, guard.Done)
		s.Result.Body = append(s.Result.Body, ' ')
		_, err = t.store.Settle(t.ctx, s)
		t.refused(err, guard.CodeConflict, t.get(e.ID))
		if next := t.won(Next(r, e)); next.Generation != 2 {
			t.Fatalf("the next generation is %+v", next)
		}
	}},
	{"what was noted since is lost in its turn", func(t *test) {
		e, _ := t.in(guard.Done)
		t.clock.Move(keepBodies)
		t.prunes(guard.Retention{Bodies: keepBodies}, 1, 0)
		evidence := guard.Note{Tenant: tenant, ID: e.ID, Code: "evidence", Result: &guard.Result{Status: 200, Body: []byte("late"), Source: guard.FromUpstream}}
		t.noted(guard.Note{Tenant: tenant, ID: e.ID, Code: "repeat", Count: 2})
		t.clock.Move(keepBodies)
		t.prunes(guard.Retention{Bodies: keepBodies}, 0, 0) // it had none
		t.noted(evidence)
		t.clock.Move(keepBodies)
		t.prunes(guard.Retention{Bodies: keepBodies}, 1, 0)
		if ev := t.events(e.ID)[3]; ev.Result == nil || ev.Result.Body != nil || ev.Result.BodyHash != t.keptHash(e.ID, true, evidence.Result.Body) {
			t.Fatalf("the evidence is %+v", ev.Result)
		}
	}},
	{"what has not changed for Rows is removed with all its events", func(t *test) {
		for _, state := range []guard.State{guard.Done, guard.Failed, guard.Refused} {
			e, r := t.in(state)
			t.clock.Move(keepRows - time.Microsecond)
			t.prunes(guard.Retention{Rows: keepRows}, 0, 0)
			t.clock.Move(time.Microsecond)
			t.prunes(guard.Retention{Rows: keepRows}, 0, 1)
			t.forgotten(e)
			r.Effect.ID = NewID()
			if e := t.won(r); e.Generation != 1 {
				t.Fatalf("after it came generation %d", e.Generation)
			}
		}
	}},
	{"zero is for ever", func(t *test) {
		e, _ := t.in(guard.Done)
		t.clock.Move(100 * 365 * 24 * time.Hour)
		t.prunes(keepsAll, 0, 0)
		t.same(t.get(e.ID), e)
		t.prunes(guard.Retention{Bodies: 1}, 1, 0)
		t.prunes(guard.Retention{Rows: 1}, 0, 1)
	}},
	{"never one that is open, or has a review", func(t *test) {
		var kept []guard.Effect
		for _, state := range []guard.State{guard.Held, guard.Approved, guard.Pending, guard.Partial, guard.Unknown} {
			e, _ := t.in(state)
			kept = append(kept, e)
		}
		for _, state := range []guard.State{guard.Done, guard.Failed, guard.Refused} {
			e, _ := t.in(state)
			t.noted(guard.Note{Tenant: tenant, ID: e.ID, Code: "doubt", Review: "doubt"})
			kept = append(kept, t.get(e.ID))
		}
		t.clock.Move(100 * Window)
		t.prunes(guard.Retention{Bodies: 1, Rows: 1}, 0, 0)
		for _, e := range kept {
			t.same(t.get(e.ID), e)
		}
	}},
	{"nor one whose window lasts", func(t *test) {
		for _, state := range []guard.State{guard.Done, guard.Failed} {
			e, _ := t.in(state)
			t.clock.Move(Window - time.Microsecond)
			t.prunes(guard.Retention{Bodies: 1, Rows: 1}, 0, 0)
			t.same(t.get(e.ID), e)
			t.clock.Move(time.Microsecond)
			t.prunes(guard.Retention{Bodies: 1, Rows: 1}, 0, 1)
		}
		held, _ := t.in(guard.Held)
		rejected := t.decided(Verdict(held, guard.EventRejected, guard.Refused))
		t.clock.Move(Window - time.Microsecond)
		t.prunes(guard.Retention{Bodies: 1, Rows: 1}, 0, 0)
		t.same(t.get(held.ID), rejected)
	}},
	{"what superseded another one is kept until the window of that is over", func(t *test) {
		long := on(tenant, 1)
		long.Effect.Window = 100 * Window
		a := t.settled(Outcome(t.won(long), guard.Done))
		t.clock.Move(time.Second)
		b := t.doneOn(1)
		t.doneOn(2)
		t.clock.Move(keepRows)
		t.prunes(guard.Retention{Bodies: keepBodies, Rows: keepRows}, 1, 1) // b loses its bytes, the one on another resource all
		t.superseded(a, b.ID)
		t.clock.Move(100 * Window)
		t.prunes(guard.Retention{Rows: keepRows}, 0, 2)
		t.forgotten(a)
		t.forgotten(b)
	}},
	{"a generation is kept while an earlier one is there", func(t *test) {
		r := NewCall(tenant)
		r.Effect.Window = 100 * Window
		first := t.settled(Outcome(t.won(r), guard.Done))
		next := Next(r, first)
		next.Order, next.Effect.Window = true, Window
		second := t.settled(Outcome(t.won(next), guard.Failed))
		t.clock.Move(keepRows)
		t.prunes(guard.Retention{Rows: keepRows}, 0, 0)
		found, err := t.store.Lookup(t.ctx, first.Key)
		if err != nil || found.Effect.ID != second.ID {
			t.Fatalf("looked up as %+v, %v", found.Effect, err)
		}
		t.clock.Move(100 * Window)
		t.prunes(guard.Retention{Rows: keepRows}, 0, 2)
	}},
	{"a call is not new because its first generation is forgotten", func(t *test) {
		r := NewCall(tenant)
		first := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(Window + keepRows)
		second := t.settled(Outcome(t.won(Next(r, first)), guard.Done))
		t.prunes(guard.Retention{Rows: keepRows}, 0, 1)
		t.forgotten(first)
		anew := NewCall(tenant)
		anew.Effect.Key = r.Effect.Key
		for _, limits := range [][]guard.Limit{nil, {count(1, 9)}} {
			anew.Limits = limits
			got, err := t.store.Claim(t.ctx, anew)
			if err != nil || got.Won || got.Relation != guard.SameEffect || got.Effect.ID != second.ID {
				t.Fatalf("won %v, %s %s, %v; want the second generation in the way", got.Won, got.Relation, got.Effect.ID, err)
			}
		}
	}},
	{"at most limit effects, and what has not changed for longest first", func(t *test) {
		var all []guard.Effect
		for range 5 {
			e, _ := t.in(guard.Done)
			all = append(all, e)
			t.clock.Move(time.Second)
		}
		t.noted(guard.Note{Tenant: tenant, ID: all[0].ID, Code: "repeat", Count: 1})
		t.clock.Move(keepRows)
		r := guard.Retention{Rows: keepRows}
		if got, err := t.store.Prune(t.ctx, r, 2); err != nil || got != (guard.Pruned{Rows: 2}) {
			t.Fatalf("pruned %+v, %v", got, err)
		}
		t.forgotten(all[1])
		t.forgotten(all[2])
		if got, err := t.store.Prune(t.ctx, guard.Retention{Bodies: keepBodies}, 2); err != nil || got != (guard.Pruned{Bodies: 2}) {
			t.Fatalf("pruned %+v, %v", got, err)
		}
		if t.get(all[0].ID).Arguments == nil || t.get(all[4].ID).Arguments != nil {
			t.Fatal("the one that changed last has lost its bytes before the others")
		}
		for _, limit := range []int{0, -1} {
			if got, err := t.store.Prune(t.ctx, r, limit); err != nil || got != (guard.Pruned{}) {
				t.Fatalf("a limit of %d pruned %+v, %v", limit, got, err)
			}
		}
		t.prunes(r, 0, 3)
	}},
	{"what limits count stays", func(t *test) {
		limit := count(1, 2)
		limit.Period = guard.MaxPeriod
		r := limited(limit)
		r.Effect.Window = 0
		e := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(time.Hour)
		t.prunes(guard.Retention{Rows: time.Hour}, 0, 1)
		t.forgotten(e)
		t.won(limited(limit)) // which takes the place of nothing that was forgotten
		t.overLimit(limited(limit), 0, 0)
		t.clock.Move(guard.MaxPeriod - time.Hour)
		t.prunes(guard.Retention{Rows: time.Hour}, 0, 0)
		t.won(limited(limit))
		t.overLimit(limited(limit), 0, 0)
	}},
	{"what failed uses nothing when it is forgotten", func(t *test) {
		limit := count(1, 1)
		limit.Period = guard.MaxPeriod
		r := limited(limit)
		r.Effect.Window = 0
		t.settled(Outcome(t.won(r), guard.Failed))
		t.clock.Move(time.Hour)
		t.prunes(guard.Retention{Rows: time.Hour}, 0, 1)
		t.won(limited(limit))
	}},
	{"who reads meanwhile sees an effect with its bytes, without them, or none", func(t *test) {
		const effects, batch = 200, 10
		var ids []string
		for range effects {
			e := t.settled(Outcome(t.won(NewCall(tenant)), guard.Done))
			ids = append(ids, e.ID)
		}
		t.clock.Move(keepRows)
		race(6, func(i int) {
			r := []guard.Retention{{Bodies: keepBodies}, {Rows: keepRows}}[i%2]
			for more := i < 2; more; {
				got, err := t.store.Prune(t.ctx, r, batch)
				if err != nil {
					t.Error(err)
				}
				more = got.Bodies+got.Rows == batch
			}
			for _, id := range ids[:len(ids)*min(1, i/2)] {
				if e, err := t.store.Get(t.ctx, tenant, id); err == nil && (e.Arguments == nil) != (e.Result.Body == nil) {
					t.Errorf("half of an effect was read: %+v", e)
				} else if err != nil && guard.CodeOf(err) != guard.CodeNotFound {
					t.Error(err)
				}
				if _, err := t.store.Events(t.ctx, tenant, id); err != nil && guard.CodeOf(err) != guard.CodeNotFound {
					t.Error(err)
				}
			}
		})
		t.prunes(guard.Retention{Rows: keepRows}, 0, 0)
		t.forgotten(guard.Effect{ID: ids[0]})
	}},
	{"a retention that makes no sense is refused", func(t *test) {
		for _, r := range []guard.Retention{{Bodies: -1}, {Rows: -1}} {
			_, err := t.store.Prune(t.ctx, r, 1)
			t.code(err, guard.CodeInvalid)
		}
	}},
}

// prunes expects how many effects a store forgets.
func (t *test) prunes(r guard.Retention, bodies, rows int) {
	t.Helper()
	got, err := t.store.Prune(t.ctx, r, 100)
	if err != nil || got.Bodies != bodies || got.Rows != rows {
		t.Fatalf("pruned %+v, %v; want %d bodies and %d rows", got, err, bodies, rows)
	}
}

// forgotten expects an effect to be gone.
func (t *test) forgotten(e guard.Effect) {
	t.Helper()
	_, err := t.store.Get(t.ctx, tenant, e.ID)
	t.code(err, guard.CodeNotFound)
	_, err = t.store.Events(t.ctx, tenant, e.ID)
	t.code(err, guard.CodeNotFound)
	_, err = t.store.Walk(t.ctx, e.ID, 1)
	t.code(err, guard.CodeNotFound)
}

// stripped expects an effect to be as it was but for its bytes, whose hashes are with its events.
func (t *test) stripped(e guard.Effect, before []guard.Event) {
	t.Helper()
	want := e
	want.Arguments = nil
	if e.Result != nil {
		r := *e.Result
		r.Body, r.BodyHash = nil, t.keptHash(e.ID, true, e.Result.Body)
		want.Result = &r
	}
	t.same(t.get(e.ID), want)
	after := t.events(e.ID)
	for i, ev := range before {
		got := after[i]
		if len(ev.Arguments) > 0 && (got.Arguments != nil || got.ArgumentsHash != t.keptHash(e.ID, false, ev.Arguments)) {
			t.Fatalf("event %d has arguments %q with hash %x", i+1, got.Arguments, got.ArgumentsHash)
		}
		if got.Hash != ev.Hash || len(after) != len(before) {
			t.Fatalf("event %d of %d has hash %x, and had %x of %d", i+1, len(after), got.Hash, ev.Hash, len(before))
		}
	}
}
