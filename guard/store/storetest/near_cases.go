package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var nearCases = []suiteCase{
	{"Nearby returns the effects that still answer: open, or done within their window", func(t *test) {
		for i, state := range guard.States {
			e := t.brought(worded(tenant, int64(i)), state)
			r := worded(tenant, int64(i))
			answers := state != guard.Failed && state != guard.Refused
			if answers {
				t.near(r, e)
			} else {
				t.near(r)
			}
			t.clock.Move(Window)
			if answers && state != guard.Done {
				t.near(r, e)
			} else {
				t.near(r)
			}
		}
	}},
	{"under another key", func(t *test) {
		r := worded(tenant, 1)
		own := t.settled(Outcome(t.won(r), guard.Done))
		another := t.won(worded(tenant, 1))
		next := Next(r, own)
		next.Order = true
		newest := t.won(next)
		t.near(r, another)
		r.Effect.Key = another.Key
		t.near(r, newest, own)
	}},
	{"newest first and with their arguments", func(t *test) {
		var want []guard.Effect
		for range 5 {
			want = append([]guard.Effect{t.settled(Outcome(t.won(worded(tenant, 1)), guard.Done))}, want...)
			t.clock.Move(-time.Second)
		}
		t.near(worded(tenant, 1), want...)
	}},
	{"the newest NearMost of a tenant with this Near digest", func(t *test) {
		t.won(worded(other, 1))
		t.won(worded(tenant, 2))
		t.won(NewCall(tenant))
		var want []guard.Effect
		for range guard.NearMost + 3 {
			want = append([]guard.Effect{t.won(worded(tenant, 1))}, want...)
			t.won(Denied(worded(tenant, 1)))
		}
		t.near(worded(tenant, 1), want[:guard.NearMost]...)
		t.near(NewCall(tenant)) // no digest is near to nothing
	}},
	{"so does one of those that Nearby would return, where the request asks for it", func(t *test) {
		rivals(t, guard.NearEffect, func(r *guard.ClaimRequest, n int64, ask bool) {
			r.Effect.Near, r.CheckNear = Digest("near", n), ask
		})
	}},
	{"unless Seen lists it with its present fence", func(t *test) {
		e := t.won(worded(tenant, 1))
		e = t.settled(Outcome(e, guard.Unknown))
		seen := *PriorOf(e)
		r := asking(worded(tenant, 1), seen)
		t.won(r)
		e = t.decided(Verdict(e, guard.EventResolved, guard.Done))
		r = asking(worded(tenant, 1), seen, *PriorOf(t.get(r.Effect.ID)))
		t.stands(r, guard.NearEffect, e.ID)
		r.Seen[0] = guard.Prior{ID: e.ID, Fence: e.Fence} // of which only these count
		t.won(r)
	}},
	{"the newest that is not seen is returned", func(t *test) {
		var e []guard.Effect
		for range 3 {
			e = append(e, t.won(worded(tenant, 1)))
		}
		t.same(t.stands(asking(worded(tenant, 1)), guard.NearEffect, e[2].ID), e[2])
		t.stands(asking(worded(tenant, 1), *PriorOf(e[0])), guard.NearEffect, e[2].ID)
		t.stands(asking(worded(tenant, 1), *PriorOf(e[2])), guard.NearEffect, e[1].ID)
		t.stands(asking(worded(tenant, 1), *PriorOf(e[2]), *PriorOf(e[1])), guard.NearEffect, e[0].ID)
	}},
	{"no effect beyond the newest NearMost stands in the way", func(t *test) {
		var seen []guard.Prior
		for range guard.NearMost + 1 {
			seen = append(seen, *PriorOf(t.won(worded(tenant, 1))))
		}
		oldest := seen[1]
		t.stands(asking(worded(tenant, 1), seen[2:]...), guard.NearEffect, oldest.ID)
		t.won(asking(worded(tenant, 1), seen[1:]...))
	}},
	{"what has the same key is not near to it", func(t *test) {
		r := worded(tenant, 1)
		failed := t.settled(Outcome(t.won(r), guard.Failed))
		again := Again(r, failed)
		again.CheckNear = true
		t.won(again)
	}},
	{"a call without a Near digest is near to nothing, nor is another tenant's", func(t *test) {
		t.won(NewCall(tenant))
		t.won(asking(NewCall(tenant)))
		t.won(worded(other, 1))
		t.won(asking(worded(tenant, 1)))
	}},
}

// worded returns a request for a new effect that differs from others with the same n in wording only.
func worded(tenant string, n int64) guard.ClaimRequest {
	r := NewCall(tenant)
	r.Effect.Near = Digest("near", n)
	return r
}

// asking turns a request into one that minds what is near and not among seen.
func asking(r guard.ClaimRequest, seen ...guard.Prior) guard.ClaimRequest {
	r.CheckNear, r.Seen = true, seen
	return r
}

// near expects what Nearby returns for a request.
func (t *test) near(r guard.ClaimRequest, want ...guard.Effect) {
	t.Helper()
	got, err := t.store.Nearby(t.ctx, r.Effect.Tenant, r.Effect.Near, r.Effect.Key)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d effects are near, error %v; want %d", len(got), err, len(want))
	}
	for i := range got {
		t.same(got[i], want[i])
		t.same(got[i], t.get(got[i].ID))
	}
}
