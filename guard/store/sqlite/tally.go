package sqlite

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// AddTallies implements guard.Store.
func (s *Store) AddTallies(ctx context.Context, add []guard.Tally) error {
	for i := range add {
		if err := add[i].Check(); err != nil {
			return err
		}
	}
	if len(add) == 0 {
		return nil
	}
	return s.write(ctx, "add tallies", func(w *writer) error {
		for i := range add {
			if err := w.tally(&add[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) tally(t *guard.Tally) error {
	stmt, err := w.conn.Prepare(sqlTallyAdd)
	if err != nil {
		return err
	}
	b := binder{stmt: stmt}
	b.text(t.Tenant).time(w.now.Truncate(guard.TallyBucket)).text(t.Tool).text(t.Kind).text(string(t.Code)).number(t.Count)
	_, err = stmt.Step()
	return err
}

// Tallies implements guard.Store.
func (s *Store) Tallies(ctx context.Context, tenant string, from, until time.Time) ([]guard.Tally, error) {
	var out []guard.Tally
	err := s.read(ctx, "tallies", func(c *conn) error {
		out = nil
		stmt, err := c.Prepare(sqlTalliesOfTenant)
		if err != nil {
			return err
		}
		b := binder{stmt: stmt}
		b.text(tenant).number(firstMicro(from)).number(firstMicro(until))
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			s := scanner{stmt: stmt}
			out = append(out, guard.Tally{
				Tenant: s.text(), Start: s.time(), Tool: s.text(), Kind: s.text(), Code: guard.Code(s.text()), Count: s.number(),
			})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
