package guard

import (
	"context"
	"testing"
	"time"
)

// oneKey is credentials of which every hash is that of one principal, until it is revoked.
type oneKey struct {
	Credentials
	looks   int
	revoked time.Time
	err     error
}

func (k *oneKey) FindCredential(context.Context, [32]byte) (Credential, error) {
	k.looks++
	return Credential{Principal: Principal{Subject: "ann"}, Revoked: k.revoked}, k.err
}

func TestCredentialIsTrustedForAMoment(t *testing.T) {
	keys := &oneKey{}
	c, now := NewCredentialCache(keys), time.Now()
	for range 3 {
		if p, err := c.Owner(t.Context(), [32]byte{1}, now); err != nil || p.Subject != "ann" {
			t.Fatalf("%+v %v", p, err)
		}
	}
	if keys.looks != 1 {
		t.Errorf("%d looks, want one", keys.looks)
	}
	keys.revoked = now
	if _, err := c.Owner(t.Context(), [32]byte{1}, now.Add(CredentialTrust-1)); err != nil {
		t.Errorf("within the trust: %v", err)
	}
	if _, err := c.Owner(t.Context(), [32]byte{1}, now.Add(CredentialTrust)); CodeOf(err) != CodeNotFound {
		t.Errorf("a revoked credential gives %v", err)
	}
	keys.err = &Error{Code: CodeUnavailable}
	if _, err := c.Owner(t.Context(), [32]byte{2}, now); CodeOf(err) != CodeUnavailable {
		t.Errorf("a ledger that cannot tell gives %v", err)
	}
}

func TestTrustedCredentialsAreBounded(t *testing.T) {
	c, now := NewCredentialCache(&oneKey{}), time.Now()
	for i := range maxTrusted + 1 {
		if _, err := c.Owner(t.Context(), [32]byte{byte(i), byte(i >> 8)}, now); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.trusted); n != 1 {
		t.Errorf("%d credentials are trusted, want the last one", n)
	}
}
