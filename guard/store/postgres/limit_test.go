package postgres_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestLimitAmongReplicas claims under one limit through three stores with 64 callers each, while every third of those who won fails
// and gives back: what is left at the end is exactly the limit.
func TestLimitAmongReplicas(t *testing.T) {
	const stores, callers, most = 3, 64, 40
	dsn := servertest.Postgres(t)
	key := storetest.Digest("limit", 1)
	limited := func() guard.ClaimRequest {
		r := storetest.NewCall("acme")
		r.Limits = []guard.Limit{{Key: key, Amount: 1, Max: most, Period: guard.MaxPeriod}}
		return r
	}
	var wg sync.WaitGroup
	var won, failed atomic.Int64
	for range stores {
		s := openAt(t, dsn, postgres.Options{})
		for caller := range callers {
			wg.Go(func() {
				got, err := s.Claim(context.Background(), limited())
				if err != nil || !got.Won && got.Relation != guard.OverLimit {
					t.Errorf("claim: %+v, %v", got.Relation, err)
				}
				if !got.Won {
					return
				}
				won.Add(1)
				to := guard.Done
				if caller%3 == 0 {
					to = guard.Failed
					failed.Add(1)
				}
				if _, err := s.Settle(context.Background(), storetest.Outcome(got.Effect, to)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	s := openAt(t, dsn, postgres.Options{})
	for {
		got, err := s.Claim(t.Context(), limited())
		if err != nil {
			t.Fatal(err)
		}
		if !got.Won {
			break
		}
		won.Add(1)
	}
	if kept := won.Load() - failed.Load(); kept != most {
		t.Errorf("%d effects under a limit of %d", kept, most)
	}
	storetest.Check(t, s, "acme")
}
