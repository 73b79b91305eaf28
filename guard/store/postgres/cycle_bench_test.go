package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// roundTime is how long one pattern runs before it is another's turn.
const roundTime = time.Second

// background is the context of calls that nobody gives up.
var background = context.Background()

// BenchmarkRatio alternates a durable claim and a durable settlement of a new effect with two patterns that do the same without
// the store, and reports the ratios of the medians: the speed of the machine changes from minute to minute.
//
//   - naive: two transactions as they are written first, BEGIN to COMMIT, of which each writes the effect's row and an event, with
//     the same columns and bytes and one unique index each. It compares nothing, hashes nothing and answers nothing but its own key.
//   - bare: an INSERT and an UPDATE of one narrow row, each committed by itself: less than what a ledger must keep.
//
// The pools have a connection for each caller. The server's folder is on the disk:
//
//	go test ./guard/store/postgres -run XXX -bench Ratio -benchtime 1x
func BenchmarkRatio(b *testing.B) {
	const rounds, round = 7, roundTime
	server := servertest.StartPostgresOnDisk(b)
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := openAt(b, server.Database(b), postgres.Options{})
			patterns := []func() error{
				func() error { return cycle(s) },
				openPattern(b, server.Database(b), callers, naiveTables, naiveCycle),
				openPattern(b, server.Database(b), callers, bareTable, bareCycle),
			}
			rates := make([][]float64, len(patterns))
			for b.Loop() {
				for range rounds {
					for i, do := range patterns {
						rates[i] = append(rates[i], rate(b, callers, round, do))
					}
				}
			}
			medians := make([]float64, len(patterns))
			for i, r := range rates {
				slices.Sort(r)
				medians[i] = r[len(r)/2]
			}
			b.ReportMetric(medians[0], "cycles/s")
			b.ReportMetric(medians[0]/medians[1], "of-naive")
			b.ReportMetric(medians[0]/medians[2], "of-bare")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func rate(b *testing.B, callers int, d time.Duration, do func() error) float64 {
	b.Helper()
	n, err := storetest.Rate(callers, d, func(int, int) error { return do() })
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// cycle claims and settles a new effect.
func cycle(s guard.Store) error {
	ctx := context.Background()
	got, err := s.Claim(ctx, storetest.NewCall("t"))
	if err != nil || !got.Won {
		return fmt.Errorf("claim: won %v: %w", got.Won, err)
	}
	_, err = s.Settle(ctx, storetest.Outcome(got.Effect, guard.Done))
	return err
}

func openPattern(b *testing.B, dsn string, callers int, tables string, cycle func(*pgxpool.Pool) error) func() error {
	b.Helper()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = int32(callers)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(ctx, tables); err != nil {
		b.Fatal(err)
	}
	return func() error { return cycle(pool) }
}

const naiveTables = `
CREATE TABLE effects (
	id text PRIMARY KEY, tenant text, subject text, agent text, run text, call_id text, tool text, type text, execute text,
	key bytea UNIQUE, state text, code text, reason text, fence bigint, claim text, attempts bigint, policy text, window_ns bigint,
	created timestamptz, updated timestamptz, due timestamptz, window_until timestamptz
);
CREATE TABLE events (
	effect text, seq bigint, at timestamptz, kind text, from_state text, to_state text, fence bigint, actor_kind text, actor_name text,
	code text, claim text, arguments bytea, source text, status bigint, content_type text, body bytea,
	PRIMARY KEY (effect, seq)
)`

func naiveCycle(pool *pgxpool.Pool) error {
	ctx := context.Background()
	r := storetest.NewCall("t")
	e := r.Effect
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO effects VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12, 1, $13, 1, $14, $15,
			now(), now(), now() + interval '30 s') ON CONFLICT (key) DO NOTHING`,
			e.ID, e.Tenant, e.Subject, e.Agent, e.Run, e.CallID, e.Tool, e.Type, string(e.Execute), e.Key[:],
			string(e.Code), e.Reason, e.Claim, e.Policy, int64(e.Window))
		if err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("insert: %d rows: %w", tag.RowsAffected(), err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO events VALUES ($1, 1, now(), 'claimed', '', 'pending', 1, $2, $3, $4, $5, $6)`,
			e.ID, r.Actor.Kind, r.Actor.Name, string(e.Code), e.Claim, []byte(e.Arguments))
		return err
	})
	if err != nil {
		return err
	}
	e.Fence = 1
	s := storetest.Outcome(e, guard.Done)
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE effects SET state = 'done', code = $3, updated = now(), due = NULL, window_until = now() + interval '24 h'
			WHERE id = $1 AND fence = $2 AND state = 'pending'`, e.ID, e.Fence, string(s.Code))
		if err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("update: %d rows: %w", tag.RowsAffected(), err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO events VALUES ($1, 2, now(), 'settled', 'pending', 'done', 1, $2, $3, $4, $5, NULL, $6, $7, $8, $9)`,
			e.ID, s.Actor.Kind, s.Actor.Name, string(s.Code), s.Claim, string(s.Result.Source), s.Result.Status, s.Result.ContentType, s.Result.Body)
		return err
	})
}

const bareTable = "CREATE TABLE calls (key bytea PRIMARY KEY, state text NOT NULL, arguments bytea NOT NULL, result bytea)"

func bareCycle(pool *pgxpool.Pool) error {
	ctx := context.Background()
	e := storetest.NewCall("t").Effect
	tag, err := pool.Exec(ctx, "INSERT INTO calls VALUES ($1, 'pending', $2) ON CONFLICT DO NOTHING", e.Key[:], []byte(e.Arguments))
	if err != nil || tag.RowsAffected() != 1 {
		return fmt.Errorf("insert: %d rows: %w", tag.RowsAffected(), err)
	}
	_, err = pool.Exec(ctx, "UPDATE calls SET state = 'done', result = $2 WHERE key = $1", e.Key[:], storetest.Outcome(e, guard.Done).Result.Body)
	return err
}
