package sqlite

import (
	"context"

	"github.com/onceguard/onceguard/guard"
)

// Bind ties the ledger to the installation whose fingerprint key has this digest. The first call records it; under
// another key every effect of the ledger would look new, so that another digest is CodeConflict from then on.
func (s *Store) Bind(ctx context.Context, mark [32]byte) error {
	return s.write(ctx, "bind", func(w *writer) error {
		stmt, err := w.conn.Prepare(sqlInstallationBind)
		if err != nil {
			return err
		}
		stmt.BindBytes(1, mark[:])
		if _, err := stmt.Step(); err != nil {
			return err
		}
		if stmt, err = w.conn.Prepare(sqlInstallationMark); err != nil {
			return err
		}
		if _, err := stmt.Step(); err != nil {
			return err
		}
		s := scanner{stmt: stmt}
		recorded := s.digest()
		if err := stmt.Reset(); err != nil {
			return err
		}
		if recorded != mark {
			return &guard.Error{Code: guard.CodeConflict, Op: "bind", Message: "the ledger was made with another installation key"}
		}
		return nil
	})
}
