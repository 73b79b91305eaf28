package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	p := c.Principal
	return s.write(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, sqlCredentialInsert, encodeText(c.ID), c.Hash[:], encodeText(c.Label),
			encodeText(p.Tenant), encodeText(p.Subject), encodeText(p.Agent), string(p.Role),
			timeArgument(c.Created), timeArgument(c.Revoked), s.clock())
		if err == nil && tag.RowsAffected() == 0 {
			err = &guard.Error{Code: guard.CodeConflict, Op: op, Message: "the id or the key is in use"}
		}
		return err
	})
}

// FindCredential implements guard.Credentials.
func (s *Store) FindCredential(ctx context.Context, hash [32]byte) (guard.Credential, error) {
	const op = "find credential"
	var out guard.Credential
	err := s.read(ctx, op, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sqlCredentialByHash, hash[:])
		if err != nil {
			return err
		}
		out, err = pgx.CollectExactlyOneRow(rows, scanCredential)
		if errors.Is(err, pgx.ErrNoRows) {
			err = noCredential(op)
		}
		return err
	})
	return out, err
}

// ListCredentials implements guard.Credentials.
func (s *Store) ListCredentials(ctx context.Context) ([]guard.Credential, error) {
	var out []guard.Credential
	err := s.read(ctx, "list credentials", func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sqlCredentialsList)
		if err == nil {
			out, err = pgx.CollectRows(rows, scanCredential)
		}
		return err
	})
	return out, err
}

// RevokeCredential implements guard.Credentials. An id that nobody has is CodeNotFound.
func (s *Store) RevokeCredential(ctx context.Context, id string) error {
	const op = "revoke credential"
	return s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
		tag, err := c.Exec(ctx, sqlCredentialRevoke, encodeText(id), s.clock())
		if err == nil && tag.RowsAffected() == 0 {
			err = noCredential(op)
		}
		return err
	})
}

func noCredential(op string) error {
	return &guard.Error{Code: guard.CodeNotFound, Op: op, Message: "there is no such key"}
}

func scanCredential(r pgx.CollectableRow) (guard.Credential, error) {
	var c guard.Credential
	p := &c.Principal
	err := r.Scan(textTo{&c.ID}, digestTo{&c.Hash}, textTo{&c.Label}, textTo{&p.Tenant}, textTo{&p.Subject}, textTo{&p.Agent}, word(&p.Role),
		timeTo{&c.Created}, timeTo{&c.Revoked})
	return c, err
}
