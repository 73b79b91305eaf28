package servertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// superuser is the one role that a new server has. It needs no password from this machine.
const superuser = "postgres"

// PostgresServer is a PostgreSQL server with a folder of its own.
type PostgresServer struct {
	programs string // folder of the programs
	dir      string // holds the data, the socket and the log
	port     int
	warden   *warden
}

// shared is the server of Postgres. It runs until the process ends.
var shared struct {
	sync.Mutex
	server *PostgresServer
}

var databases atomic.Int64

// Postgres returns the address of an empty database, on a server that all tests of the process share. The database is
// dropped with the test.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	return sharedPostgres(t).Database(t)
}

func sharedPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	programs := postgresFolder(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := startPostgres(programs, newFolder)
		if err != nil {
			t.Fatalf("servertest: %v", err)
		}
		shared.server = s
	}
	return shared.server
}

// StartPostgres starts a server that the test has for itself. The settings are as in postgresql.conf: "name = value".
func StartPostgres(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	return own(t, newFolder, settings)
}

// StartPostgresOnDisk is StartPostgres with a folder among the usual temporary files, and never in memory: for measurements, because
// to flush to memory costs nothing.
func StartPostgresOnDisk(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	return own(t, func() (string, error) { return newFolderIn("") }, settings)
}

func own(t testing.TB, folder func() (string, error), settings []string) *PostgresServer {
	t.Helper()
	s, err := startPostgres(postgresFolder(t), folder, settings...)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(func() { s.warden.end(t) })
	return s
}

func startPostgres(programs string, folder func() (string, error), settings ...string) (*PostgresServer, error) {
	s, err := newPostgres(programs, folder)
	if err != nil {
		return nil, err
	}
	// Without --no-sync, initdb flushes a thousand files that nobody will miss.
	err = run(s.program("initdb"), "--no-sync", "--auth=trust", "--username="+superuser, "--encoding=UTF8", "--locale=C", "-D", s.data())
	if err != nil {
		return nil, err
	}
	if err := s.configure(settings...); err != nil {
		return nil, err
	}
	return s, s.start()
}

// newPostgres makes the folder of a server and sees to its end.
func newPostgres(programs string, folder func() (string, error)) (*PostgresServer, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{programs: programs, dir: dir, port: port}
	s.warden, err = watch(`"$1" -D "$2/data" -m immediate -s stop >/dev/null 2>&1; rm -rf "$2"`, s.program("pg_ctl"), dir)
	return s, err
}

func (s *PostgresServer) program(name string) string { return filepath.Join(s.programs, name) }
func (s *PostgresServer) data() string               { return filepath.Join(s.dir, "data") }

// configure appends settings to the server's file. The later of two equal names counts.
func (s *PostgresServer) configure(settings ...string) error {
	all := append([]string{
		"listen_addresses = '127.0.0.1'",
		"port = " + strconv.Itoa(s.port),
		"unix_socket_directories = '" + s.dir + "'",
		"max_connections = 200",
		"shared_buffers = '128MB'",
		"max_wal_size = '2GB'",
	}, settings...)
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, line := range all {
		if _, err := fmt.Fprintln(f, line); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

func (s *PostgresServer) start() error {
	log := filepath.Join(s.dir, "log")
	err := run(s.program("pg_ctl"), "-D", s.data(), "-l", log, "-w", "-t", "60", "start")
	if err != nil {
		said, _ := os.ReadFile(log) // the error itself is the one that counts
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// Start starts the server again, after Stop or StopImmediate, and returns when it answers.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("servertest: %v", err)
	}
}

// Stop shuts the server down in order, and ends its connections.
func (s *PostgresServer) Stop(t testing.TB) {
	t.Helper()
	s.stop(t, "fast")
}

// StopImmediate ends all processes of the server at once, as a crash would: the next start recovers from the log.
func (s *PostgresServer) StopImmediate(t testing.TB) {
	t.Helper()
	s.stop(t, "immediate")
}

func (s *PostgresServer) stop(t testing.TB, mode string) {
	t.Helper()
	if err := run(s.program("pg_ctl"), "-D", s.data(), "-w", "-m", mode, "stop"); err != nil {
		t.Fatalf("servertest: %v", err)
	}
}

// DSN returns the address of one of the server's databases, such as "postgres", which each server has.
func (s *PostgresServer) DSN(database string) string {
	q := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}, "user": {superuser}}
	return "postgres:///" + database + "?" + q.Encode()
}

// Port is where the server listens on 127.0.0.1, besides the socket that DSN names.
func (s *PostgresServer) Port() int { return s.port }

// Folder holds all that the server keeps. It is removed with the server.
func (s *PostgresServer) Folder() string { return s.dir }

// Database creates an empty database, which is dropped with the test, and returns its address.
func (s *PostgresServer) Database(t testing.TB) (dsn string) {
	t.Helper()
	return s.copied(t, "template1")
}

// copied creates a copy of a database to which nobody is connected.
func (s *PostgresServer) copied(t testing.TB, of string) (dsn string) {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	s.Exec(t, "CREATE DATABASE "+name+" TEMPLATE "+of)
	t.Cleanup(func() { s.Exec(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.DSN(name)
}

// Exec runs one statement as the superuser, in the database "postgres".
func (s *PostgresServer) Exec(t testing.TB, statement string) {
	t.Helper()
	ctx := context.Background() // not the test's, which has ended when its database is dropped
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("servertest: %s: %v", statement, err)
	}
}
