package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// TestingOnlyOpenForgetful opens a store whose connections forget all that a session could keep each time they are given
// back, as behind a pooler that gives each transaction another session.
func TestingOnlyOpenForgetful(ctx context.Context, dsn string, o Options) (*Store, error) {
	s, err := Open(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	config, err := configure(dsn)
	if err != nil {
		return nil, err
	}
	config.AfterRelease = func(c *pgx.Conn) bool {
		_, err := c.PgConn().Exec(ctx, "DISCARD ALL").ReadAll()
		return err == nil
	}
	return openPools(ctx, config, o)
}
