package sqlite

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Sweep implements guard.Store. A limit below 1 changes nothing.
func (s *Store) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	if limit < 1 {
		return nil, nil
	}
	// A store whose reads fail is brought back by a write.
	if due, err := s.anyDue(ctx); err == nil && !due {
		return nil, nil
	}
	var out []guard.Effect
	err := s.write(ctx, "sweep", func(w *writer) (err error) {
		out, err = w.sweep(limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// anyDue spares the writer the sweeps that find nothing, which are nearly all.
func (s *Store) anyDue(ctx context.Context) (bool, error) {
	c, err := s.reader(ctx, "sweep")
	if err != nil {
		return false, err
	}
	defer func() { s.readers <- c }()
	due, err := findDue(c, s.now(), 1)
	if err != nil {
		return false, unavailable("sweep", err)
	}
	return len(due) > 0, nil
}

func findDue(c *conn, now time.Time, limit int) ([]*record, error) {
	stmt, err := c.Prepare(sqlEffectsDue)
	if err != nil {
		return nil, err
	}
	b := binder{stmt: stmt}
	b.time(now).number(int64(limit))
	return all(stmt)
}

func (w *writer) sweep(limit int) ([]guard.Effect, error) {
	due, err := findDue(w.conn, w.now, limit)
	if err != nil {
		return nil, err
	}
	sound, err := loadSound(w.conn, "sweep", due)
	if err != nil {
		return nil, err
	}
	var out []guard.Effect
	for _, r := range sound {
		if err := w.expire(r); err != nil {
			return nil, err
		}
		out = append(out, r.Effect)
	}
	return out, nil
}

// loadSound loads what verifies. A record that does not is left for a person, and must not keep the others waiting.
func loadSound(c *conn, op string, rows []*record) ([]*record, error) {
	sound := rows[:0]
	for _, r := range rows {
		if err := load(c, op, r); err == nil {
			sound = append(sound, r)
		} else if guard.CodeOf(err) != guard.CodeCorrupt {
			return nil, err
		}
	}
	return sound, nil
}

// expire settles what time has decided about one effect.
func (w *writer) expire(r *record) error {
	from := r.State
	event := guard.Event{Kind: guard.EventExpired, Actor: guard.Actor{Kind: "sweeper"}, Code: guard.CodeExpired}
	switch {
	case from == guard.Pending:
		event.Kind, event.Code, event.Claim = guard.EventLapsed, guard.CodeLapsed, r.Claim
		r.State, r.Review = guard.Unknown, guard.CodeLapsed
	case r.Attempts > 0: // an order to send again, which nobody used
		r.State, r.Review = guard.Unknown, guard.CodeExpired
	default:
		r.State, r.Review = guard.Refused, ""
	}
	if event.Kind.Raises() {
		r.Fence++
	}
	r.Code, r.Reason = event.Code, ""
	r.setUntil(time.Time{})
	return w.change(r, from, event, nil)
}

// Unsent implements guard.Store. A limit below 1 finds nothing.
func (s *Store) Unsent(ctx context.Context, age time.Duration, limit int) ([]guard.Effect, error) {
	if limit < 1 {
		return nil, nil
	}
	var out []guard.Effect
	err := s.read(ctx, "unsent", func(c *conn) error {
		out = nil
		stmt, err := c.Prepare(sqlEffectsUnsent)
		if err != nil {
			return err
		}
		b := binder{stmt: stmt}
		b.time(s.now().Add(-age)).number(int64(limit))
		rows, err := all(stmt)
		if err != nil {
			return err
		}
		rows, err = loadSound(c, "unsent", rows)
		for _, r := range rows {
			out = append(out, r.Effect)
		}
		return err
	})
	return out, err
}
