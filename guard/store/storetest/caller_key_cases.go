package storetest

import "github.com/onceguard/onceguard/guard"

var callerKeyCases = []suiteCase{
	{"an effect with the same CallerKey and another Key stands in the way", func(t *test) {
		e := t.settled(Outcome(t.won(keyed(tenant, 7)), guard.Done))
		t.same(t.stands(keyed(tenant, 7), guard.KeyConflict, e.ID), e)
		t.won(NewCall(tenant)) // without a key nothing is compared
	}},
	{"unless it failed, was refused, or its window is over", func(t *test) {
		for i, state := range []guard.State{guard.Failed, guard.Refused, guard.Done} {
			t.brought(keyed(tenant, int64(i)), state)
			if state == guard.Done {
				t.clock.Move(Window)
			}
			t.won(keyed(tenant, int64(i)))
		}
	}},
	{"the same CallerKey with the same Key does not", func(t *test) {
		r := keyed(tenant, 8)
		e := t.settled(Outcome(t.won(r), guard.Failed))
		t.won(Again(r, e))
	}},
	{"the latest one is returned", func(t *test) {
		t.settled(Outcome(t.won(keyed(tenant, 1)), guard.Failed))
		first := t.won(keyed(tenant, 1))
		r := keyed(tenant, 1)
		r.Aliases = append(r.Aliases, first.Key) // of the very same call
		t.stands(r, guard.SameEffect, first.ID)
		t.stands(keyed(tenant, 1), guard.KeyConflict, first.ID)
	}},
	{"another tenant's CallerKey is never compared", func(t *test) {
		t.won(keyed(other, 1))
		t.won(keyed(tenant, 1))
	}},
}

// keyed returns a request for a new effect with an idempotency key of the caller's.
func keyed(tenant string, n int64) guard.ClaimRequest {
	r := NewCall(tenant)
	r.Effect.CallerKey = Digest("caller", n)
	return r
}
