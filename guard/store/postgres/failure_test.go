package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestCorrupt changes recorded bytes behind the store's back: nothing is answered from them, and nothing is claimed over them.
func TestCorrupt(t *testing.T) {
	for name, change := range map[string]string{
		"result":    "UPDATE onceguard.events SET body = 'twice' WHERE seq = 2",
		"arguments": "UPDATE onceguard.events SET arguments = '{}' WHERE seq = 1",
		"actor":     "UPDATE onceguard.events SET actor_name = 'mallory' WHERE seq = 2",
		"state":     "UPDATE onceguard.effects SET state = 'failed', failures = attempts",
		"head":      "UPDATE onceguard.effects SET head = sha256('')",
		"missing":   "DELETE FROM onceguard.events WHERE seq = 2",
		"first":     "DELETE FROM onceguard.events WHERE seq = 1",
		"forgotten": "UPDATE onceguard.effects SET result_seq = 1",
	} {
		t.Run(name, func(t *testing.T) {
			dsn := migrated.Postgres(t)
			s := openAt(t, dsn, postgres.Options{})
			call := storetest.NewCall("acme")
			got, err := s.Claim(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done)); err != nil {
				t.Fatal(err)
			}
			execute(t, dsn, "ALTER TABLE onceguard.events DISABLE TRIGGER ALL")
			execute(t, dsn, change)
			again := storetest.NewCall("acme")
			again.Effect.Key = call.Effect.Key
			_, lookup := s.Lookup(t.Context(), call.Effect.Key)
			_, get := s.Get(t.Context(), "acme", call.Effect.ID)
			_, claim := s.Claim(t.Context(), again)
			verbs := map[string]error{"lookup": lookup, "get": get, "claim": claim}
			if name != "forgotten" { // the events themselves are sound
				_, verbs["events"] = s.Events(t.Context(), "acme", call.Effect.ID)
			}
			for verb, err := range verbs {
				if guard.CodeOf(err) != guard.CodeCorrupt {
					t.Errorf("%s gave %v, want CodeCorrupt", verb, err)
				}
			}
			if _, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
				t.Errorf("another effect cannot be claimed: %v", err)
			}
		})
	}
}

// TestAnyBytes records texts that PostgreSQL cannot hold, exactly.
func TestAnyBytes(t *testing.T) {
	s := openAt(t, servertest.Postgres(t), postgres.Options{})
	for _, text := range []string{"a\x00b", "\xff\xfe", "\x01hex:00", "größe", ""} {
		call := storetest.NewCall("acme")
		call.Effect.Run, call.Effect.CallID, call.Effect.Reason = text, text, text
		got, err := s.Claim(t.Context(), call)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		o := storetest.Outcome(got.Effect, guard.Done)
		o.Result.ContentType, o.Reason = text, text
		done, err := s.Settle(t.Context(), o)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		read, err := s.Get(t.Context(), "acme", call.Effect.ID)
		if d := storetest.Difference(read, done); err != nil || d != "" || read.Run != text || read.Result.ContentType != text {
			t.Errorf("%q came back as %+v, %v, %s", text, read, err, d)
		}
	}
	storetest.Check(t, s, "acme")
}

// TestLockedRow holds an effect's row from outside: the settlement waits for it and is then derived anew from what it has become.
func TestLockedRow(t *testing.T) {
	dsn := servertest.Postgres(t)
	s, other := openAt(t, dsn, postgres.Options{}), openAt(t, dsn, postgres.Options{})
	got, err := s.Claim(t.Context(), storetest.NewCall("acme"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM onceguard.effects FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	settled, noted := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done))
		settled <- err
	}()
	go func() {
		noted <- other.Note(t.Context(), []guard.Note{{Tenant: "acme", ID: got.Effect.ID, Code: "repeat", Count: 2}})
	}()
	awaitWaiters(t, dsn, 2)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []chan error{settled, noted} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
	effects := storetest.Check(t, s, "acme")
	if len(effects) != 1 || effects[0].State != guard.Done || effects[0].Events != 3 {
		t.Errorf("%+v", effects)
	}
}

// awaitWaiters returns when n statements wait for a lock.
func awaitWaiters(t *testing.T, dsn string, n int) {
	t.Helper()
	for waiting := 0; waiting < n; {
		query(t, dsn, "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted", &waiting)
	}
}
