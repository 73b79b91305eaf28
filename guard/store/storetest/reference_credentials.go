package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// AddCredential implements guard.Credentials.
func (s *Reference) AddCredential(ctx context.Context, c guard.Credential) error {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return err
	}
	roles := []guard.Role{guard.RoleAgent, guard.RoleReviewer, guard.RoleAdmin}
	if c.ID == "" || c.Hash == [32]byte{} || !slices.Contains(roles, c.Principal.Role) || c.Principal.SelfReview {
		return refusal(guard.CodeInvalid, "a key needs an id, a hash and a role, and never reviews itself", nil)
	}
	for _, k := range s.credentials {
		if k.ID == c.ID || k.Hash == c.Hash {
			return refusal(guard.CodeConflict, "the id or the key is in use", nil)
		}
	}
	if c.Created.IsZero() {
		c.Created = s.now()
	}
	c.Created = c.Created.UTC().Truncate(time.Microsecond)
	s.credentials = append(s.credentials, c)
	return nil
}

// FindCredential implements guard.Credentials.
func (s *Reference) FindCredential(ctx context.Context, hash [32]byte) (guard.Credential, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Credential{}, err
	}
	for _, c := range s.credentials {
		if c.Hash == hash {
			return c, nil
		}
	}
	return guard.Credential{}, refusal(guard.CodeNotFound, "there is no such key", nil)
}

// ListCredentials implements guard.Credentials.
func (s *Reference) ListCredentials(ctx context.Context) ([]guard.Credential, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(s.credentials), nil
}

// RevokeCredential implements guard.Credentials.
func (s *Reference) RevokeCredential(ctx context.Context, id string) error {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return err
	}
	for i := range s.credentials {
		if c := &s.credentials[i]; c.ID == id {
			if c.Revoked.IsZero() {
				c.Revoked = s.now()
			}
			return nil
		}
	}
	return refusal(guard.CodeNotFound, "there is no such key", nil)
}
