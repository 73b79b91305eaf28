package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

// Bind ties the ledger to the installation whose fingerprint key has this digest. The first call records it; under
// another key every effect of the ledger would look new, so that another digest is CodeConflict from then on.
func (s *Store) Bind(ctx context.Context, mark [32]byte) error {
	const op = "bind"
	var recorded [32]byte
	err := s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, sqlInstallationBind, mark[:]); err != nil {
			return err
		}
		// A statement of its own: that of the insert would not see the mark of another store that came first.
		return c.QueryRow(ctx, sqlInstallationMark).Scan(digestTo{&recorded})
	})
	if err != nil {
		return err
	}
	if recorded != mark {
		return &guard.Error{Code: guard.CodeConflict, Op: op, Message: "the ledger was made with another installation key"}
	}
	return nil
}
