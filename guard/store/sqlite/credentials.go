package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/guard"
)

// AddCredential implements guard.Credentials. A zero Created means now.
func (s *Store) AddCredential(ctx context.Context, c guard.Credential) error {
	const op = "add credential"
	switch {
	case c.ID == "":
		return invalid(op, "/id", "give the key an id")
	case c.Hash == [32]byte{}:
		return invalid(op, "/hash", "give the hash of the key")
	case c.Principal.Role != guard.RoleAgent && c.Principal.Role != guard.RoleReviewer && c.Principal.Role != guard.RoleAdmin:
		return invalid(op, "/role", "a role is agent, reviewer or admin")
	case c.Principal.SelfReview:
		return invalid(op, "/self_review", "no key may review its own calls")
	}
	return s.write(ctx, op, func(w *writer) error {
		stmt, err := w.conn.Prepare(sqlCredentialInsert)
		if err != nil {
			return err
		}
		created := c.Created
		if created.IsZero() {
			created = w.now
		}
		p := c.Principal
		b := binder{stmt: stmt}
		b.text(c.ID).blob(c.Hash[:]).text(c.Label).text(p.Tenant).text(p.Subject).text(p.Agent).text(string(p.Role))
		b.time(created).time(c.Revoked)
		if _, err := stmt.Step(); err != nil {
			return err
		}
		if w.conn.Changes() == 0 {
			return &guard.Error{Code: guard.CodeConflict, Op: op, Message: "the id or the key is in use"}
		}
		return nil
	})
}

// FindCredential implements guard.Credentials.
func (s *Store) FindCredential(ctx context.Context, hash [32]byte) (guard.Credential, error) {
	var out guard.Credential
	err := s.read(ctx, "find credential", func(c *conn) error {
		stmt, err := c.Prepare(sqlCredentialByHash)
		if err != nil {
			return err
		}
		stmt.BindBytes(1, hash[:])
		found, err := stmt.Step()
		if err != nil {
			return err
		}
		if !found {
			return noCredential("find credential")
		}
		out = scanCredential(stmt)
		return stmt.Reset()
	})
	return out, err
}

// ListCredentials implements guard.Credentials.
func (s *Store) ListCredentials(ctx context.Context) ([]guard.Credential, error) {
	var out []guard.Credential
	err := s.read(ctx, "list credentials", func(c *conn) error {
		stmt, err := c.Prepare(sqlCredentialsList)
		if err != nil {
			return err
		}
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			out = append(out, scanCredential(stmt))
		}
	})
	return out, err
}

// RevokeCredential implements guard.Credentials. An id that nobody has is CodeNotFound.
func (s *Store) RevokeCredential(ctx context.Context, id string) error {
	const op = "revoke credential"
	return s.write(ctx, op, func(w *writer) error {
		stmt, err := w.conn.Prepare(sqlCredentialByID)
		if err != nil {
			return err
		}
		stmt.BindText(1, id)
		found, err := stmt.Step()
		if err != nil {
			return err
		}
		if !found {
			return noCredential(op)
		}
		if err := stmt.Reset(); err != nil {
			return err
		}
		if stmt, err = w.conn.Prepare(sqlCredentialRevoke); err != nil {
			return err
		}
		stmt.BindText(1, id)
		stmt.BindInt64(2, w.now.UnixMicro())
		_, err = stmt.Step()
		return err
	})
}

func noCredential(op string) error {
	return &guard.Error{Code: guard.CodeNotFound, Op: op, Message: "there is no such key"}
}

func scanCredential(stmt *sqlite.Stmt) guard.Credential {
	s := scanner{stmt: stmt}
	c := guard.Credential{ID: s.text(), Hash: s.digest(), Label: s.text()}
	c.Principal = guard.Principal{Tenant: s.text(), Subject: s.text(), Agent: s.text(), Role: guard.Role(s.text())}
	c.Created, c.Revoked = s.time(), s.time()
	return c
}
