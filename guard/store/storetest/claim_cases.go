package storetest

import (
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var claimCases = []suiteCase{
	{"with Prior nil it makes generation 1", func(t *test) {
		r := NewCall(tenant)
		r.Effect.Identity, r.Effect.CallerKey = Digest("identity", 1), Digest("caller", 1)
		r.Effect.About, r.Effect.Related = "order A-1", NewID()
		r.Effect.Near, r.Effect.Resource = Digest("near", 1), Digest("resource", 1)
		r.Effect.Code, r.Effect.Reason, r.Effect.Review = "allowed", "a rule allows it", "look"
		now := t.clock.Now()
		want := r.Effect
		want.Generation, want.Fence, want.Attempts, want.Events = 1, 1, 1, 1
		want.Created, want.Updated, want.Since, want.LeaseUntil = now, now, now, now.Add(Lease)
		got := t.won(r)
		want.Head = got.Head
		t.same(got, want)
		t.same(t.get(got.ID), want)
	}},
	{"unless an effect under the key exists", func(t *test) {
		for _, state := range guard.States {
			e, r := t.in(state)
			again := NewCall(tenant)
			again.Effect.Key = r.Effect.Key
			t.same(t.stands(again, guard.SameEffect, e.ID), e)
			t.same(t.get(e.ID), e)
			_, err := t.store.Get(t.ctx, tenant, again.Effect.ID)
			t.code(err, guard.CodeNotFound)
		}
	}},
	{"a held call waits until its expiry", func(t *test) {
		e := t.won(Parked(NewCall(tenant)))
		if e.State != guard.Held || !e.ExpiresAt.Equal(t.clock.Now().Add(Expiry)) || e.Attempts != 0 || e.Claim != "" || e.Review != "rule" {
			t.Fatalf("held as %+v", e)
		}
	}},
	{"a refused call has no claim and no window", func(t *test) {
		e := t.won(Denied(NewCall(tenant)))
		if e.State != guard.Refused || e.Attempts != 0 || e.Claim != "" || !e.WindowUntil.IsZero() || e.Fence != 1 {
			t.Fatalf("refused as %+v", e)
		}
	}},
	{"the first event holds the exact arguments, the actor and the reason", func(t *test) {
		r := NewCall(tenant)
		r.Effect.Reason = "a rule allows it"
		r.Effect.Arguments = []byte("{ \"a\" :\t1.0e0,\"é\":\"\\u0000\" }")
		e := t.won(r)
		ev := t.events(e.ID)[0]
		if ev.Kind != guard.EventClaimed || string(ev.Arguments) != string(r.Effect.Arguments) || ev.Actor != r.Actor ||
			ev.Note != r.Effect.Reason || ev.Claim != r.Effect.Claim || !ev.At.Equal(t.clock.Now()) {
			t.Fatalf("the event is %+v", ev)
		}
	}},
	{"a duration that is not positive is refused where a lease is due", func(t *test) {
		for _, d := range []time.Duration{0, -1, -time.Hour} {
			r := NewCall(tenant)
			r.Lease = d
			_, err := t.store.Claim(t.ctx, r)
			t.code(err, guard.CodeInvalid)
			r = Parked(NewCall(tenant))
			r.Expiry = d
			_, err = t.store.Claim(t.ctx, r)
			t.code(err, guard.CodeInvalid)
		}
		r := NewCall(tenant)
		r.Effect.Window = -1
		_, err := t.store.Claim(t.ctx, r)
		t.code(err, guard.CodeInvalid)
	}},
	{"the longest durations are kept", func(t *test) {
		r := NewCall(tenant)
		r.Lease, r.Effect.Window = 1<<63-1, 1<<63-1
		e := t.won(r)
		if e.LeaseUntil.Before(t.clock.Now().AddDate(200, 0, 0)) {
			t.Fatalf("a lease of 292 years ends at %v", e.LeaseUntil)
		}
		e = t.settled(Outcome(e, guard.Done))
		if e.WindowUntil.Before(t.clock.Now().AddDate(200, 0, 0)) || t.get(e.ID).Window != r.Effect.Window {
			t.Fatalf("a window of %v ends at %v", e.Window, e.WindowUntil)
		}
	}},
	{"a request that misses what it needs is refused", func(t *test) {
		for name, spoil := range map[string]func(*guard.ClaimRequest){
			"tenant": func(r *guard.ClaimRequest) { r.Effect.Tenant = "" },
			"key":    func(r *guard.ClaimRequest) { r.Effect.Key = [32]byte{} },
			"id":     func(r *guard.ClaimRequest) { r.Effect.ID = "" },
			"claim":  func(r *guard.ClaimRequest) { r.Effect.Claim = "" },
			"state":  func(r *guard.ClaimRequest) { r.Effect.State = guard.Done },
			"prior":  func(r *guard.ClaimRequest) { r.Again = true },
			"about":  func(r *guard.ClaimRequest) { r.Effect.About = strings.Repeat("a", guard.MaxAbout+1) },
		} {
			r := NewCall(tenant)
			spoil(&r)
			if _, err := t.store.Claim(t.ctx, r); guard.CodeOf(err) != guard.CodeInvalid {
				t.Errorf("without a good %s: %v", name, err)
			}
		}
	}},
	{"an id is used once", func(t *test) {
		e, _ := t.in(guard.Pending)
		r := NewCall(tenant)
		r.Effect.ID = e.ID
		_, err := t.store.Claim(t.ctx, r)
		t.code(err, guard.CodeConflict)
		t.same(t.get(e.ID), e)
	}},
	{"a key of another tenant shows nothing", func(t *test) {
		e, r := t.in(guard.Done)
		theirs := NewCall(other)
		theirs.Effect.Key = r.Effect.Key
		got, err := t.store.Claim(t.ctx, theirs)
		t.code(err, guard.CodeInternal)
		if got.Won || got.Effect.ID != "" {
			t.Fatalf("another tenant was shown %+v", got)
		}
		t.same(t.get(e.ID), e)
	}},
}
