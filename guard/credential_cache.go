package guard

import (
	"context"
	"sync"
	"time"
)

const (
	// CredentialTrust is how long a credential is used without another look: a revoked one is refused after this at most.
	CredentialTrust = time.Second

	maxTrusted = 10_000
)

// CredentialCache finds the owners of credentials, and asks the ledger for each at most once in CredentialTrust. Nothing compares a secret byte by
// byte: a caller who could measure how far the search for a hash went would learn about the hash and not about a key.
type CredentialCache struct {
	keys Credentials

	mu      sync.RWMutex
	trusted map[[32]byte]trusted
}

// trusted is a credential that was valid a moment ago.
type trusted struct {
	principal Principal
	until     time.Time
}

// NewCredentialCache makes a cache that trusts nothing yet.
func NewCredentialCache(keys Credentials) *CredentialCache {
	return &CredentialCache{keys: keys, trusted: map[[32]byte]trusted{}}
}

// Owner returns the principal of the credential with a hash. An unknown or revoked one is CodeNotFound; every other error means that the
// ledger cannot tell. The caller reads the clock before, so that the trust begins no later than the look that it rests on.
func (c *CredentialCache) Owner(ctx context.Context, hash [32]byte, now time.Time) (Principal, error) {
	c.mu.RLock()
	known, ok := c.trusted[hash]
	c.mu.RUnlock()
	if ok && now.Before(known.until) {
		return known.principal, nil
	}
	found, err := c.keys.FindCredential(ctx, hash)
	switch {
	case CodeOf(err) == CodeNotFound:
		return Principal{}, &Error{Code: CodeNotFound, Message: "this key is not known here"}
	case err != nil:
		return Principal{}, err
	case !found.Revoked.IsZero():
		return Principal{}, &Error{Code: CodeNotFound, Message: "this key was revoked"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.trusted) >= maxTrusted {
		clear(c.trusted)
	}
	c.trusted[hash] = trusted{found.Principal, now.Add(CredentialTrust)}
	return found.Principal, nil
}
