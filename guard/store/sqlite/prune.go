package sqlite

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Prune implements guard.Store. It holds up other writes for as long as limit effects take, so that a limit of about a
// hundred is right. What does not verify is left for a person.
func (s *Store) Prune(ctx context.Context, r guard.Retention, limit int) (guard.Pruned, error) {
	if err := r.Check(); err != nil {
		return guard.Pruned{}, err
	}
	if limit < 1 {
		return guard.Pruned{}, nil
	}
	var out guard.Pruned
	err := s.write(ctx, "prune", func(w *writer) (err error) {
		out, err = w.prune(r, limit)
		return err
	})
	if err != nil {
		return guard.Pruned{}, err
	}
	return out, nil
}

func (w *writer) prune(r guard.Retention, limit int) (out guard.Pruned, err error) {
	if err := w.pruneCounters(r.Rows, limit); err != nil {
		return out, err
	}
	// What was removed may have been all that kept another one, so that they are asked for again.
	for again := r.Rows > 0; again && out.Rows < limit; {
		n, err := w.forget(w.now.Add(-r.Rows), limit-out.Rows)
		if err != nil {
			return out, err
		}
		out.Rows, again = out.Rows+n, n > 0
	}
	if r.Bodies > 0 && out.Rows < limit {
		out.Bodies, err = w.strip(w.now.Add(-r.Bodies), limit-out.Rows)
	}
	return out, err
}

// pruneCounters removes tallies that are too old, and uses that no limit looks back to.
func (w *writer) pruneCounters(rows time.Duration, limit int) error {
	stmt, err := w.conn.Prepare(sqlUsesPrune)
	if err != nil {
		return err
	}
	b := binder{stmt: stmt}
	b.time(w.now.Add(-guard.MaxPeriod)).number(int64(limit))
	if _, err := stmt.Step(); err != nil || rows == 0 {
		return err
	}
	if stmt, err = w.conn.Prepare(sqlTalliesPrune); err != nil {
		return err
	}
	b = binder{stmt: stmt}
	b.time(w.now.Add(-rows))
	_, err = stmt.Step()
	return err
}

// forget removes at most limit effects that have not changed since a moment, with their events, and returns how many.
func (w *writer) forget(since time.Time, limit int) (int, error) {
	stmt, err := w.conn.Prepare(sqlEffectsForgettable)
	if err != nil {
		return 0, err
	}
	b := binder{stmt: stmt}
	b.time(since).time(w.now).number(int64(limit))
	var effects, heads []int64
	for {
		more, err := stmt.Step()
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
		effects, heads = append(effects, stmt.ColumnInt64(0)), append(heads, stmt.ColumnInt64(1))
	}
	if len(effects) == 0 {
		return 0, nil
	}
	if err := w.markPruned(); err != nil {
		return 0, err
	}
	for i := range effects {
		// An event goes after its effect.
		if err := w.delete(sqlEffectDelete, effects[i]); err != nil {
			return 0, err
		}
		if err := w.delete(sqlEventsDelete, heads[i]); err != nil {
			return 0, err
		}
	}
	return len(effects), nil
}

func (w *writer) delete(text string, number int64) error {
	stmt, err := w.conn.Prepare(text)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, number)
	_, err = stmt.Step()
	return err
}

// strip takes the bytes from at most limit effects that have not changed since a moment, and returns from how many.
func (w *writer) strip(since time.Time, limit int) (int, error) {
	stmt, err := w.conn.Prepare(sqlEffectsWithBytes)
	if err != nil {
		return 0, err
	}
	b := binder{stmt: stmt}
	b.time(since).time(w.now).number(int64(limit))
	rows, err := all(stmt)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	if err := w.markPruned(); err != nil {
		return 0, err
	}
	stripped := 0
	for _, r := range rows {
		done, err := w.stripEffect(r)
		if err != nil {
			return 0, err
		}
		if done {
			stripped++
		}
	}
	return stripped, nil
}

// stripEffect returns false for an effect that does not verify: afterwards nobody could tell why.
func (w *writer) stripEffect(r *record) (bool, error) {
	numbers, events, err := numberedChain(w.conn, r)
	if err != nil || !verifies(r, events) {
		return false, err
	}
	for i := range events {
		e := &events[i]
		if len(e.Arguments) == 0 && (e.Result == nil || len(e.Result.Body) == 0) {
			continue
		}
		arguments, body := e.ArgumentsHash, [32]byte{}
		if len(e.Arguments) > 0 {
			arguments = sha256.Sum256(e.Arguments)
		}
		if e.Result != nil {
			if body = e.Result.BodyHash; len(e.Result.Body) > 0 {
				body = sha256.Sum256(e.Result.Body)
			}
		}
		stmt, err := w.conn.Prepare(sqlEventStrip)
		if err != nil {
			return false, err
		}
		b := binder{stmt: stmt}
		b.number(numbers[i]).digest(arguments).digest(body)
		if _, err := stmt.Step(); err != nil {
			return false, err
		}
	}
	stmt, err := w.conn.Prepare(sqlEffectStrip)
	if err != nil {
		return false, err
	}
	stmt.BindInt64(1, r.number)
	_, err = stmt.Step()
	return true, err
}

// markPruned tells the triggers that guard what is kept what time it is, and keeps numbers from being used twice.
func (w *writer) markPruned() error {
	stmt, err := w.conn.Prepare(sqlPrunedMark)
	if err != nil {
		return err
	}
	b := binder{stmt: stmt}
	b.time(w.now).number(w.lastEffect).number(w.lastEvent)
	_, err = stmt.Step()
	return err
}
