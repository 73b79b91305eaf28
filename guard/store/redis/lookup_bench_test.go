package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// BenchmarkLookup looks one effect up, in PostgreSQL alone and with its bytes in Redis:
//
//	go test ./guard/store/redis -run '^$' -bench Lookup -benchtime 2000x
func BenchmarkLookup(b *testing.B) {
	l := openPostgres(b, servertest.Postgres(b), nil)
	s, err := redis.TestingOnlyNewStill(l, redis.Options{Address: servertest.StartRedis(b).Address(), Key: key, Patience: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	closing(b, s)
	if err := s.TestingOnlyConnect(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{1 << 10, 256 << 10} {
		c, err := s.Claim(b.Context(), storetest.NewCall(tenant))
		if err != nil {
			b.Fatal(err)
		}
		out := storetest.Outcome(c.Effect, guard.Done)
		out.Result.Body = []byte(strings.Repeat("0123456789abcdef", size/16))
		if _, err := s.Settle(b.Context(), out); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Lookup(b.Context(), c.Effect.Key); err != nil {
			b.Fatal(err)
		}
		s.TestingOnlyFill(b.Context())
		for _, callers := range []int{1, 32} {
			for _, from := range []struct {
				name  string
				store guard.Store
			}{{"PostgreSQL", l}, {"Redis", s}} {
				b.Run(fmt.Sprintf("%dkB/%dcallers/%s", size>>10, callers, from.name), func(b *testing.B) {
					var all sync.WaitGroup
					for range callers {
						all.Go(func() {
							for range b.N / callers {
								if _, err := from.store.Lookup(b.Context(), c.Effect.Key); err != nil {
									b.Error(err)
								}
							}
						})
					}
					all.Wait()
				})
			}
		}
	}
}
