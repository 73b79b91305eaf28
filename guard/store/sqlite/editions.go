package sqlite

import (
	"context"

	"github.com/onceguard/onceguard/guard"
)

// Editions implements guard.Store.
func (s *Store) Editions(ctx context.Context, after int64) ([]guard.Edition, error) {
	var out []guard.Edition
	err := s.read(ctx, "editions", func(c *conn) error {
		stmt, err := c.Prepare(sqlEditionsAfter)
		if err != nil {
			return err
		}
		stmt.BindInt64(1, after)
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			s := scanner{stmt: stmt}
			out = append(out, guard.Edition{Number: s.number(), Pattern: s.text(), Text: s.blob()})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AddEdition implements guard.Store.
func (s *Store) AddEdition(ctx context.Context, e guard.Edition) (guard.Edition, error) {
	var number int64
	err := s.write(ctx, "add edition", func(w *writer) (err error) {
		number, err = w.addEdition(&e)
		return err
	})
	if err != nil {
		return guard.Edition{}, err
	}
	e.Number = number
	return e, nil
}

func (w *writer) addEdition(e *guard.Edition) (int64, error) {
	stmt, err := w.conn.Prepare(sqlEditionInsert)
	if err != nil {
		return 0, err
	}
	b := binder{stmt: stmt}
	b.number(w.lastEdition + 1).text(e.Pattern).blob(e.Text).time(w.now)
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	if w.conn.Changes() == 1 {
		w.lastEdition++
		return w.lastEdition, nil
	}
	if stmt, err = w.conn.Prepare(sqlEditionNumber); err != nil {
		return 0, err
	}
	b = binder{stmt: stmt}
	b.text(e.Pattern).blob(e.Text)
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	number := stmt.ColumnInt64(0)
	return number, stmt.Reset()
}
