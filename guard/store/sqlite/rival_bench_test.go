package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// BenchmarkNear is what the guard does for a call whose wording is compared: it reads what is near, and claims having seen
// that. What came and went must cost nothing; what still answers is what the question is about.
func BenchmarkNear(b *testing.B) {
	const past, present = 10_000, 1_000
	for _, c := range []struct{ past, present int }{{0, 0}, {past, 0}, {0, present}} {
		b.Run(fmt.Sprintf("past=%d/present=%d", c.past, c.present), func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close() })
			call := func() guard.ClaimRequest {
				r := storetest.NewCall("acme")
				r.Effect.Near = storetest.Digest("near", 1)
				return r
			}
			fill := func(n int, r func() guard.ClaimRequest) {
				err := storetest.Each(64, n, func() error {
					got, err := s.Claim(b.Context(), r())
					if err == nil {
						_, err = s.Settle(b.Context(), storetest.Outcome(got.Effect, guard.Done))
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			fill(c.present, call)
			fill(c.past, func() guard.ClaimRequest {
				r := call()
				r.Effect.Window = 0
				return r
			})
			b.Run("rivals", func(b *testing.B) {
				for b.Loop() {
					r := call()
					if _, err := s.Rivals(b.Context(), "acme", guard.NearEffect, r.Effect.Near, r.Effect.Key); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("claim", func(b *testing.B) {
				r := call()
				r.CheckNear = true
				near, err := s.Rivals(b.Context(), "acme", guard.NearEffect, r.Effect.Near, r.Effect.Key)
				if err != nil {
					b.Fatal(err)
				}
				for _, e := range near {
					r.Seen = append(r.Seen, *storetest.PriorOf(e))
				}
				// A refused call is near to nobody, so that each claim meets the same.
				for b.Loop() {
					fresh := storetest.Denied(call())
					fresh.CheckNear, fresh.Seen = true, r.Seen
					if got, err := s.Claim(b.Context(), fresh); err != nil || !got.Won {
						b.Fatalf("won %v, %v", got.Won, err)
					}
				}
			})
		})
	}
}
