package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// The bounds of a page.
const (
	defaultPage = 50
	maxPage     = 500
)

// read runs f on a connection for reads.
func (s *Store) read(ctx context.Context, op string, f func(*conn) error) error {
	c, err := s.reader(ctx, op)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	err = f(c)
	if err != nil && !isRefusal(err) {
		return unavailable(op, err)
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

// List implements guard.Store.
func (s *Store) List(ctx context.Context, q guard.Query) ([]guard.Effect, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	if q.Limit < 1 || q.Limit > maxPage {
		return nil, invalid("list", "/limit", fmt.Sprintf("a page has 1 to %d effects", maxPage))
	}
	var out []guard.Effect
	err := s.read(ctx, "list", func(c *conn) error {
		// A page whose filters match little reads many rows, so that a caller who leaves must be able to end it.
		c.SetInterrupt(ctx.Done())
		defer c.SetInterrupt(nil)
		before := int64(math.MaxInt64)
		if q.Before != "" {
			last, err := findInTenant(c, "list", q.Tenant, q.Before)
			if err != nil {
				return err
			}
			before = last.number
		}
		rows, err := list(c, q, before)
		for _, r := range rows {
			out = append(out, r.Effect)
		}
		return err
	})
	return out, err
}

func list(c *conn, q guard.Query, before int64) ([]*record, error) {
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
	b := binder{stmt: stmt}
	b.text(q.Tenant).number(before).text(q.Subject).text(q.Tool).text(q.Run).text(q.Agent).text(string(q.Execute))
	b.text(string(states)).number(int64(q.Limit))
	return all(stmt)
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

// chain returns the events of an effect in order. They were all written before the row that names the last one
// was read, and none of them ever changes, so that two statements see what one would.
func chain(c *conn, r *record) ([]guard.Event, error) {
	stmt, err := c.Prepare(sqlEventsOfEffect)
	if err != nil {
		return nil, err
	}
	stmt.BindInt64(1, r.headEvent)
	var events []guard.Event
	for {
		more, err := stmt.Step()
		if err != nil {
			return nil, err
		}
		if !more {
			slices.Reverse(events)
			return events, nil
		}
		events = append(events, scanEvent(stmt, r.ID))
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
