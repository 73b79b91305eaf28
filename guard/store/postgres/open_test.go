package postgres_test

import (
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// refused opens a ledger and expects a sentence.
func refused(t *testing.T, dsn string, o postgres.Options, want string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, o)
	if err == nil {
		s.Close()
		t.Fatalf("it was opened; want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %q", err, want)
	}
}

func TestOpenRefusesServersThatLose(t *testing.T) {
	dsn := servertest.Postgres(t)
	for setting, want := range map[string]string{
		"synchronous_commit=off":                     "synchronous_commit off",
		"synchronous_commit=local":                   "synchronous_commit local",
		"default_transaction_isolation=serializable": "READ COMMITTED",
	} {
		name, value, _ := strings.Cut(setting, "=")
		refused(t, dsn+"&"+url.Values{name: {value}}.Encode(), postgres.Options{}, want)
	}
	server := servertest.StartPostgres(t, "fsync = off")
	refused(t, server.DSN("postgres"), postgres.Options{}, "fsync off")
}

// TestServerChanges restarts a server under an open store with settings that would lose effects.
func TestServerChanges(t *testing.T) {
	server := servertest.StartPostgres(t)
	s := openAt(t, server.DSN("postgres"), postgres.Options{})
	server.Exec(t, "ALTER SYSTEM SET full_page_writes = off")
	server.Stop(t)
	server.Start(t)
	for range 10 { // as many connections as there may have been before
		if _, err := s.Claim(t.Context(), storetest.NewCall("acme")); err == nil {
			t.Fatal("a claim was made on a server that could lose it")
		}
	}
}

func TestMigrations(t *testing.T) {
	dsn := servertest.Postgres(t)
	before, err := postgres.Status(t.Context(), dsn)
	if err != nil || len(before) == 0 || !before[0].Applied.IsZero() {
		t.Fatalf("status of an empty database: %+v, %v", before, err)
	}
	refused(t, dsn, postgres.Options{NoMigrate: true}, "onceguard migrate up")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := postgres.Migrate(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	after, err := postgres.Status(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range after {
		if time.Since(m.Applied) > time.Hour {
			t.Errorf("%+v is not applied", m)
		}
	}
	openAt(t, dsn, postgres.Options{NoMigrate: true})

	execute(t, dsn, "INSERT INTO onceguard.migrations VALUES (6, '6_later', 1, sha256('later'), now())")
	openAt(t, dsn, postgres.Options{}) // it says that this program can still use the ledger
	execute(t, dsn, "UPDATE onceguard.migrations SET oldest = 6 WHERE number = 6")
	refused(t, dsn, postgres.Options{}, "run the newer program")
	execute(t, dsn, "DELETE FROM onceguard.migrations WHERE number = 6")
	execute(t, dsn, "UPDATE onceguard.migrations SET checksum = sha256('other') WHERE number = 2")
	refused(t, dsn, postgres.Options{}, "2_records")
}

// TestRoles runs the script of the roles as the manual says, and asks the application's role to change history.
func TestRoles(t *testing.T) {
	server := servertest.StartPostgres(t) // roles belong to a server, not to a database
	admin := server.DSN("postgres")
	script, err := os.ReadFile("roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	as := func(role string) string { return strings.Replace(admin, "user=postgres", "user="+role, 1) }
	execute(t, admin, string(script))
	if err := postgres.Migrate(t.Context(), as("onceguard_owner")); err != nil {
		t.Fatal(err)
	}
	execute(t, admin, string(script))
	s := openAt(t, as("onceguard_application"), postgres.Options{NoMigrate: true})
	if err := cycle(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(t.Context(), [32]byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Text: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	key := guard.Credential{ID: "k", Hash: [32]byte{7}, Principal: guard.Principal{Tenant: "t", Role: guard.RoleAgent}}
	if err := s.AddCredential(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeCredential(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), guard.Retention{Bodies: time.Microsecond, Rows: time.Microsecond}, 10); err != nil {
		t.Fatal(err)
	}
	if n := len(storetest.Check(t, s, "t")); n != 1 {
		t.Fatalf("%d effects; one whose window lasts is kept", n)
	}
	for _, statement := range []string{
		"SELECT onceguard.prune('2100-01-01', 0, 0, 10)", "SELECT onceguard.prune_spans(now(), now(), TRUE, 10)",
		"SELECT set_config('onceguard.pruning', 'on', FALSE); DELETE FROM onceguard.events",
		"UPDATE onceguard.events SET note = 'x'", "DELETE FROM onceguard.events", "TRUNCATE onceguard.events",
		"DELETE FROM onceguard.effects", "TRUNCATE onceguard.effects", "DROP TABLE onceguard.events",
		"ALTER TABLE onceguard.events DISABLE TRIGGER ALL", "UPDATE onceguard.book SET name = 'x'",
		"UPDATE onceguard.credentials SET role = 'admin'", "DELETE FROM onceguard.migrations",
	} {
		if err := try(t, as("onceguard_application"), statement); err == nil || !strings.Contains(err.Error(), "permission denied") &&
			!strings.Contains(err.Error(), "must be owner") && !strings.Contains(err.Error(), "only the owner") {
			t.Errorf("the application's role: %s: %v", statement, err)
		}
	}
	for _, statement := range []string{
		"UPDATE onceguard.events SET note = 'x'", "DELETE FROM onceguard.events", "TRUNCATE onceguard.events", "DELETE FROM onceguard.effects",
		"TRUNCATE onceguard.effects", "DELETE FROM onceguard.book",
	} {
		if err := try(t, as("onceguard_owner"), statement); err == nil || !strings.Contains(err.Error(), "only ever appended") {
			t.Errorf("the owner: %s: %v", statement, err)
		}
	}
	for _, statement := range []string{
		"UPDATE onceguard.effects SET state = 'sent'", "UPDATE onceguard.effects SET fence = 0", "UPDATE onceguard.effects SET window_until = NULL",
	} {
		if err := try(t, as("onceguard_application"), statement); err == nil || !strings.Contains(err.Error(), "check constraint") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
