package guard

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// An installation can be given a new key without reopening effects. The key under which a call is fingerprinted is a part of its
// edition (edition.go): after a rotation each call is looked up under the former key as well, as it is after an edit of the policy.
// Two servers that use different keys find each other's effects by the same means, so that a fleet needs no common moment of
// change; each of them must only have both keys, and one that lacks a key which the book names makes no claims of these tools.
//
// Compared under the key in use alone are near wordings, same_identity, other_scope and history: what was recorded before a rotation is
// not found by them. Confirm tokens from before it are good no more, and the agent is asked again. Resources, the idempotency keys of
// callers and limits stay under the first key for good, so that a write supersedes one from before, a used key stays used, and no limit
// begins anew.

// keyring makes digests under all keys of an installation.
type keyring struct {
	first, inUse *fingerprint.Maker
	name         string // of the key in use, as editions have it
	byName       map[string]*fingerprint.Maker
}

// newKeyring makes the ring of a Config.
func newKeyring(c *Config) (*keyring, error) {
	all := append([][]byte{c.Key}, c.LaterKeys...)
	if c.InUse < 0 || c.InUse >= len(all) {
		return nil, fmt.Errorf("guard: there is no key %d among %d keys", c.InUse, len(all))
	}
	k := &keyring{byName: map[string]*fingerprint.Maker{}}
	for i, key := range all {
		maker, err := fingerprint.NewMaker(key)
		if err != nil {
			return nil, err
		}
		name := ""
		if i == 0 {
			k.first = maker
		} else {
			name = keyName(key)
		}
		if slices.ContainsFunc(all[:i], func(other []byte) bool { return bytes.Equal(other, key) }) {
			return nil, errors.New("guard: a key is there twice")
		}
		k.byName[name] = maker
		if i == c.InUse {
			k.inUse, k.name = maker, name
		}
	}
	return k, nil
}

// keyName names a later key in editions, and tells nothing about it. The first key has the name "": it was used before there were
// names.
func keyName(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("onceguard key name 1"))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// lacks is why calls cannot be looked up under an edition; nil where they can.
func (k *keyring) lacks(name string) error {
	if k.byName[name] != nil {
		return nil
	}
	return &Error{Code: CodeUnavailable, Op: "call", Retry: time.Second,
		Message: "another server of this ledger uses an installation key that this one does not have; nothing was sent: copy the file installation.key from that server and start this one again"}
}
