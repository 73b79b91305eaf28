package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// right is what a route needs.
type right int

const (
	anybody   right = iota // no key
	callers                // any valid key
	reviewers              // the key of a reviewer or an admin
	admins                 // the key of an admin
)

// DevTenant is the tenant of everybody on a server started with --dev.
const DevTenant = "dev"

// developer is everybody on a server started with --dev.
var developer = guard.Principal{Tenant: DevTenant, Subject: "dev", Role: guard.RoleAdmin, SelfReview: true}

// admit finds out who calls and whether they may. The principal comes from the key and from nothing else.
func (a *API) admit(c echo.Context, need right) (guard.Principal, error) {
	if need == anybody {
		return guard.Principal{}, nil
	}
	p, err := a.auth.principal(c.Request())
	if err != nil {
		return guard.Principal{}, err
	}
	r := recordOf(c)
	r.tenant, r.subject = p.Tenant, p.Subject
	if need == reviewers && !p.Reviews() || need == admins && p.Role != guard.RoleAdmin {
		return guard.Principal{}, &guard.Error{Code: guard.CodeForbidden, Message: "the role of this key does not allow this"}
	}
	return p, nil
}

// authenticator looks keys up by their hash. Nothing compares a secret byte by byte: a caller who could measure how far
// the search for a hash went would learn about the hash and not about a key.
type authenticator struct {
	keys guard.Credentials
	dev  bool

	mu   sync.RWMutex
	seen map[[32]byte]sighting
}

// sighting is a key that was valid a moment ago.
type sighting struct {
	principal guard.Principal
	until     time.Time
}

const (
	trust   = time.Second // how long a key is used without another look: a revoked one is refused after this at most
	maxSeen = 10_000
)

func newAuthenticator(keys guard.Credentials, dev bool) *authenticator {
	return &authenticator{keys: keys, dev: dev, seen: map[[32]byte]sighting{}}
}

func (a *authenticator) principal(r *http.Request) (guard.Principal, error) {
	if a.dev {
		return developer, nil
	}
	token, err := bearer(r)
	if err != nil {
		return guard.Principal{}, err
	}
	hash := sha256.Sum256([]byte(token))
	// The clock is read before the ledger is: the trust begins no later than the look that it rests on.
	now := time.Now()
	a.mu.RLock()
	s, ok := a.seen[hash]
	a.mu.RUnlock()
	if ok && now.Before(s.until) {
		return s.principal, nil
	}
	p, err := a.look(r.Context(), hash)
	if err != nil {
		return guard.Principal{}, err
	}
	a.mu.Lock()
	if len(a.seen) >= maxSeen {
		clear(a.seen)
	}
	a.seen[hash] = sighting{principal: p, until: now.Add(trust)}
	a.mu.Unlock()
	return p, nil
}

func (a *authenticator) look(ctx context.Context, hash [32]byte) (guard.Principal, error) {
	c, err := a.keys.FindCredential(ctx, hash)
	if guard.CodeOf(err) == guard.CodeNotFound {
		return guard.Principal{}, unauthorized("this key is not known here", true)
	}
	if err != nil {
		return guard.Principal{}, err
	}
	if !c.Revoked.IsZero() {
		return guard.Principal{}, unauthorized("this key was revoked", true)
	}
	return c.Principal, nil
}

// bearer takes the key from the Authorization header (RFC 6750, section 2.1).
func bearer(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", unauthorized(`send an API key as "Authorization: Bearer …"`, false)
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(token, keyPrefix) {
		return "", unauthorized("this is not an API key of Onceguard", true)
	}
	return token, nil
}

func unauthorized(detail string, given bool) error {
	challenge := `Bearer realm="onceguard"`
	if given {
		challenge += `, error="invalid_token"`
	}
	return &refusal{status: http.StatusUnauthorized, code: "unauthorized", field: "Authorization", detail: detail,
		header: http.Header{"Www-Authenticate": {challenge}}}
}
