package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Rounds of the races; each round is a fight over one effect of its own.
const (
	claimRounds = 100
	otherRounds = 25
	rivalsEach  = 64
)

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// race runs do n times at once.
func race(n int, do func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

// claimRace has 64 requests at once and expects one to win, which all the others then see as
// related to them.
func (t *test) claimRace(relation guard.Relation, request func(i int) guard.ClaimRequest) {
	t.Helper()
	requests := make([]guard.ClaimRequest, rivalsEach)
	for i := range requests {
		requests[i] = request(i)
	}
	answers := make([]guard.Claimed, rivalsEach)
	errs := make([]error, rivalsEach)
	race(rivalsEach, func(i int) { answers[i], errs[i] = t.store.Claim(t.ctx, requests[i]) })
	won := -1
	for i, a := range answers {
		if errs[i] != nil {
			t.Fatalf("claim %d: %v", i, errs[i])
		}
		if !a.Won {
			continue
		}
		if won >= 0 {
			t.Fatalf("claims %d and %d were both won", won, i)
		}
		won = i
	}
	if won < 0 {
		t.Fatal("no claim was won")
	}
	for i, a := range answers {
		if a.Effect.ID != answers[won].Effect.ID || a.Effect.Claim != answers[won].Effect.Claim || !a.Won && a.Relation != relation {
			t.Fatalf("claim %d was answered with %s by claim %s as %q; won was %s", i, a.Effect.ID, a.Effect.Claim, a.Relation, answers[won].Effect.ID)
		}
	}
}

var raceCases = []suiteCase{
	{"of any number of equal claims at once exactly one is won", func(t *test) {
		for range claimRounds {
			key := NewCall(tenant).Effect.Key
			t.claimRace(guard.SameEffect, func(int) guard.ClaimRequest {
				r := NewCall(tenant)
				r.Effect.Key = key
				return r
			})
		}
	}},
	{"of any number of next generations at once exactly one is won", func(t *test) {
		for range otherRounds {
			e, r := t.in(guard.Refused)
			t.claimRace(guard.SameEffect, func(int) guard.ClaimRequest { return Next(r, e) })
		}
	}},
	{"of any number of claims of Prior at once exactly one is won", func(t *test) {
		for range otherRounds {
			e, r := t.in(guard.Failed)
			t.claimRace(guard.SameEffect, func(int) guard.ClaimRequest { return Again(r, e) })
		}
	}},
	{"of any number of calls that are rivals of each other exactly one is won at once", eachKind(func(t *test, k kind) {
		for round := range otherRounds {
			seen := *PriorOf(t.won(k.call(tenant, int64(round)))) // which all know, but not of each other
			t.claimRace(k.relation, func(int) guard.ClaimRequest { return k.asks(k.call(tenant, int64(round)), seen) })
		}
	})},
	{"of any number of claims under keys that are aliases of each other exactly one is won", func(t *test) {
		for range otherRounds {
			a, b := NewCall(tenant).Effect.Key, NewCall(tenant).Effect.Key
			t.claimRace(guard.SameEffect, func(i int) guard.ClaimRequest {
				r := NewCall(tenant)
				if r.Effect.Key, r.Aliases = a, append(r.Aliases, b); i%2 == 0 {
					r.Effect.Key, r.Aliases[0] = b, a
				}
				return r
			})
		}
	}},
	{"a superseded effect begins anew once", func(t *test) {
		for range otherRounds {
			r := on(tenant, issued.Add(1))
			e := t.settled(Outcome(t.won(r), guard.Done))
			t.clock.Move(time.Second)
			again := on(tenant, 0)
			again.Effect.Resource = e.Resource
			t.settled(Outcome(t.won(again), guard.Done))
			t.claimRace(guard.SameEffect, func(int) guard.ClaimRequest { return Next(r, e) })
		}
	}},
	{"no call is claimed under the old key and under the new one while the book grows", func(t *test) {
		book := int64(0)
		for range otherRounds {
			from, to := NewCall(tenant).Effect.Key, NewCall(tenant).Effect.Key
			var won, grown atomic.Int64
			claim := func(key, alias fingerprint.Digest, book int64) {
				r := NewCall(tenant)
				r.Effect.Key, r.Book = key, book
				if !alias.IsZero() {
					r.Aliases = append(r.Aliases, alias)
				}
				got, err := t.store.Claim(t.ctx, r)
				switch code := guard.CodeOf(err); {
				case code != "" && code != guard.CodeOldBook:
					t.Error(err)
				case got.Won:
					won.Add(1)
				}
			}
			race(16, func(i int) {
				if i%2 == 0 { // knows only the old key, and that by the old book
					claim(from, fingerprint.Digest{}, book)
					return
				}
				e, err := t.store.Enter(t.ctx, edition("pay.*", string(to[:])))
				if err != nil {
					t.Error(err)
				}
				grown.Store(e.Number)
				claim(to, from, e.Number)
			})
			if won.Load() != 1 {
				t.Fatalf("%d claims of one call were won", won.Load())
			}
			if grown.Load() <= book {
				t.Fatalf("the book grew from %d to %d", book, grown.Load())
			}
			book = grown.Load()
		}
	}},
	{"of any number of entries onto one exactly one is made", func(t *test) {
		onto := int64(0)
		for range otherRounds {
			var made atomic.Int64
			race(16, func(i int) {
				e, err := t.store.Enter(t.ctx, guard.Entry{Kind: guard.EntryPolicy, Name: "pay.*", Text: []byte{byte(i)}, Onto: onto})
				if err == nil {
					made.Store(e.Number)
				} else if guard.CodeOf(err) != guard.CodeConflict {
					t.Error(err)
				}
			})
			if book, err := t.store.Book(t.ctx, onto); err != nil || len(book) != 1 || book[0].Number != made.Load() {
				t.Fatalf("onto entry %d came %+v, %v", onto, book, err)
			}
			onto = made.Load()
		}
	}},
	{"a settlement and a sweep agree on one history", func(t *test) {
		for range otherRounds {
			e, _ := t.in(guard.Pending)
			t.clock.Move(Lease)
			var settled, swept atomic.Int64
			race(8, func(i int) {
				if i%2 == 0 {
					if _, err := t.store.Settle(t.ctx, Outcome(e, guard.Done)); err == nil {
						settled.Add(1)
					}
				} else if effects, err := t.store.Sweep(t.ctx, 10); err == nil {
					swept.Add(int64(len(effects)))
				}
			})
			if got := t.get(e.ID); got.State != guard.Done || settled.Load() != 4 || swept.Load() > 1 || int64(got.Events) != 2+swept.Load() {
				t.Fatalf("%s after %d events, settled %d and swept %d times", got.State, got.Events, settled.Load(), swept.Load())
			}
		}
	}},
	{"a retry order, a resolution and a late answer exclude each other", func(t *test) {
		for range otherRounds {
			e, _ := t.in(guard.Unknown)
			var made atomic.Int64
			count := func(err error) {
				if err == nil {
					made.Add(1)
				} else if c := guard.CodeOf(err); c != guard.CodeStaleFence && c != guard.CodeConflict {
					t.Errorf("refused with %v", err)
				}
			}
			race(9, func(i int) {
				var err error
				switch i % 3 {
				case 0:
					_, err = t.store.Decide(t.ctx, Verdict(e, guard.EventOrdered, guard.Approved))
				case 1:
					_, err = t.store.Decide(t.ctx, Verdict(e, guard.EventResolved, guard.Failed))
				case 2:
					s := Outcome(e, guard.Done)
					s.Result.Status += i // no two say the same
					_, err = t.store.Settle(t.ctx, s)
				}
				count(err)
			})
			if made.Load() != 1 {
				t.Fatalf("%d of them were made", made.Load())
			}
		}
	}},
	{"what has been acknowledged is in every later read", func(t *test) {
		race(16, func(int) {
			for range 20 {
				got, err := t.store.Claim(t.ctx, NewCall(tenant))
				if err != nil {
					t.Error(err)
					return
				}
				if e, err := t.store.Get(t.ctx, tenant, got.Effect.ID); err != nil || e.State != guard.Pending {
					t.Errorf("claimed, then read as %q, %v", e.State, err)
				}
				if _, err := t.store.Settle(t.ctx, Outcome(got.Effect, guard.Done)); err != nil {
					t.Error(err)
				}
				if f, err := t.store.Lookup(t.ctx, got.Effect.Key); err != nil || f.Effect == nil || f.Effect.State != guard.Done {
					t.Errorf("settled, then looked up as %+v, %v", f.Effect, err)
				}
			}
		})
	}},
	{"a refusal disturbs no other write", func(t *test) {
		e, _ := t.in(guard.Done)
		race(64, func(i int) {
			var err error
			switch i % 4 {
			case 0:
				_, err = t.store.Settle(t.ctx, Outcome(e, guard.Failed))
				if guard.CodeOf(err) == guard.CodeConflict {
					err = nil
				}
			case 1:
				_, err = t.store.Extend(t.ctx, NewID(), 1, time.Second)
				if guard.CodeOf(err) == guard.CodeNotFound {
					err = nil
				}
			default:
				_, err = t.store.Claim(t.ctx, NewCall(tenant))
			}
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}},
}
