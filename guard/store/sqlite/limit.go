package sqlite

import (
	"math"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// overLimit answers a claim at a moment for which one of the request's limits has no room; nil where all have. The effect with
// the given number, 0 for a new one, does not stand in its own way.
func (w *writer) overLimit(r *guard.ClaimRequest, own int64, now time.Time) (*guard.Claimed, error) {
	if r.Effect.State != guard.Pending {
		return nil, nil
	}
	for i := range r.Limits {
		l := &r.Limits[i]
		used, err := w.used(l, own, now)
		if err != nil {
			return nil, err
		}
		left := int64(0)
		if used < l.Max {
			left = l.Max - used
		}
		if used > l.Max || l.Amount > left {
			return &guard.Claimed{Relation: guard.OverLimit, Now: now, Limit: i, Left: left}, nil
		}
	}
	return nil, nil
}

// used sums up what other effects have used under the key of a limit within its period. More than a number holds is as much as
// it holds.
func (w *writer) used(l *guard.Limit, own int64, now time.Time) (int64, error) {
	stmt, err := w.conn.Prepare(sqlUsesSum)
	if err != nil {
		return 0, err
	}
	b := binder{stmt: stmt}
	b.blob(l.Key[:]).time(now.Add(-l.Period)).number(own) // rounded down, so that a part of a microsecond is within the period
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	high, low := stmt.ColumnInt64(0), stmt.ColumnInt64(1)
	if high += low >> 32; high > math.MaxInt64>>32 {
		return math.MaxInt64, stmt.Reset()
	}
	return high<<32 | low&math.MaxUint32, stmt.Reset()
}

// use records what a claim that was just won uses, in place of what the effect used before.
func (w *writer) use(r *guard.ClaimRequest, e *record) error {
	if e.State != guard.Pending {
		return nil
	}
	for i := range r.Limits {
		stmt, err := w.conn.Prepare(sqlUseReplace)
		if err != nil {
			return err
		}
		b := binder{stmt: stmt}
		b.number(e.number).blob(r.Limits[i].Key[:]).time(e.Updated).number(r.Limits[i].Amount)
		if _, err := stmt.Step(); err != nil {
			return err
		}
	}
	return nil
}

// giveBack keeps what an effect uses in step with its state: what is failed uses nothing.
func (w *writer) giveBack(e *record) error {
	stmt, err := w.conn.Prepare(sqlUsesGiveBack)
	if err != nil {
		return err
	}
	b := binder{stmt: stmt}
	b.number(e.number).flag(e.State == guard.Failed)
	_, err = stmt.Step()
	return err
}
