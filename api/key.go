package api

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// keyPrefix begins every API key, so that scanners for leaked secrets can find one: og_(agent|reviewer|admin)_[0-9A-Za-z]{43}.
const keyPrefix = "og_"

// secretLength is the number of base 62 digits that hold 256 bits.
const secretLength = 43

// NewKey makes an API key with 256 random bits. The token is shown to its owner once; the credential, which the ledger
// keeps, holds only the token's SHA-256. That needs no salt and no slow hash, because there is nothing to guess.
func NewKey(p guard.Principal, label string) (token string, c guard.Credential, err error) {
	switch {
	case p.Tenant == "" || p.Subject == "":
		return "", c, fmt.Errorf("a key needs a tenant and a subject")
	case p.Role != guard.RoleAgent && p.Role != guard.RoleReviewer && p.Role != guard.RoleAdmin:
		return "", c, fmt.Errorf("%q is no role: choose %s, %s or %s", p.Role, guard.RoleAgent, guard.RoleReviewer, guard.RoleAdmin)
	}
	token = keyPrefix + string(p.Role) + "_" + randomDigits()
	return token, guard.Credential{
		ID: "key_" + strings.ToLower(rand.Text()[:12]), Hash: sha256.Sum256([]byte(token)), Label: label, Principal: p,
		Created: time.Now().UTC().Truncate(time.Microsecond),
	}, nil
}

func randomDigits() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	s := new(big.Int).SetBytes(b[:]).Text(62)
	return strings.Repeat("0", secretLength-len(s)) + s
}
