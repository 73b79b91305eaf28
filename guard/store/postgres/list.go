package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// List implements guard.Store. An About that PostgreSQL cannot hold as it is (it has a NUL or is not UTF-8) is found by no text.
func (s *Store) List(ctx context.Context, q guard.Query) ([]guard.Effect, error) {
	const op = "list"
	if err := q.Check(); err != nil {
		return nil, err
	}
	created, before := pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}, int64(math.MaxInt64)
	if q.Before != "" {
		last, _, err := s.find(ctx, op, q.Tenant, q.Before)
		if err != nil {
			return nil, err
		}
		created, before = pgtype.Timestamptz{Time: last.Created, Valid: true}, last.number
	}
	text := sqlEffectsList
	if q.Review {
		text = sqlEffectsInReview
	}
	return s.rows(ctx, op, text, encodeText(q.Tenant), created, before, bound(q.From, pgtype.NegativeInfinity), bound(q.Until, pgtype.Infinity),
		encodeText(q.Subject), encodeText(q.Tool), encodeText(q.Run), encodeText(q.Agent), encodeText(string(q.Execute)), encodeText(q.Text),
		texts(q.States, func(s guard.State) string { return string(s) }), q.Limit)
}

// bound is a time between which and others rows are asked for; the zero time is without end. Times of rows are whole microseconds.
func bound(t time.Time, none pgtype.InfinityModifier) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: none, Valid: true}
	}
	return pgtype.Timestamptz{Time: wholeMicros(t), Valid: true}
}

// wholeMicros is the first whole microsecond that is not before t.
func wholeMicros(t time.Time) time.Time {
	return t.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}

// Walk implements guard.Store. A limit below 1 finds nothing.
func (s *Store) Walk(ctx context.Context, after string, limit int) ([]guard.Effect, error) {
	const op = "walk"
	var number int64
	if after != "" {
		found, _, err := s.findAll(ctx, op, after)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, notFound(op)
		}
		number = found[0].number
	}
	return s.rows(ctx, op, sqlEffectsWalk, number, max(limit, 0))
}

// rows returns the effects that a statement finds, without their bytes.
func (s *Store) rows(ctx context.Context, op, text string, args ...any) ([]guard.Effect, error) {
	var out []guard.Effect
	err := s.read(ctx, op, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (guard.Effect, error) {
			w := new(row)
			err := r.Scan(w.effectColumns()...)
			w.settle()
			return w.Effect, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
