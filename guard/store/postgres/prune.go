package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

// Prune implements guard.Store. The database keeps the rules (schema/5_retention.sql). One call looks at no more than 100,000
// effects, so that less than limit may mean only that the next call goes on from there.
func (s *Store) Prune(ctx context.Context, r guard.Retention, limit int) (guard.Pruned, error) {
	if err := r.Check(); err != nil {
		return guard.Pruned{}, err
	}
	var out guard.Pruned
	err := s.write(ctx, "prune", func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, sqlPrune, s.clock(), periodArgument(r.Bodies), periodArgument(r.Rows), max(limit, 0)).Scan(&out.Bodies, &out.Rows)
	})
	if err != nil {
		return guard.Pruned{}, err
	}
	return out, nil
}

// periodArgument is NULL for ever. Parts of a microsecond count as a whole one.
func periodArgument(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	us := (d + time.Microsecond - 1).Microseconds()
	return &us
}
