package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// read runs f on a connection for reads and on one snapshot, lest Prune forget between two statements what belongs together.
func (s *Store) read(ctx context.Context, op string, f func(*conn) error) error {
	c, err := s.reader(ctx, op)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	if err = snapshot(c, f); err != nil && !isRefusal(err) {
		return unavailable(op, err)
	}
	return err
}

func snapshot(c *conn, f func(*conn) error) error {
	if err := c.exec("BEGIN"); err != nil {
		return err
	}
	err := f(c)
	if ended := c.exec("ROLLBACK"); ended != nil {
		return ended
	}
	return err
}

// Lookup implements guard.Store.
func (s *Store) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	var found guard.Found
	err := s.read(ctx, "lookup", func(c *conn) error {
		r, err := findByKey(c, key)
		found.Now = s.now()
		if err != nil || r == nil {
			return err
		}
		if found.Now.Before(r.Updated) {
			found.Now = r.Updated
		}
		found.Effect, found.Superseded = &r.Effect, r.superseded
		return load(c, "lookup", r)
	})
	if err != nil {
		return guard.Found{}, err
	}
	return found, nil
}

// Get implements guard.Store.
func (s *Store) Get(ctx context.Context, tenant, id string) (guard.Effect, error) {
	var out guard.Effect
	err := s.read(ctx, "get", func(c *conn) error {
		r, err := findInTenant(c, "get", tenant, id)
		if err != nil {
			return err
		}
		if err := load(c, "get", r); err != nil {
			return err
		}
		out = r.Effect
		return nil
	})
	return out, err
}

// Events implements guard.Store. It answers CodeCorrupt when the chain does not verify from end to end.
func (s *Store) Events(ctx context.Context, tenant, id string) ([]guard.Event, error) {
	var out []guard.Event
	err := s.read(ctx, "events", func(c *conn) error {
		r, err := findInTenant(c, "events", tenant, id)
		if err != nil {
			return err
		}
		if out, err = chain(c, r); err != nil {
			return err
		}
		if !verifies(r, out) {
			return corrupt("events", r.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// chain returns the events of an effect in order.
func chain(c *conn, r *record) ([]guard.Event, error) {
	_, events, err := numberedChain(c, r)
	return events, err
}

// numberedChain returns the events of an effect in order, and their numbers.
func numberedChain(c *conn, r *record) ([]int64, []guard.Event, error) {
	stmt, err := c.Prepare(sqlEventsOfEffect)
	if err != nil {
		return nil, nil, err
	}
	stmt.BindInt64(1, r.headEvent)
	var numbers []int64
	var events []guard.Event
	for {
		more, err := stmt.Step()
		if err != nil {
			return nil, nil, err
		}
		if !more {
			slices.Reverse(numbers)
			slices.Reverse(events)
			return numbers, events, nil
		}
		numbers, events = append(numbers, stmt.ColumnInt64(0)), append(events, scanEvent(stmt, r.ID))
	}
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

// Ping implements guard.Store. It makes a write of its own and so takes one flush of the disk.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, "ping", func(w *writer) error {
		stmt, err := w.conn.Prepare(sqlHeartbeat)
		if err != nil {
			return err
		}
		stmt.BindInt64(1, w.now.UnixMicro())
		_, err = stmt.Step()
		return errors.Join(err, stmt.Reset())
	})
}
