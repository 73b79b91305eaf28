package storetest

import (
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// kind is one way in which calls that are not the same relate to each other.
type kind struct {
	relation guard.Relation
	// call returns a request for a new effect of a tenant that is related to all others with the same n.
	call func(tenant string, n int64) guard.ClaimRequest
}

var kinds = []kind{
	{guard.OtherScope, func(tenant string, n int64) guard.ClaimRequest {
		r := NewCall(tenant)
		r.Effect.Key = ScopeKey(n, issued.Add(1))
		return r
	}},
	{guard.SameIdentity, func(tenant string, n int64) guard.ClaimRequest {
		r := NewCall(tenant)
		r.Effect.Identity = Digest("identity", n)
		return r
	}},
	{guard.NearEffect, func(tenant string, n int64) guard.ClaimRequest {
		r := NewCall(tenant)
		r.Effect.Near = Digest("near", n)
		return r
	}},
}

// asks turns a request into one that minds its rivals of this kind that are not among seen.
func (k kind) asks(r guard.ClaimRequest, seen ...guard.Prior) guard.ClaimRequest {
	switch k.relation {
	case guard.OtherScope:
		r.CheckScope = true
	case guard.SameIdentity:
		r.CheckIdentity = true
	case guard.NearEffect:
		r.CheckNear = true
	}
	r.Seen = seen
	return r
}

// digest is what a request has in common with its rivals of this kind, besides the key.
func (k kind) digest(r guard.ClaimRequest) fingerprint.Digest {
	switch k.relation {
	case guard.SameIdentity:
		return r.Effect.Identity
	case guard.NearEffect:
		return r.Effect.Near
	}
	return fingerprint.Digest{}
}

// eachKind makes a case of one that holds for each kind.
func eachKind(run func(t *test, k kind)) func(*test) {
	return func(t *test) {
		for _, k := range kinds {
			run(t, k)
		}
	}
}

// rivals expects what Rivals returns for a request.
func (t *test) rivals(k kind, r guard.ClaimRequest, want ...guard.Effect) {
	t.Helper()
	got, err := t.store.Rivals(t.ctx, r.Effect.Tenant, k.relation, k.digest(r), r.Effect.Key)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d effects are related as %s, error %v; want %d", len(got), k.relation, err, len(want))
	}
	for i := range got {
		t.same(got[i], want[i])
		t.same(got[i], t.get(got[i].ID))
	}
}

var rivalCases = []suiteCase{
	{"Rivals returns the effects that still answer: open, or done within their window", eachKind(func(t *test, k kind) {
		for i, state := range guard.States {
			e := t.brought(k.call(tenant, int64(i)), state)
			r := k.call(tenant, int64(i))
			answers := state != guard.Failed && state != guard.Refused
			if answers {
				t.rivals(k, r, e)
			} else {
				t.rivals(k, r)
			}
			t.clock.Move(Window)
			if answers && state != guard.Done {
				t.rivals(k, r, e)
			} else {
				t.rivals(k, r)
			}
		}
	})},
	{"under another key", eachKind(func(t *test, k kind) {
		r := k.call(tenant, 1)
		own := t.settled(Outcome(t.won(r), guard.Done))
		another := t.won(k.call(tenant, 1))
		next := Next(r, own)
		next.Order = true
		newest := t.won(next)
		t.rivals(k, r, another)
		beside := r
		beside.Effect.Key = another.Key
		t.rivals(k, beside, newest, own)
	})},
	{"newest first and with their arguments", eachKind(func(t *test, k kind) {
		var want []guard.Effect
		for range 5 {
			want = append([]guard.Effect{t.settled(Outcome(t.won(k.call(tenant, 1)), guard.Done))}, want...)
			t.clock.Move(-time.Second)
		}
		t.rivals(k, k.call(tenant, 1), want...)
	})},
	{"the newest RivalMost of the tenant that are so related", eachKind(func(t *test, k kind) {
		t.won(k.call(other, 1))
		t.won(k.call(tenant, 2))
		t.won(NewCall(tenant))
		var want []guard.Effect
		for range guard.RivalMost + 3 {
			want = append([]guard.Effect{t.won(k.call(tenant, 1))}, want...)
			t.won(Denied(k.call(tenant, 1)))
		}
		t.rivals(k, k.call(tenant, 1), want[:guard.RivalMost]...)
		t.rivals(k, NewCall(tenant)) // without a digest there is none
	})},
	{"only those three relations have rivals", func(t *test) {
		for _, r := range []guard.Relation{"", guard.SameEffect, guard.KeyConflict, guard.OverLimit} {
			_, err := t.store.Rivals(t.ctx, tenant, r, Digest("identity", 1), Digest("key", 1))
			t.code(err, guard.CodeInvalid)
		}
	}},
	{"one of them stands in the way of a claim, where the request asks for it", eachKind(func(t *test, k kind) {
		for i, state := range guard.States {
			e := t.brought(k.call(tenant, int64(i)), state)
			quiet, asking := k.call(tenant, int64(i)), k.asks(k.call(tenant, int64(i)))
			switch state {
			case guard.Failed, guard.Refused:
				t.won(asking)
			case guard.Done:
				t.same(t.stands(asking, k.relation, e.ID), e)
				t.clock.Move(Window)
				t.won(asking)
			default:
				t.same(t.stands(asking, k.relation, e.ID), e)
				t.won(quiet)
			}
		}
	})},
	{"unless Seen lists it with its present fence", eachKind(func(t *test, k kind) {
		e := t.settled(Outcome(t.won(k.call(tenant, 1)), guard.Unknown))
		seen := *PriorOf(e)
		first := t.won(k.asks(k.call(tenant, 1), seen))
		e = t.decided(Verdict(e, guard.EventResolved, guard.Done))
		r := k.asks(k.call(tenant, 1), seen, *PriorOf(first))
		t.stands(r, k.relation, e.ID)
		r.Seen[0] = guard.Prior{ID: e.ID, Fence: e.Fence} // of which only these count
		t.won(r)
	})},
	{"the newest that is not seen is returned", eachKind(func(t *test, k kind) {
		var e []guard.Effect
		for range 3 {
			e = append(e, t.won(k.call(tenant, 1)))
		}
		r := k.call(tenant, 1)
		t.same(t.stands(k.asks(r), k.relation, e[2].ID), e[2])
		t.stands(k.asks(r, *PriorOf(e[0])), k.relation, e[2].ID)
		t.stands(k.asks(r, *PriorOf(e[2])), k.relation, e[1].ID)
		t.stands(k.asks(r, *PriorOf(e[2]), *PriorOf(e[1])), k.relation, e[0].ID)
	})},
	{"an older unknown one behind a newer done one is found", eachKind(func(t *test, k kind) {
		unknown := t.settled(Outcome(t.won(k.call(tenant, 1)), guard.Unknown))
		done := t.settled(Outcome(t.won(k.call(tenant, 1)), guard.Done))
		t.rivals(k, k.call(tenant, 1), done, unknown)
		t.stands(k.asks(k.call(tenant, 1), *PriorOf(done)), k.relation, unknown.ID)
	})},
	{"no effect beyond the newest RivalMost stands in the way", eachKind(func(t *test, k kind) {
		var seen []guard.Prior
		for range guard.RivalMost + 1 {
			seen = append(seen, *PriorOf(t.won(k.call(tenant, 1))))
		}
		t.stands(k.asks(k.call(tenant, 1), seen[2:]...), k.relation, seen[1].ID)
		t.won(k.asks(k.call(tenant, 1), seen[1:]...))
	})},
	{"what has the same key is no rival", eachKind(func(t *test, k kind) {
		r := k.call(tenant, 1)
		failed := t.settled(Outcome(t.won(r), guard.Failed))
		t.won(k.asks(Again(r, failed)))
	})},
	{"a call that has nothing in common has no rivals, and none of another tenant", eachKind(func(t *test, k kind) {
		t.won(NewCall(tenant))
		t.won(k.asks(NewCall(tenant)))
		t.won(k.call(other, 1))
		t.won(k.asks(k.call(tenant, 1)))
	})},
	{"another scope comes before the same identity, and that before near wording", func(t *test) {
		rival := func(k kind) guard.Prior { return *PriorOf(t.won(k.call(tenant, 1))) }
		scope, identity, near := rival(kinds[0]), rival(kinds[1]), rival(kinds[2])
		r := kinds[0].call(tenant, 1)
		r.Effect.Identity, r.Effect.Near = Digest("identity", 1), Digest("near", 1)
		r.CheckScope, r.CheckIdentity, r.CheckNear = true, true, true
		t.stands(r, guard.OtherScope, scope.ID)
		r.Seen = []guard.Prior{scope}
		t.stands(r, guard.SameIdentity, identity.ID)
		r.Seen = []guard.Prior{scope, identity}
		t.stands(r, guard.NearEffect, near.ID)
		r.Seen = []guard.Prior{scope, identity, near}
		t.won(r)
	}},
}
