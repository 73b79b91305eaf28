package servertest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Template is a database that is prepared once in a process, on the server that all tests share, and copied for each test: to migrate an
// empty one takes many times as long.
type Template struct {
	prepare func(dsn string) error

	mu   sync.Mutex
	name string // of the database; empty until it is prepared
}

// NewTemplate returns a template. At its first use, prepare gets the address of an empty database; it must leave no connection open.
func NewTemplate(prepare func(dsn string) error) *Template { return &Template{prepare: prepare} }

// Postgres returns the address of a copy of the template. The copy is dropped with the test.
func (m *Template) Postgres(t testing.TB) (dsn string) {
	t.Helper()
	s := sharedPostgres(t)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.name == "" {
		name := fmt.Sprintf("template_%d", databases.Add(1))
		s.Exec(t, "CREATE DATABASE "+name)
		if err := m.prepare(s.DSN(name)); err != nil {
			t.Fatalf("servertest: a template cannot be prepared: %v", err)
		}
		m.name = name
	}
	return s.copied(t, m.name)
}

// Empty removes all rows of a schema's tables but of those named, and begins their numbers again, whatever triggers say: for a test
// that needs many empty databases, one after the other.
func Empty(t testing.TB, dsn, schema string, keep ...string) {
	t.Helper()
	ctx := context.Background() // not the test's, which may have ended for one of its rounds
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	defer conn.Close(ctx)
	var tables string
	err = conn.QueryRow(ctx, `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ')
		FROM pg_tables WHERE schemaname = $1 AND NOT tablename = ANY (coalesce($2, '{}'::text[]))`, schema, keep).Scan(&tables)
	if err == nil {
		_, err = conn.Exec(ctx, "SET session_replication_role = replica; TRUNCATE "+tables+" RESTART IDENTITY")
	}
	if err != nil {
		t.Fatalf("servertest: %s cannot be emptied: %v", schema, err)
	}
}
