package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestWatch settles effects in one store until another one that watches has heard of one, ends the connection on which it listens, and
// does it again: the watch goes on by itself.
func TestWatch(t *testing.T) {
	dsn := servertest.Postgres(t)
	s, other := openAt(t, dsn, postgres.Options{}), openAt(t, dsn, postgres.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan string, 4096), make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(tenant, id string) { heard <- tenant + " " + id }) }()
	for range 2 {
		settled := map[string]bool{}
		for met := false; !met; {
			got, err := other.Claim(t.Context(), storetest.NewCall("größe\x00"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done)); err != nil {
				t.Fatal(err)
			}
			settled[got.Effect.Tenant+" "+got.Effect.ID] = true
			for waiting := true; waiting; {
				select {
				case id := <-heard:
					met = met || settled[id]
				default:
					waiting = false
				}
			}
		}
		execute(t, dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()")
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
}
