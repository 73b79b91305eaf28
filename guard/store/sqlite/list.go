package sqlite

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/guard"
)

// List implements guard.Store. Of effects that were made at the same time, the one that was recorded last comes first.
func (s *Store) List(ctx context.Context, q guard.Query) ([]guard.Effect, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	var out []guard.Effect
	err := s.read(ctx, "list", func(c *conn) error {
		out = nil
		// A page whose filters match little reads many rows, so that a caller who leaves must be able to end it.
		c.SetInterrupt(ctx.Done())
		defer c.SetInterrupt(nil)
		until := bound{math.MaxInt64, math.MaxInt64}
		if !q.Until.IsZero() {
			until = bound{firstMicro(q.Until), math.MinInt64}
		}
		if q.Before != "" {
			last, err := findInTenant(c, "list", q.Tenant, q.Before)
			if err != nil {
				return err
			}
			if at := (bound{last.Created.UnixMicro(), last.number}); at.before(until) {
				until = at
			}
		}
		rows, err := list(c, q, until)
		for _, r := range rows {
			out = append(out, r.Effect)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// bound is a place in the order of a list.
type bound struct{ created, number int64 }

func (b bound) before(o bound) bool {
	return b.created < o.created || b.created == o.created && b.number < o.number
}

func list(c *conn, q guard.Query, until bound) ([]*record, error) {
	states, err := json.Marshal(append([]guard.State{}, q.States...)) // [] and not null for none
	if err != nil {
		return nil, err
	}
	text := sqlEffectsList
	if q.Review {
		text = sqlEffectsInReview
	}
	stmt, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	from := int64(math.MinInt64)
	if !q.From.IsZero() {
		from = firstMicro(q.From)
	}
	b := binder{stmt: stmt}
	b.text(q.Tenant).number(from).number(until.created).number(until.number)
	b.text(q.Subject).text(q.Tool).text(q.Run).text(q.Agent).text(string(q.Execute)).text(q.Text)
	b.text(string(states)).number(int64(q.Limit))
	return all(stmt)
}

// Walk implements guard.Store. A limit below 1 finds nothing.
func (s *Store) Walk(ctx context.Context, after string, limit int) ([]guard.Effect, error) {
	const op = "walk"
	var out []guard.Effect
	err := s.read(ctx, op, func(c *conn) error {
		out = nil
		last := int64(0)
		if after != "" {
			r, err := findByID(c, after)
			if err != nil {
				return err
			}
			if r == nil {
				return notFound(op)
			}
			last = r.number
		}
		stmt, err := c.Prepare(sqlEffectsWalk)
		if err != nil {
			return err
		}
		b := binder{stmt: stmt}
		b.number(last).number(int64(max(limit, 0)))
		rows, err := all(stmt)
		for _, r := range rows {
			out = append(out, r.Effect)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// all returns the rows that a prepared and bound statement finds.
func all(stmt *sqlite.Stmt) ([]*record, error) {
	var rows []*record
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return rows, err
		}
		rows = append(rows, scanRecord(stmt))
	}
}

// firstMicro returns the first microsecond of the ledger that is not before t.
func firstMicro(t time.Time) int64 {
	n := t.UnixMicro()
	if t.After(time.UnixMicro(n)) {
		n++
	}
	return n
}
