package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var supersededCases = []suiteCase{
	{"Superseded names the latest effect under another key on the same Resource that was done later", func(t *test) {
		a, b, c := t.doneOn(1), t.doneOn(1), t.doneOn(1)
		t.doneOn(2)
		t.superseded(a, c.ID)
		t.superseded(b, c.ID)
		t.superseded(c, "")
	}},
	{"later is by when it was done, not by when it was claimed", func(t *test) {
		slow := t.won(on(tenant, 1))
		t.clock.Move(time.Second)
		fast := t.doneOn(1)
		slow = t.settled(Outcome(slow, guard.Done))
		t.superseded(fast, slow.ID)
		t.superseded(slow, "")
	}},
	{"the latest is the one that was done last", func(t *test) {
		a, b := t.won(on(tenant, 1)), t.won(on(tenant, 1))
		first := t.doneOn(1)
		for _, e := range []guard.Effect{b, a} {
			t.settled(Outcome(e, guard.Done))
			t.clock.Move(time.Second)
		}
		t.superseded(first, a.ID)
	}},
	{"an older generation supersedes no later one of its own key", func(t *test) {
		r := on(tenant, 1)
		first := t.settled(Outcome(t.won(r), guard.Done))
		next := Next(r, first)
		next.Order = true
		second := t.settled(Outcome(t.won(next), guard.Done))
		t.clock.Move(time.Second)
		t.decided(Verdict(first, guard.EventResolved, guard.Done))
		t.superseded(second, "")
	}},
	{"what was done at the same moment is not later", func(t *test) {
		a := t.settled(Outcome(t.won(on(tenant, 1)), guard.Done))
		b := t.settled(Outcome(t.won(on(tenant, 1)), guard.Done))
		t.superseded(a, "")
		t.superseded(b, "")
	}},
	{"of two that were done at the same moment, the one that was made last is named", func(t *test) {
		a := t.doneOn(1)
		t.settled(Outcome(t.won(on(tenant, 1)), guard.Done))
		c := t.settled(Outcome(t.won(on(tenant, 1)), guard.Done))
		t.superseded(a, c.ID)
	}},
	{"only a done effect supersedes", func(t *test) {
		a := t.doneOn(1)
		for _, state := range guard.States {
			if state != guard.Done {
				t.brought(on(tenant, 1), state)
			}
		}
		t.superseded(a, "")
	}},
	{"only a done effect is superseded", func(t *test) {
		for i, state := range guard.States {
			e := t.brought(on(tenant, int64(i)), state)
			t.clock.Move(time.Second)
			b := t.doneOn(int64(i))
			if state == guard.Done {
				t.superseded(e, b.ID)
			} else {
				t.superseded(e, "")
			}
		}
	}},
	{"nothing else supersedes: its own key, another tenant's, another resource, none", func(t *test) {
		r := on(tenant, 1)
		first := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(time.Second)
		for _, r := range []guard.ClaimRequest{on(other, 1), on(tenant, 2), NewCall(tenant)} {
			t.settled(Outcome(t.won(r), guard.Done))
		}
		plain := t.settled(Outcome(t.won(NewCall(tenant)), guard.Done))
		t.clock.Move(time.Second)
		t.settled(Outcome(t.won(NewCall(tenant)), guard.Done))
		t.superseded(first, "")
		t.superseded(plain, "")
		next := Next(r, first)
		next.Order = true
		t.superseded(t.settled(Outcome(t.won(next), guard.Done)), "")
	}},
	{"a superseding effect needs no window of its own", func(t *test) {
		a := t.won(on(tenant, 1))
		a = t.settled(Outcome(a, guard.Done))
		t.clock.Move(time.Second)
		r := on(tenant, 1)
		r.Effect.Window = 0
		b := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(time.Hour)
		t.superseded(a, b.ID)
	}},
	{"a note on an effect changes nothing of it, a person's word that it is done does", func(t *test) {
		a, b := t.doneOn(1), t.doneOn(1)
		t.noted(guard.Note{Tenant: tenant, ID: a.ID, Code: "repeat", Count: 1})
		t.superseded(a, b.ID)
		a = t.decided(Verdict(t.get(a.ID), guard.EventResolved, guard.Done))
		t.superseded(a, "")
		t.superseded(b, a.ID)
	}},
	{"a done effect that is superseded has a next generation within its window", func(t *test) {
		write := on(tenant, 1)
		a := t.settled(Outcome(t.won(write), guard.Done))
		_, err := t.store.Claim(t.ctx, Next(write, a))
		t.refused(err, guard.CodeConflict, a)
		t.clock.Move(time.Second)
		b := t.doneOn(1)
		next := t.won(Next(write, a))
		if next.Generation != 2 || next.Resource != a.Resource {
			t.Fatalf("the next generation is %+v", next)
		}
		t.superseded(b, "") // A is only about to be written again
		next = t.settled(Outcome(next, guard.Done))
		t.superseded(b, next.ID)
		t.superseded(next, "")
		_, err = t.store.Claim(t.ctx, Next(write, next))
		t.refused(err, guard.CodeConflict, next)
	}},
	{"one refused by a person has none, whatever was done since", func(t *test) {
		r := on(tenant, 1)
		held := t.won(Parked(r))
		rejected := t.decided(Verdict(held, guard.EventRejected, guard.Refused))
		t.clock.Move(time.Second)
		t.doneOn(1)
		_, err := t.store.Claim(t.ctx, Next(r, rejected))
		t.refused(err, guard.CodeConflict, rejected)
	}},
	{"a claim names it when a SameEffect stands in the way, and only then", func(t *test) {
		r := on(tenant, 1)
		r.Effect.Identity = Digest("identity", 1)
		a := t.settled(Outcome(t.won(r), guard.Done))
		t.clock.Move(time.Second)
		b := t.doneOn(1)
		again := on(tenant, 1)
		again.Effect.Key = a.Key
		alias := NewCall(tenant)
		alias.Aliases = append(alias.Aliases, a.Key)
		stale := Next(r, a)
		stale.Prior.Fence--
		alike := NewCall(tenant)
		alike.Effect.Identity, alike.CheckIdentity = r.Effect.Identity, true
		for _, c := range []struct {
			r    guard.ClaimRequest
			want string
		}{{again, b.ID}, {alias, b.ID}, {stale, b.ID}, {alike, ""}} {
			got, err := t.store.Claim(t.ctx, c.r)
			if err != nil || got.Won || got.Effect.ID != a.ID || got.Superseded != c.want {
				t.Errorf("%s by %s: won %v, superseded by %q, error %v; want %q", got.Relation, got.Effect.ID, got.Won, got.Superseded, err, c.want)
			}
		}
	}},
}

// on returns a request for a new effect on a resource.
func on(tenant string, n int64) guard.ClaimRequest {
	r := NewCall(tenant)
	r.Effect.Resource = Digest("resource", n)
	return r
}

// doneOn makes a new effect on a resource, which is done one second before it returns.
func (t *test) doneOn(n int64) guard.Effect {
	t.Helper()
	e := t.settled(Outcome(t.won(on(tenant, n)), guard.Done))
	t.clock.Move(time.Second)
	return e
}

// superseded expects what a look at an effect names as having superseded it.
func (t *test) superseded(e guard.Effect, by string) {
	t.Helper()
	found, err := t.store.Lookup(t.ctx, e.Key)
	if err != nil || found.Effect == nil || found.Effect.ID != e.ID || found.Superseded != by {
		t.Fatalf("found %+v, superseded by %q, error %v; want %q", found.Effect, found.Superseded, err, by)
	}
}
