package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// How much a sweep clears away of what is no longer due.
const (
	dueBatch  = 5000
	dueRounds = 10
)

// Sweep implements guard.Store. A limit below 1 changes nothing. An effect that another store sweeps at the same time
// is left to it.
func (s *Store) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	const op = "sweep"
	if limit < 1 {
		return nil, nil
	}
	if err := s.forgetDue(ctx, op); err != nil {
		return nil, err
	}
	due, err := s.several(ctx, op, sqlEffectsDue, s.clock(), limit)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var changes []*changing
	for _, r := range due {
		changes = append(changes, expire(r))
	}
	inOrder := slices.Clone(changes)
	slices.SortFunc(inOrder, func(a, b *changing) int { return int(a.number - b.number) })
	err = s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
		for _, c := range inOrder {
			c.made = false
		}
		return s.applyAll(ctx, c, inOrder, false)
	})
	if err != nil {
		return nil, err
	}
	var out []guard.Effect
	for _, c := range changes {
		if c.made {
			out = append(out, c.Effect)
			s.changed(&c.Effect)
		}
	}
	return out, nil
}

// forgetDue takes away what the table due says about leases that were settled in time.
func (s *Store) forgetDue(ctx context.Context, op string) error {
	for range dueRounds {
		var forgotten int
		err := s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
			return c.QueryRow(ctx, sqlDueForget, s.clock(), dueBatch).Scan(&forgotten)
		})
		if err != nil || forgotten < dueBatch {
			return err
		}
	}
	return nil
}

// expire derives what time has decided about one effect.
func expire(r *record) *changing {
	event := guard.Event{Kind: guard.EventExpired, Actor: guard.Actor{Kind: "sweeper"}, Code: guard.CodeExpired}
	if r.State == guard.Pending {
		event.Kind, event.Code, event.Claim = guard.EventLapsed, guard.CodeLapsed, r.Claim
	}
	c := change(r, event)
	c.wasDue = later(r.LeaseUntil, r.ExpiresAt)
	switch {
	case r.State == guard.Pending:
		c.State, c.Review = guard.Unknown, guard.CodeLapsed
	case r.Attempts > 0: // an order to send again, which nobody used
		c.State, c.Review = guard.Unknown, guard.CodeExpired
	default:
		c.State, c.Review = guard.Refused, ""
	}
	c.Code, c.Reason = event.Code, ""
	c.seal()
	return c
}

// Unsent implements guard.Store. A limit below 1 finds nothing.
func (s *Store) Unsent(ctx context.Context, age time.Duration, limit int) ([]guard.Effect, error) {
	if limit < 1 {
		return nil, nil
	}
	found, err := s.several(ctx, "unsent", sqlEffectsUnsent, s.clock(), age.Microseconds(), limit)
	var out []guard.Effect
	for _, r := range found {
		out = append(out, r.Effect)
	}
	return out, err
}

// several returns the records that a statement finds and that verify. One that does not is left for a person, and must not
// keep the others waiting.
func (s *Store) several(ctx context.Context, op, text string, args ...any) ([]*record, error) {
	var sound []*record
	err := s.read(ctx, op, func(c *pgxpool.Conn) error {
		sound = nil
		var now time.Time
		rows, err := c.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		found, err := gather(rows, timeTo{&now})
		for _, r := range found {
			if r.sound() {
				sound = append(sound, r)
			}
		}
		return err
	})
	return sound, err
}
