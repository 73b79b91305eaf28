package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// Editions implements guard.Store.
func (s *Store) Editions(ctx context.Context, after int64) ([]guard.Edition, error) {
	var out []guard.Edition
	err := s.read(ctx, "editions", func(c *pgxpool.Conn) error {
		out = nil
		rows, err := c.Query(ctx, sqlEditionsAfter, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e guard.Edition
			if err := rows.Scan(&e.Number, textTo{&e.Pattern}, bytesTo{&e.Text}); err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AddEdition implements guard.Store.
func (s *Store) AddEdition(ctx context.Context, e guard.Edition) (guard.Edition, error) {
	text := append([]byte{}, e.Text...) // not NULL where there is none
	err := s.write(ctx, "add edition", func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, sqlEditionAdd, s.clock(), encodeText(e.Pattern), text).Scan(&e.Number)
	})
	if err != nil {
		return guard.Edition{}, err
	}
	return e, nil
}
