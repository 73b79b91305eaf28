package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/guard"
)

// Book implements guard.Store.
func (s *Store) Book(ctx context.Context, after int64) ([]guard.Entry, error) {
	var out []guard.Entry
	err := s.read(ctx, "book", func(c *conn) error {
		out = nil
		stmt, err := c.Prepare(sqlEntriesAfter)
		if err != nil {
			return err
		}
		stmt.BindInt64(1, after)
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			out = append(out, scanEntry(stmt))
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanEntry(stmt *sqlite.Stmt) guard.Entry {
	s := scanner{stmt: stmt}
	return guard.Entry{
		Number: s.number(), Kind: guard.EntryKind(s.text()), Name: s.text(), Text: s.blob(),
		Author: s.text(), Reason: s.text(), At: s.time(), Onto: s.number(),
	}
}

// Enter implements guard.Store.
func (s *Store) Enter(ctx context.Context, e guard.Entry) (guard.Entry, error) {
	if err := e.Check(); err != nil {
		return guard.Entry{}, err
	}
	var out guard.Entry
	err := s.write(ctx, "enter", func(w *writer) (err error) {
		out, err = w.enter(e)
		return err
	})
	if err != nil {
		return guard.Entry{}, err
	}
	return out, nil
}

func (w *writer) enter(e guard.Entry) (guard.Entry, error) {
	if e.Kind == guard.EntryEdition {
		e.Onto = 0
	} else if latest, err := w.latestEntry(e.Kind, e.Name); err != nil {
		return guard.Entry{}, err
	} else if latest != e.Onto {
		return guard.Entry{}, &guard.Error{Code: guard.CodeConflict, Op: "enter", Message: "a newer entry was made since: read the book again"}
	}
	e.Number, e.At = w.lastEntry+1, w.now
	stmt, err := w.conn.Prepare(sqlEntryInsert)
	if err != nil {
		return guard.Entry{}, err
	}
	b := binder{stmt: stmt}
	b.number(e.Number).text(string(e.Kind)).text(e.Name).blob(e.Text).text(e.Author).text(e.Reason).time(e.At).number(e.Onto)
	if _, err := stmt.Step(); err != nil {
		return guard.Entry{}, err
	}
	if w.conn.Changes() == 0 {
		return w.edition(e.Name, e.Text)
	}
	w.lastEntry = e.Number
	return e, nil
}

func (w *writer) latestEntry(kind guard.EntryKind, name string) (int64, error) {
	stmt, err := w.conn.Prepare(sqlEntryLatest)
	if err != nil {
		return 0, err
	}
	b := binder{stmt: stmt}
	b.text(string(kind)).text(name)
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	number := stmt.ColumnInt64(0)
	return number, stmt.Reset()
}

// edition returns an edition that is in the book.
func (w *writer) edition(name string, text []byte) (guard.Entry, error) {
	stmt, err := w.conn.Prepare(sqlEntryOfEdition)
	if err != nil {
		return guard.Entry{}, err
	}
	b := binder{stmt: stmt}
	b.text(name).blob(text)
	if _, err := stmt.Step(); err != nil {
		return guard.Entry{}, err
	}
	e := scanEntry(stmt)
	return e, stmt.Reset()
}
