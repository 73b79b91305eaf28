package servertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pooler is PgBouncer, which Debian keeps out of the PATH of ordinary users.
	pooler = "pgbouncer"
	// poolerPatience is how long it may take to begin.
	poolerPatience = 10 * time.Second
)

// Pooler starts PgBouncer in transaction mode before the server, with two sessions for each database, and returns the address of a
// database through it. It ends with the test.
func (s *PostgresServer) Pooler(t testing.TB, database string) (dsn string) {
	t.Helper()
	program, err := exec.LookPath(pooler)
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/" + pooler)
	}
	if err != nil {
		missing(t, pooler, pooler)
	}
	dir, err := newFolder()
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	pid := filepath.Join(dir, "pid")
	err = os.WriteFile(config, []byte(strings.Join([]string{
		"[databases]",
		fmt.Sprintf("* = host=%s port=%d user=%s", s.dir, s.port, superuser),
		"[pgbouncer]",
		"pool_mode = transaction", "default_pool_size = 2", "auth_type = any",
		"unix_socket_dir = " + dir, "listen_port = " + strconv.Itoa(port),
		"logfile = " + filepath.Join(dir, "log"), "pidfile = " + pid,
	}, "\n")+"\n"), 0o644)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	w, err := watch(`kill "$(cat "$1")"; rm -rf "$2"`, pid, dir)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(func() { w.end(t) })
	if err := run(program, "-d", "-q", config); err != nil {
		said, _ := os.ReadFile(filepath.Join(dir, "log")) // the error itself is the one that counts
		t.Fatalf("servertest: %v\n%s", err, said)
	}
	q := url.Values{"host": {dir}, "port": {strconv.Itoa(port)}, "user": {superuser}}
	dsn = "postgres:///" + database + "?" + q.Encode()
	ctx, cancel := context.WithTimeout(t.Context(), poolerPatience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			conn.Close(ctx)
			return dsn
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(filepath.Join(dir, "log")) // that it does not answer is what counts
			t.Fatalf("servertest: pgbouncer does not answer: %v\n%s", err, said)
		}
	}
}
