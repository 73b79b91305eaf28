package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// AddTallies implements guard.Store.
func (s *Store) AddTallies(ctx context.Context, add []guard.Tally) error {
	sums := map[guard.Tally]int64{}
	for _, t := range add {
		if err := t.Check(); err != nil {
			return err
		}
		count := t.Count
		t.Count, t.Start = 0, time.Time{}
		sums[t] += count
	}
	if len(sums) == 0 {
		return nil
	}
	tallies := slices.SortedFunc(maps.Keys(sums), compareTallies)
	text := func(of func(guard.Tally) string) []string { return texts(tallies, of) }
	counts := make([]int64, len(tallies))
	for i, t := range tallies {
		counts[i] = sums[t]
	}
	return s.write(ctx, "add tallies", func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sqlTalliesAdd, s.clock(), guard.TallyBucket.Microseconds(),
			text(func(t guard.Tally) string { return t.Tenant }), text(func(t guard.Tally) string { return t.Tool }),
			text(func(t guard.Tally) string { return t.Kind }), text(func(t guard.Tally) string { return string(t.Code) }), counts)
		return err
	})
}

// compareTallies is an order in which statements take the rows of counters, so that no two wait for each other.
func compareTallies(a, b guard.Tally) int {
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code))
}

// Tallies implements guard.Store.
func (s *Store) Tallies(ctx context.Context, tenant string, from, until time.Time) ([]guard.Tally, error) {
	var out []guard.Tally
	err := s.read(ctx, "tallies", func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sqlTalliesBetween, encodeText(tenant), wholeMicros(from), wholeMicros(until))
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (guard.Tally, error) {
			t := guard.Tally{Tenant: tenant}
			err := r.Scan(timeTo{&t.Start}, textTo{&t.Tool}, textTo{&t.Kind}, word(&t.Code), &t.Count)
			return t, err
		})
		return err
	})
	return out, err
}
