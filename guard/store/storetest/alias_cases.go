package storetest

import (
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

var aliasCases = []suiteCase{
	{"an effect under one of Aliases that is open, or done within its window, stands in the way", func(t *test) {
		for _, state := range guard.States {
			e, _ := t.in(state)
			r := known(NewCall(tenant), Digest("nobody", 1), e.Key)
			switch state {
			case guard.Failed, guard.Refused:
				t.won(r)
			case guard.Done:
				t.same(t.stands(r, guard.SameEffect, e.ID), e)
				t.clock.Move(Window)
				t.won(r)
			default:
				t.same(t.stands(r, guard.SameEffect, e.ID), e)
			}
		}
	}},
	{"and so does one refused by a person within its window", func(t *test) {
		held, _ := t.in(guard.Held)
		e := t.decided(Verdict(held, guard.EventRejected, guard.Refused))
		r := known(NewCall(tenant), e.Key)
		t.same(t.stands(r, guard.SameEffect, e.ID), e)
		t.clock.Move(Window)
		t.won(r)
	}},
	{"and one that failed, while a contradiction is under review", func(t *test) {
		e, _ := t.in(guard.Failed)
		if err := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: guard.CodeContradiction, Review: guard.CodeContradiction, Text: "a late answer"}}); err != nil {
			t.Fatal(err)
		}
		t.stands(known(NewCall(tenant), e.Key), guard.SameEffect, e.ID)
	}},
	{"the latest one is returned", func(t *test) {
		a, _ := t.in(guard.Done)
		b, _ := t.in(guard.Held)
		c, _ := t.in(guard.Failed)
		t.stands(known(NewCall(tenant), b.Key, a.Key, c.Key), guard.SameEffect, b.ID)
		t.stands(known(NewCall(tenant), a.Key, b.Key), guard.SameEffect, b.ID)
	}},
	{"of each key the latest generation counts", func(t *test) {
		first := t.reopened(NewCall(tenant))
		t.won(known(NewCall(tenant), first.Key))
	}},
	{"a claim of Prior and a next generation are stopped, too", func(t *test) {
		alias, _ := t.in(guard.Pending)
		failed, r := t.in(guard.Failed)
		t.stands(known(Again(r, failed), alias.Key), guard.SameEffect, alias.ID)
		t.stands(known(Next(r, failed), alias.Key), guard.SameEffect, alias.ID)
		t.same(t.get(failed.ID), failed)
	}},
	{"the key itself is no alias", func(t *test) {
		e, r := t.in(guard.Unknown)
		t.won(known(Again(r, e), e.Key))
	}},
	{"an alias of another tenant shows nothing", func(t *test) {
		theirs := t.won(NewCall(other))
		got, err := t.store.Claim(t.ctx, known(NewCall(tenant), theirs.Key))
		t.code(err, guard.CodeInternal)
		if got.Won || got.Effect.ID != "" {
			t.Fatalf("another tenant was shown %+v", got)
		}
	}},
	{"effects under Aliases are never rivals, and hide none", func(t *test) {
		marks := map[guard.Relation]func() guard.ClaimRequest{guard.KeyConflict: func() guard.ClaimRequest { return keyed(tenant, 1) }}
		for _, k := range kinds {
			marks[k.relation] = func() guard.ClaimRequest { return k.asks(k.call(tenant, 1)) }
		}
		for relation, marked := range marks {
			r := marked()
			rival := t.settled(Outcome(t.won(r), guard.Failed))
			// An older generation still answers to others, while the alias itself does not.
			alias := t.reopened(marked())
			t.stands(marked(), relation, alias.ID)
			t.won(known(Again(r, rival), alias.Key))
			t.stands(known(marked(), alias.Key), relation, rival.ID)
		}
	}},
	{"a caller's key that an alias has, too, is no conflict", func(t *test) {
		r := NewCall(tenant)
		r.Effect.CallerKey = Digest("caller", 1)
		e := t.settled(Outcome(t.won(r), guard.Done))
		again := known(NewCall(tenant), e.Key)
		again.Effect.CallerKey = r.Effect.CallerKey
		t.stands(again, guard.SameEffect, e.ID)
	}},
	{"the same call comes before calls that are merely like it", func(t *test) {
		alias, _ := t.in(guard.Done)
		mark := func(r guard.ClaimRequest) guard.ClaimRequest {
			r.Effect.Key, r.Effect.Identity, r.Effect.Near = ScopeKey(1, issued.Add(1)), Digest("identity", 1), Digest("near", 1)
			return r
		}
		t.won(mark(NewCall(tenant)))
		r := known(mark(NewCall(tenant)), alias.Key)
		r.CheckScope, r.CheckIdentity, r.CheckNear = true, true, true
		t.stands(r, guard.SameEffect, alias.ID)
	}},
}

// known gives a request the other keys of its call.
func known(r guard.ClaimRequest, aliases ...fingerprint.Digest) guard.ClaimRequest {
	r.Aliases = aliases
	return r
}

// reopened makes a first generation that is done and lasts, and a second one that failed. It returns the first.
func (t *test) reopened(r guard.ClaimRequest) guard.Effect {
	t.Helper()
	first := t.settled(Outcome(t.won(r), guard.Done))
	next := Next(r, first)
	next.Order = true
	t.settled(Outcome(t.won(next), guard.Failed))
	return first
}
