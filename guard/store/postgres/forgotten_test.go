package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestForgottenBetween stops a claim of the second generation between its look at the first one and its insert, and prunes meanwhile:
// the first one stays, because a claim that found neither would begin it anew beside the second.
func TestForgottenBetween(t *testing.T) {
	dsn := migrated.Postgres(t)
	clock := storetest.NewClock()
	claiming, other := openAt(t, dsn, postgres.Options{Now: clock.Now}), openAt(t, dsn, postgres.Options{Now: clock.Now})
	call := storetest.NewCall("acme")
	first, err := claiming.Claim(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	done, err := claiming.Settle(t.Context(), storetest.Outcome(first.Effect, guard.Done))
	if err != nil {
		t.Fatal(err)
	}
	clock.Move(10 * storetest.Window)

	gate := closeGate(t, dsn)
	second := make(chan guard.Claimed, 1)
	go func() {
		got, err := claiming.Claim(context.Background(), storetest.Next(call, done))
		if err != nil {
			t.Error(err)
		}
		second <- got
	}()
	for waiting := false; !waiting; { // until the claim stands before the gate
		query(t, dsn, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)", &waiting)
	}
	pruned, err := other.Prune(t.Context(), guard.Retention{Rows: time.Hour}, 10)
	if err != nil || pruned.Rows != 0 {
		t.Errorf("%+v, %v: a generation was forgotten that another one follows", pruned, err)
	}
	gate()
	if got := <-second; !got.Won || got.Effect.Generation != 2 {
		t.Fatalf("won %v, generation %d", got.Won, got.Effect.Generation)
	}
	if pruned, err := other.Prune(t.Context(), guard.Retention{Rows: time.Hour}, 10); err != nil || pruned.Rows != 1 {
		t.Errorf("%+v, %v: the first generation can be forgotten now", pruned, err)
	}
	anew := storetest.NewCall("acme")
	anew.Effect.Key = call.Effect.Key
	if got, err := other.Claim(t.Context(), anew); err != nil || got.Won {
		t.Errorf("a third claim: won %v, %v", got.Won, err)
	}
}

// closeGate stops all statements that insert effects, before they do, until the gate is opened.
func closeGate(t *testing.T, dsn string) (open func()) {
	t.Helper()
	execute(t, dsn, `CREATE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
		CREATE TRIGGER gate BEFORE INSERT ON onceguard.effects FOR EACH STATEMENT EXECUTE FUNCTION public.gate()`)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(42)"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
