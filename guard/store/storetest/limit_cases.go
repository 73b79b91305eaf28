package storetest

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

var limitCases = []suiteCase{
	{"a claim is won while the amounts under Key, with its own, are at most Max", func(t *test) {
		for range 3 {
			t.won(limited(count(1, 3)))
		}
		t.overLimit(limited(count(1, 3)), 0, 0)
		t.won(limited(count(2, 3)))
		t.won(NewCall(tenant))
	}},
	{"amounts are summed up, and what is left is told", func(t *test) {
		sum := func(amount int64) guard.ClaimRequest {
			return limited(guard.Limit{Key: Digest("limit", 1), Amount: amount, Max: 100, Period: time.Hour})
		}
		t.won(sum(60))
		t.overLimit(sum(41), 0, 40)
		t.won(sum(30))
		t.overLimit(sum(11), 0, 10)
		t.won(sum(0))
		t.won(sum(10))
		t.overLimit(sum(1), 0, 0)
		t.won(sum(0))
	}},
	{"what is not won is not recorded, and uses nothing", func(t *test) {
		first := t.won(limited(count(1, 1)))
		for range 3 {
			r := limited(count(1, 1))
			t.overLimit(r, 0, 0)
			_, err := t.store.Get(t.ctx, tenant, r.Effect.ID)
			t.code(err, guard.CodeNotFound)
		}
		t.settled(Outcome(first, guard.Failed))
		t.won(limited(count(1, 1)))
	}},
	{"the first of Limits without room is named", func(t *test) {
		t.won(limited(count(2, 9), count(3, 9)))
		t.overLimit(limited(count(1, 9), count(2, 1), count(3, 1)), 1, 0)
		t.overLimit(limited(count(1, 9), count(3, 1), count(2, 1)), 1, 0)
		t.overLimit(limited(count(1, 9), count(2, 9), count(3, -5)), 2, 0)
		t.won(limited(count(1, 1))) // which none of them has used
	}},
	{"what was used Period ago or earlier does not count", func(t *test) {
		t.won(limited(count(1, 2)))
		t.clock.Move(time.Minute)
		t.won(limited(count(1, 2)))
		t.clock.Move(time.Hour - time.Minute - time.Microsecond)
		t.overLimit(limited(count(1, 2)), 0, 0)
		t.clock.Move(time.Microsecond)
		t.won(limited(count(1, 2)))
		t.overLimit(limited(count(1, 2)), 0, 0)
		t.clock.Move(time.Minute)
		t.won(limited(count(1, 2)))
	}},
	{"each claim looks back by its own Period", func(t *test) {
		long := count(1, 1)
		long.Period = guard.MaxPeriod
		t.won(limited(count(1, 1)))
		t.clock.Move(time.Hour)
		t.overLimit(limited(long), 0, 0)
		t.clock.Move(guard.MaxPeriod - time.Hour - time.Microsecond)
		t.overLimit(limited(long), 0, 0)
		t.clock.Move(time.Microsecond)
		t.won(limited(long))
	}},
	{"what turns out failed gives it back, and what then turns out done uses it again", func(t *test) {
		e := t.won(limited(count(1, 1)))
		e = t.settled(Outcome(e, guard.Failed))
		t.clock.Move(time.Minute)
		d := Verdict(e, guard.EventResolved, guard.Done)
		t.decided(d)
		t.overLimit(limited(count(1, 1)), 0, 0)
		t.clock.Move(time.Hour - time.Minute) // since the claim
		e = t.settled(Outcome(t.won(limited(count(1, 1))), guard.Unknown))
		t.overLimit(limited(count(1, 1)), 0, 0)
		t.decided(Verdict(e, guard.EventResolved, guard.Failed))
		t.won(limited(count(1, 1)))
	}},
	{"what is done, partial or unknown gives nothing back", func(t *test) {
		for i, state := range []guard.State{guard.Done, guard.Partial, guard.Unknown} {
			t.settled(Outcome(t.won(limited(count(int64(i), 1))), state))
			t.overLimit(limited(count(int64(i), 1)), 0, 0)
		}
		t.won(limited(count(9, 1)))
		t.clock.Move(Lease)
		t.swept(1)
		t.overLimit(limited(count(9, 1)), 0, 0)
	}},
	{"a failed effect that is claimed again uses it anew", func(t *test) {
		r := limited(count(1, 1))
		e := t.settled(Outcome(t.won(r), guard.Failed))
		between := t.won(limited(count(1, 1)))
		t.overLimit(Again(r, e), 0, 0)
		t.same(t.get(e.ID), e)
		t.settled(Outcome(between, guard.Failed))
		t.won(Again(r, e))
		t.overLimit(limited(count(1, 1)), 0, 0)
	}},
	{"an effect is counted once under a key, as of its latest claim with that key", func(t *test) {
		r := limited(count(1, 2))
		e := t.settled(Outcome(t.won(r), guard.Unknown))
		t.clock.Move(time.Minute)
		t.settled(Outcome(t.won(Again(r, e)), guard.Unknown)) // and not in its own way
		t.won(limited(count(1, 2)))
		t.overLimit(limited(count(1, 2)), 0, 0)
		t.clock.Move(time.Hour - time.Minute)
		t.overLimit(limited(count(1, 2)), 0, 0)
		t.clock.Move(time.Minute)
		t.won(limited(count(1, 2)))
	}},
	{"a claim without a key leaves what was used under it", func(t *test) {
		r := limited(count(1, 1))
		e := t.settled(Outcome(t.won(r), guard.Unknown))
		again := Again(r, e)
		again.Limits = nil
		t.won(again)
		t.overLimit(limited(count(1, 1)), 0, 0)
	}},
	{"limits with one Key and other periods count it once", func(t *test) {
		hour, day := count(1, 1), count(1, 2)
		day.Period = 24 * time.Hour
		t.won(limited(hour, day))
		t.overLimit(limited(hour, day), 0, 0)
		t.clock.Move(time.Hour)
		t.won(limited(hour, day))
		t.clock.Move(time.Hour)
		t.overLimit(limited(hour, day), 1, 0)
		day.Amount = 2
		_, err := t.store.Claim(t.ctx, limited(hour, day))
		t.code(err, guard.CodeInvalid)
	}},
	{"a call that is held or refused uses nothing, and is bounded by nothing", func(t *test) {
		t.won(limited(count(1, 1)))
		t.won(Parked(limited(count(1, 1))))
		t.won(Denied(limited(count(1, 1))))
		held := t.won(Parked(limited(count(2, 1))))
		t.won(limited(count(2, 1)))
		approved := t.decided(Verdict(held, guard.EventApproved, guard.Approved))
		again := NewCall(tenant)
		again.Effect.Key, again.Limits = held.Key, []guard.Limit{count(2, 1)}
		t.overLimit(Again(again, approved), 0, 0)
		again.Limits = nil
		t.won(Again(again, approved))
	}},
	{"limits are checked last of all", func(t *test) {
		t.won(limited(count(1, 1)))
		e := t.won(keyed(tenant, 1))
		full := func(r guard.ClaimRequest) guard.ClaimRequest {
			r.Limits = []guard.Limit{count(1, 1)}
			return r
		}
		same := NewCall(tenant)
		same.Effect.Key = e.Key
		t.stands(full(same), guard.SameEffect, e.ID)
		t.stands(full(keyed(tenant, 1)), guard.KeyConflict, e.ID)
		t.stands(full(known(NewCall(tenant), e.Key)), guard.SameEffect, e.ID)
		for _, k := range kinds {
			rival := t.won(k.call(tenant, 1))
			t.stands(full(k.asks(k.call(tenant, 1))), k.relation, rival.ID)
		}
		done, r := t.in(guard.Done)
		_, err := t.store.Claim(t.ctx, full(Next(r, done)))
		t.refused(err, guard.CodeConflict, done)
		t.clock.Move(Window)
		limit := count(1, 1)
		limit.Period = guard.MaxPeriod
		next := Next(r, done)
		next.Limits = []guard.Limit{limit}
		t.overLimit(next, 0, 0)
	}},
	{"amounts are whole numbers of any size", func(t *test) {
		for n, amount := range []int64{1, math.MaxInt64 / 2, math.MaxInt64} {
			limit := guard.Limit{Key: Digest("limit", int64(n)), Amount: amount, Max: math.MaxInt64, Period: time.Hour}
			t.won(limited(limit))
			t.clock.Move(time.Hour)
			t.won(limited(limit))
			t.clock.Move(time.Hour)
			t.won(limited(limit))
			limit.Period = guard.MaxPeriod // together more than a number holds
			if limit.Amount = 1 << 53; n == 0 {
				t.won(limited(limit))
				limit.Amount = math.MaxInt64
				t.overLimit(limited(limit), 0, math.MaxInt64-3-1<<53)
			} else {
				t.overLimit(limited(limit), 0, 0)
			}
		}
	}},
	{"a limit that makes no sense is refused", func(t *test) {
		many := make([]guard.Limit, guard.MaxLimits+1)
		for i := range many {
			many[i] = count(int64(i), 1)
		}
		t.won(limited(many[:guard.MaxLimits]...))
		spoiled := func(spoil func(*guard.Limit)) []guard.Limit {
			l := count(99, 1)
			spoil(&l)
			return []guard.Limit{l}
		}
		for name, limits := range map[string][]guard.Limit{
			"number": many,
			"key":    spoiled(func(l *guard.Limit) { l.Key = fingerprint.Digest{} }),
			"amount": spoiled(func(l *guard.Limit) { l.Amount = -1 }),
			"period": spoiled(func(l *guard.Limit) { l.Period = 0 }),
			"length": spoiled(func(l *guard.Limit) { l.Period = guard.MaxPeriod + 1 }),
		} {
			if _, err := t.store.Claim(t.ctx, limited(limits...)); guard.CodeOf(err) != guard.CodeInvalid {
				t.Errorf("without a good %s: %v", name, err)
			}
		}
	}},
	{"no number of claims at once passes a limit together", func(t *test) {
		const most = 10
		for round := range otherRounds {
			var won, over atomic.Int64
			race(rivalsEach, func(int) {
				got, err := t.store.Claim(t.ctx, limited(count(int64(round), most)))
				switch {
				case err != nil:
					t.Error(err)
				case got.Won:
					won.Add(1)
				case got.Relation == guard.OverLimit && got.Left == 0:
					over.Add(1)
				}
			})
			if won.Load() != most || over.Load() != rivalsEach-most {
				t.Fatalf("%d claims were won and %d told of a limit of %d", won.Load(), over.Load(), most)
			}
		}
	}},
	{"nor while failures give back and claims are made again", func(t *test) {
		const most = 4
		for round := range otherRounds {
			limit := count(int64(round), most)
			var failed atomic.Int64
			race(16, func(i int) {
				r := limited(limit)
				got, err := t.store.Claim(t.ctx, r)
				if err != nil || !got.Won || i%2 == 0 {
					return
				}
				e, err := t.store.Settle(t.ctx, Outcome(got.Effect, guard.Failed))
				if err != nil {
					t.Error(err)
					return
				}
				failed.Add(1)
				if got, err = t.store.Claim(t.ctx, Again(r, e)); err != nil {
					t.Error(err)
				} else if got.Won {
					failed.Add(-1)
				}
			})
			used := 0
			effects, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, States: []guard.State{guard.Pending}, Limit: 500})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range effects {
				used++
				t.settled(Outcome(e, guard.Done))
			}
			if used > most || failed.Load() == 0 && used != most {
				t.Fatalf("%d effects have used a limit of %d, and %d failed", used, most, failed.Load())
			}
		}
	}},
}

// count returns the limit of at most so many effects an hour under a key that belongs to n.
func count(n, most int64) guard.Limit {
	return guard.Limit{Key: Digest("limit", n), Amount: 1, Max: most, Period: time.Hour}
}

// limited returns a request for a new effect under limits.
func limited(limits ...guard.Limit) guard.ClaimRequest {
	r := NewCall(tenant)
	r.Limits = limits
	return r
}

// overLimit claims and expects a limit to have no room.
func (t *test) overLimit(r guard.ClaimRequest, limit int, left int64) {
	t.Helper()
	got, err := t.store.Claim(t.ctx, r)
	if err != nil || got.Won || got.Relation != guard.OverLimit || got.Limit != limit || got.Left != left || got.Effect.ID != "" || got.Now.IsZero() {
		t.Fatalf("claim: won %v, relation %q, limit %d, left %d, effect %q, error %v; want limit %d without room, %d left",
			got.Won, got.Relation, got.Limit, got.Left, got.Effect.ID, err, limit, left)
	}
}
