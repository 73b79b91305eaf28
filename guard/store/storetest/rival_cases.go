package storetest

import "github.com/onceguard/onceguard/guard"

var rivalCases = []suiteCase{
	{"an effect with the same CallerKey and another Key stands in the way", func(t *test) {
		r := NewCall(tenant)
		r.Effect.CallerKey = Digest("caller", 7)
		e := t.settled(Outcome(t.won(r), guard.Done))
		again := NewCall(tenant)
		again.Effect.CallerKey = r.Effect.CallerKey
		t.same(t.stands(again, guard.KeyConflict, e.ID), e)
		t.won(NewCall(tenant)) // without a key nothing is compared
	}},
	{"unless it failed, was refused, or its window is over", func(t *test) {
		for i, state := range []guard.State{guard.Failed, guard.Refused, guard.Done} {
			r := NewCall(tenant)
			r.Effect.CallerKey = Digest("caller", int64(100+i))
			if state == guard.Refused {
				t.won(Denied(r))
			} else {
				t.settled(Outcome(t.won(r), state))
				t.clock.Move(Window)
			}
			again := NewCall(tenant)
			again.Effect.CallerKey = r.Effect.CallerKey
			t.won(again)
		}
	}},
	{"the same CallerKey with the same Key does not", func(t *test) {
		r := NewCall(tenant)
		r.Effect.CallerKey = Digest("caller", 8)
		e := t.settled(Outcome(t.won(r), guard.Failed))
		t.won(Again(r, e))
	}},
	{"so does the same Wide digest where the request asks for it", func(t *test) {
		rivals(t, guard.OtherScope, func(r *guard.ClaimRequest, n int64, ask bool) {
			r.Effect.Wide, r.CheckWide = Digest("wide", n), ask
		})
	}},
	{"so does the same Identity digest where the request asks for it", func(t *test) {
		rivals(t, guard.SameIdentity, func(r *guard.ClaimRequest, n int64, ask bool) {
			r.Effect.Identity, r.CheckIdentity = Digest("identity", n), ask
		})
	}},
	{"the latest one is returned", func(t *test) {
		var last guard.Effect
		for range 3 {
			r := NewCall(tenant)
			r.Effect.Identity = Digest("identity", 1)
			last = t.won(r)
		}
		r := NewCall(tenant)
		r.Effect.Identity, r.CheckIdentity = Digest("identity", 1), true
		t.stands(r, guard.SameIdentity, last.ID)
	}},
	{"another tenant's digests are never compared", func(t *test) {
		r := NewCall(other)
		r.Effect.Wide, r.Effect.Identity, r.Effect.CallerKey = Digest("wide", 1), Digest("identity", 1), Digest("caller", 1)
		t.won(r)
		mine := NewCall(tenant)
		mine.Effect.Wide, mine.Effect.Identity, mine.Effect.CallerKey = r.Effect.Wide, r.Effect.Identity, r.Effect.CallerKey
		mine.CheckWide, mine.CheckIdentity = true, true
		t.won(mine)
	}},
}

// rivals makes a rival in each state and sees whether it stands in the way.
func rivals(t *test, relation guard.Relation, mark func(r *guard.ClaimRequest, n int64, ask bool)) {
	for i, state := range guard.States {
		rival := NewCall(tenant)
		mark(&rival, int64(i), false)
		e := t.brought(rival, state)
		quiet := NewCall(tenant)
		mark(&quiet, int64(i), false)
		asking := NewCall(tenant)
		mark(&asking, int64(i), true)
		switch state {
		case guard.Failed, guard.Refused:
			t.won(asking)
		case guard.Done:
			t.same(t.stands(asking, relation, e.ID), e)
			t.clock.Move(Window)
			t.won(asking)
		default:
			t.same(t.stands(asking, relation, e.ID), e)
			t.won(quiet)
		}
	}
}
