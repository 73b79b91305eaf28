package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// errStandby is the answer of a server that follows another one, and so may not know the newest effects.
var errStandby = errors.New("the server is a standby")

// Lookup implements guard.Store.
func (s *Store) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	found, _, err := s.lookup(ctx, "lookup", key)
	return found, err
}

// lookup returns the latest generation under a key. A server that became a standby is not believed.
func (s *Store) lookup(ctx context.Context, op string, key fingerprint.Digest) (guard.Found, *record, error) {
	var found guard.Found
	var r *record
	err := s.read(ctx, op, func(c *pgxpool.Conn) error {
		found = guard.Found{}
		var standby bool
		now := s.clock()
		rows, err := c.Query(ctx, sqlEffectByKey, key[:], now)
		if err != nil {
			return err
		}
		records, err := gather(rows, timeTo{&found.Now}, &standby, textTo{&found.Superseded})
		if err != nil {
			return err
		}
		if len(records) == 0 {
			if err := c.QueryRow(ctx, sqlNow, now).Scan(timeTo{&found.Now}, &standby); err != nil {
				return err
			}
		}
		if standby {
			return leave(ctx, c)
		}
		if r, err = verified(op, records); err == nil && r != nil {
			found.Effect = &r.Effect
			found.Now = later(found.Now, r.Updated)
		}
		return err
	})
	if err != nil {
		return guard.Found{}, nil, err
	}
	return found, r, nil
}

// leave gives up a connection to a standby: the next one finds the primary.
func leave(ctx context.Context, c *pgxpool.Conn) error {
	_ = c.Conn().Close(ctx)
	return errStandby
}

// Outline is Lookup, but that the effect has no Arguments and no Result. It reads no event and so verifies nothing: whoever answers
// from it must have bytes that are bound to this very row.
func (s *Store) Outline(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	var found guard.Found
	err := s.read(ctx, "outline", func(c *pgxpool.Conn) error {
		found = guard.Found{}
		var standby bool
		w := new(row)
		to := append([]any{timeTo{&found.Now}, &standby, textTo{&found.Superseded}}, w.effectColumns()...)
		if err := c.QueryRow(ctx, sqlEffectOutline, key[:], s.clock()).Scan(to...); err != nil {
			return err
		}
		if standby {
			return leave(ctx, c)
		}
		if w.number != 0 {
			w.setDue(w.due)
			found.Effect = &w.Effect
			found.Now = later(found.Now, w.Updated)
		}
		return nil
	})
	if err != nil {
		return guard.Found{}, err
	}
	return found, nil
}

// later returns the time for a change to an effect, which is never before its last one.
func later(now, updated time.Time) time.Time {
	if now.Before(updated) {
		return updated
	}
	return now
}

// find returns an effect of a tenant and the time for a change to it. It returns CodeNotFound for an effect that does not
// exist and for one of another tenant alike.
func (s *Store) find(ctx context.Context, op, tenant, id string) (*record, time.Time, error) {
	records, now, err := s.findAll(ctx, op, id)
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(records) == 0 || records[0].Tenant != tenant {
		return nil, time.Time{}, notFound(op)
	}
	r, err := verified(op, records)
	if err != nil {
		return nil, time.Time{}, err
	}
	return r, later(now, r.Updated), nil
}

// findAll returns the effects that have one of these ids.
func (s *Store) findAll(ctx context.Context, op string, ids ...string) (found []*record, now time.Time, err error) {
	asked := texts(ids, func(id string) string { return id })
	err = s.read(ctx, op, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sqlEffectsByID, asked, s.clock())
		if err == nil {
			found, err = gather(rows, timeTo{&now})
		}
		return err
	})
	return found, now, err
}

// Get implements guard.Store.
func (s *Store) Get(ctx context.Context, tenant, id string) (guard.Effect, error) {
	r, _, err := s.find(ctx, "get", tenant, id)
	if err != nil {
		return guard.Effect{}, err
	}
	return r.Effect, nil
}

// Events implements guard.Store. It answers CodeCorrupt when the chain does not verify from end to end.
func (s *Store) Events(ctx context.Context, tenant, id string) ([]guard.Event, error) {
	const op = "events"
	var r *record
	var out []guard.Event
	err := s.read(ctx, op, func(c *pgxpool.Conn) (err error) {
		rows, err := c.Query(ctx, sqlEventsOfEffect, encodeText(id))
		if err == nil {
			r, out, err = scanChain(rows)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case r == nil || r.Tenant != tenant:
		return nil, notFound(op)
	case !verifies(r, out):
		return nil, corrupt(op, id)
	}
	return out, nil
}

func scanChain(rows pgx.Rows) (*record, []guard.Event, error) {
	defer rows.Close()
	var r *record
	var events []guard.Event
	for rows.Next() {
		w := new(row)
		var effect int64
		to := append(w.effectColumns(), number(&effect))
		if err := rows.Scan(append(to, w.eventColumns()...)...); err != nil {
			return nil, nil, err
		}
		w.settle()
		r, events = &w.record, append(events, w.event)
	}
	return r, events, rows.Err()
}

func verifies(r *record, events []guard.Event) bool {
	var hash [32]byte
	for i := range events {
		if e := &events[i]; e.Seq != i+1 || e.Seal(hash) != e.Hash {
			return false
		}
		hash = events[i].Hash
	}
	return len(events) > 0 && isHead(r, &events[len(events)-1])
}

// Rivals implements guard.Store. The zero digest has no rivals. The effects come with their results, too.
func (s *Store) Rivals(ctx context.Context, tenant string, r guard.Relation, digest, key fingerprint.Digest) ([]guard.Effect, error) {
	const op = "rivals"
	switch {
	case r != guard.OtherScope && r != guard.SameIdentity && r != guard.NearEffect:
		return nil, invalid(op, "/relation", "rivals are effects in another scope, of the same identity or near")
	case r != guard.OtherScope && digest.IsZero():
		return nil, nil
	}
	var found []*record
	err := s.read(ctx, op, func(c *pgxpool.Conn) error {
		var now time.Time
		rows, err := c.Query(ctx, sqlEffectsRelated, s.clock(), encodeText(tenant), string(r), digest[:], key[:], guard.RivalMost)
		if err == nil {
			found, err = gather(rows, timeTo{&now})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []guard.Effect
	for _, r := range found {
		if !r.sound() {
			return nil, corrupt(op, r.ID)
		}
		out = append(out, r.Effect)
	}
	return out, nil
}

// Ping implements guard.Store. It makes a write of its own and so takes one flush of the disk.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, "ping", func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sqlHeartbeat)
		return err
	})
}
