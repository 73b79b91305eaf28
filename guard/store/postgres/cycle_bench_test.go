package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// BenchmarkRatio alternates a durable claim and a durable settlement of a new effect with the naive pattern, an INSERT and
// an UPDATE that each commit, and reports the ratio of the medians: the speed of the machine changes from minute to
// minute. The naive pattern keeps the same bytes and answers nothing but its own key.
func BenchmarkRatio(b *testing.B) {
	const rounds, round = 5, time.Second
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := openAt(b, servertest.Postgres(b), postgres.Options{})
			naive := openNaive(b, callers)
			var cycles, naives []float64
			for b.Loop() {
				for range rounds {
					cycles = append(cycles, rate(b, callers, round, func() error { return cycle(s) }))
					naives = append(naives, rate(b, callers, round, naive))
				}
			}
			slices.Sort(cycles)
			slices.Sort(naives)
			c, n := cycles[len(cycles)/2], naives[len(naives)/2]
			b.ReportMetric(c, "cycles/s")
			b.ReportMetric(n, "naive/s")
			b.ReportMetric(c/n, "ratio")
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

func openNaive(b *testing.B, callers int) func() error {
	b.Helper()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(servertest.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = int32(callers)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	_, err = pool.Exec(ctx, "CREATE TABLE calls (key bytea PRIMARY KEY, state text NOT NULL, arguments bytea NOT NULL, result bytea)")
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		e := storetest.NewCall("t").Effect
		tag, err := pool.Exec(ctx, "INSERT INTO calls VALUES ($1, 'pending', $2) ON CONFLICT DO NOTHING", e.Key[:], []byte(e.Arguments))
		if err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("insert: %d rows: %w", tag.RowsAffected(), err)
		}
		_, err = pool.Exec(ctx, "UPDATE calls SET state = 'done', result = $2 WHERE key = $1", e.Key[:], storetest.Outcome(e, guard.Done).Result.Body)
		return err
	}
}
