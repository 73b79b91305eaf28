package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// Book implements guard.Store.
func (s *Store) Book(ctx context.Context, after int64) ([]guard.Entry, error) {
	var out []guard.Entry
	err := s.read(ctx, "book", func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sqlBookAfter, after)
		if err == nil {
			out, err = pgx.CollectRows(rows, scanEntry)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Enter implements guard.Store.
func (s *Store) Enter(ctx context.Context, e guard.Entry) (guard.Entry, error) {
	const op = "enter"
	if err := e.Check(); err != nil {
		return guard.Entry{}, err
	}
	if e.Kind == guard.EntryEdition {
		e.Onto = 0
	}
	text := append([]byte{}, e.Text...) // not NULL where there is none
	var made guard.Entry
	err := s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, sqlBookEnter, s.clock(), encodeText(string(e.Kind)), encodeText(e.Name), text, encodeText(e.Author),
			encodeText(e.Reason), e.Onto)
		if err == nil {
			made, err = pgx.CollectExactlyOneRow(rows, scanEntry)
		}
		if errors.Is(err, pgx.ErrNoRows) {
			err = &guard.Error{Code: guard.CodeConflict, Op: op, Message: "a newer entry was made since: read the book and enter again"}
		}
		return err
	})
	if err != nil {
		return guard.Entry{}, err
	}
	return made, nil
}

func scanEntry(r pgx.CollectableRow) (guard.Entry, error) {
	var e guard.Entry
	err := r.Scan(&e.Number, word(&e.Kind), textTo{&e.Name}, bytesTo{&e.Text}, textTo{&e.Author}, textTo{&e.Reason}, timeTo{&e.At}, &e.Onto)
	return e, err
}
