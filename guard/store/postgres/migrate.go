package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Migration is one step of the schema. The files under schema are the steps: they are applied in their order, once, and never
// changed afterwards. The first line of a step says which is the oldest program that can still use the ledger after
// it, by the number of that program's last step, so that two versions can run side by side during an upgrade.
type Migration struct {
	Number  int
	Name    string
	Applied time.Time // zero when it is not
}

// step is a migration that this program has.
type step struct {
	number   int
	name     string
	text     string
	oldest   int
	checksum [32]byte
}

// applied is a migration that the ledger has.
type applied struct {
	number   int
	name     string
	oldest   int
	checksum [32]byte
	at       time.Time
}

// schemaState is what a ledger's schema is, in the order of its migrations.
type schemaState []applied

func (s schemaState) upToDate() bool { return len(s) >= len(steps) }

var steps = readSteps()

// readSteps panics on a file that is not named or marked as it must be: a defect of the build, found before anything runs.
func readSteps() []step {
	files, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		panic(err)
	}
	out := make([]step, len(files))
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "schema/"), ".sql")
		digits, _, _ := strings.Cut(name, "_")
		number, err := strconv.Atoi(digits)
		if err != nil || number < 1 || number > len(files) || out[number-1].number != 0 {
			panic("postgres: the steps of the schema are not numbered from 1: " + file)
		}
		text := embedded(schemaFiles, file)
		first, _, _ := strings.Cut(text, "\n")
		oldest, err := strconv.Atoi(strings.TrimPrefix(first, "-- oldest: "))
		if err != nil {
			panic("postgres: " + file + " does not say which program is the oldest that can use it")
		}
		out[number-1] = step{number: number, name: name, text: text, oldest: oldest, checksum: sha256.Sum256([]byte(text))}
	}
	return out
}

// Status returns the migrations of this program and which of them the ledger has.
func Status(ctx context.Context, dsn string) ([]Migration, error) {
	var out []Migration
	err := connected(ctx, dsn, func(conn *pgx.Conn) error {
		state, err := readSchema(ctx, conn)
		if err != nil {
			return err
		}
		for i, s := range steps {
			m := Migration{Number: s.number, Name: s.name}
			if i < len(state) {
				m.Applied = state[i].at
			}
			out = append(out, m)
		}
		return nil
	})
	return out, err
}

// Migrate brings the ledger's schema up to date, as the role that shall own it. Any number of programs may do so at once.
func Migrate(ctx context.Context, dsn string) error {
	return connected(ctx, dsn, func(conn *pgx.Conn) error { return migrate(ctx, conn) })
}

func connected(ctx context.Context, dsn string, do func(*pgx.Conn) error) error {
	config, err := configure(dsn)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer conn.Close(ctx)
	err = checkServer(ctx, conn)
	if err == nil {
		err = do(conn)
	}
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// readSchema returns the migrations that a ledger has, and refuses those that do not fit this program.
func readSchema(ctx context.Context, conn *pgx.Conn) (schemaState, error) {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('onceguard.migrations') IS NOT NULL").Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := conn.Query(ctx, "SELECT number, name, oldest, checksum, at FROM onceguard.migrations ORDER BY number")
	if err != nil {
		return nil, err
	}
	state, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (a applied, err error) {
		return a, r.Scan(&a.number, &a.name, &a.oldest, digestTo{&a.checksum}, &a.at)
	})
	if err != nil {
		return nil, err
	}
	return state, schemaState(state).fits()
}

func (s schemaState) fits() error {
	for i, a := range s {
		switch {
		case a.number != i+1:
			return fmt.Errorf("the ledger has no migration %d: restore it from a backup", i+1)
		case a.oldest > len(steps):
			return fmt.Errorf("the ledger has schema %d (%s) and this program knows %d: run the newer program", a.number, a.name, len(steps))
		case i < len(steps) && a.checksum != steps[i].checksum:
			return fmt.Errorf("migration %s of the ledger is not the one that this program has: run the program that made it", a.name)
		}
	}
	return nil
}

// migrate applies what is missing in one transaction. Whoever else migrates waits for its end.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(1330529125, 2)"); err != nil {
			return err
		}
		state, err := readSchema(ctx, conn)
		if err != nil || state.upToDate() {
			return err
		}
		if len(state) == 0 {
			if _, err := tx.Exec(ctx, migrationsTable, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		for _, s := range steps[len(state):] {
			if _, err := tx.Exec(ctx, s.text, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("migration %s: %w", s.name, err)
			}
			_, err := tx.Exec(ctx, "INSERT INTO onceguard.migrations VALUES ($1, $2, $3, $4, clock_timestamp())", s.number, s.name, s.oldest, s.checksum[:])
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const migrationsTable = `
CREATE SCHEMA IF NOT EXISTS onceguard; -- roles.sql may have made it
CREATE TABLE onceguard.migrations (
	number   integer PRIMARY KEY,
	name     text NOT NULL,
	oldest   integer NOT NULL,
	checksum bytea NOT NULL,
	at       timestamptz NOT NULL
)`
