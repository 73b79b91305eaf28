package servertest

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// standbyName is how a standby names itself to its primary.
const standbyName = "onceguard_standby"

// Standby starts a copy of the server that follows it, and makes the server wait for the copy at each commit
// (synchronous_standby_names): what was acknowledged is on both. It returns when the copy follows.
func (s *PostgresServer) Standby(t testing.TB) *PostgresServer {
	t.Helper()
	b, err := newPostgres(s.programs, newFolder)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(func() { b.warden.end(t) })
	primary := fmt.Sprintf("host=%s port=%d user=%s application_name=%s", s.dir, s.port, superuser, standbyName)
	err = run(s.program("pg_basebackup"), "--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--wal-method=stream",
		"-d", primary, "-D", b.data())
	if err == nil {
		err = b.configure("hot_standby = on")
	}
	if err == nil {
		err = b.start()
	}
	if err != nil {
		t.Fatalf("servertest: standby: %v", err)
	}
	s.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = '"+standbyName+"'")
	s.Exec(t, "SELECT pg_reload_conf()")
	s.awaitSetting(t, "synchronous_standby_names", standbyName)
	// The first commit that waits for the copy returns when it follows.
	s.Exec(t, "CREATE TABLE standby_"+strconv.Itoa(b.port)+" ()")
	return b
}

// Promote makes a standby the primary. The former primary must be stopped first, and never started again.
func (s *PostgresServer) Promote(t testing.TB) {
	t.Helper()
	if err := run(s.program("pg_ctl"), "-D", s.data(), "-w", "promote"); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	s.Exec(t, "ALTER SYSTEM RESET synchronous_standby_names") // copied from the former primary, which is gone
	s.Exec(t, "SELECT pg_reload_conf()")
}

// awaitSetting returns when new sessions have a setting: after a reload it reaches them in the server's own time.
func (s *PostgresServer) awaitSetting(t testing.TB, name, want string) {
	t.Helper()
	for range 1000 {
		conn, err := pgx.Connect(t.Context(), s.DSN("postgres"))
		if err != nil {
			t.Fatalf("servertest: %v", err)
		}
		var got string
		err = errors.Join(conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got), conn.Close(t.Context()))
		if err != nil {
			t.Fatalf("servertest: %v", err)
		}
		if got == want {
			return
		}
	}
	t.Fatalf("servertest: %s never became %q", name, want)
}
