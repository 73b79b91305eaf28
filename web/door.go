package web

import (
	"context"
	"crypto/sha256"
	"errors"
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
	anybody   right = iota // no session
	reviewers              // a session, which only reviewers and admins get
	admins                 // the session of an admin
)

// visitor is who makes a request. The principal of one who is not signed in has no role.
type visitor struct {
	principal guard.Principal
	session   session
	dev       bool
}

// door lets people in.
type door struct {
	keys   *guard.CredentialCache
	dev    bool
	cookie *sealer
	links  *oneTimeLinks
	now    func() time.Time

	mu    sync.Mutex
	ended map[string]time.Time // sessions that were signed out, until they would have ended by themselves
}

const maxEnded = 10_000

func newDoor(c Config, secure bool) (*door, error) {
	d := &door{keys: guard.NewCredentialCache(c.Credentials), dev: c.Dev, links: newOneTimeLinks(), now: time.Now, ended: map[string]time.Time{}}
	if c.Dev {
		return d, nil
	}
	if c.Credentials == nil {
		return nil, errors.New("web: credentials are needed; only a development server runs without keys")
	}
	var err error
	d.cookie, err = newSealer(c.Key, secure)
	return d, err
}

// admit finds out who makes a request and whether they may. It renews a session that is in use.
func (w *Web) admit(c echo.Context, need right) (visitor, error) {
	v, err := w.door.visitor(c.Request())
	switch {
	case need == anybody:
		return v, nil
	case err != nil:
		return v, err
	case need == admins && v.principal.Role != guard.RoleAdmin:
		return v, &guard.Error{Code: guard.CodeForbidden, Message: "only an admin may do this"}
	case v.dev:
		return v, nil
	}
	if now := w.door.now(); now.Sub(v.session.Seen) > renewAfter {
		s := v.session
		s.Seen = now
		if err := w.door.cookie.write(c.Response(), sessionCookie, s, sessionIdle); err != nil {
			return v, err
		}
	}
	return v, nil
}

// visitor reads the session of a request. Everybody who is not signed in gets errSignIn.
func (d *door) visitor(r *http.Request) (visitor, error) {
	if d.dev {
		return visitor{principal: guard.Developer(), dev: true}, nil
	}
	var s session
	if !d.cookie.read(r, sessionCookie, &s) || !s.valid(d.now()) || d.isEnded(s.ID) {
		return visitor{}, errSignIn
	}
	v := visitor{session: s}
	if s.Person != nil {
		v.principal = *s.Person
	} else {
		p, err := d.find(r.Context(), s.Hash)
		if err != nil {
			return visitor{}, err
		}
		v.principal = p
	}
	if !v.principal.Reviews() {
		return visitor{}, errSignIn
	}
	return v, nil
}

// find is the owner of a credential. A revoked key ends its sessions within a second.
func (d *door) find(ctx context.Context, hash [32]byte) (guard.Principal, error) {
	p, err := d.keys.Owner(ctx, hash, d.now())
	if guard.CodeOf(err) == guard.CodeNotFound {
		return p, errSignIn
	}
	return p, err
}

var (
	errNoKey   = &refusal{http.StatusUnauthorized, "Not known", "This key is not known here, or it was revoked."}
	errAgent   = &refusal{http.StatusForbidden, "This is an agent's key", "Only reviewers and admins sign in. An agent's key proposes calls, and can never decide on one."}
	errOldLink = &refusal{http.StatusGone, "This link is over", "It was used already, or is too old. Sign in with a key."}
)

// open begins the session of a key.
func (d *door) open(ctx context.Context, key string) (session, error) {
	return d.begin(ctx, sha256.Sum256([]byte(strings.TrimSpace(key))))
}

// begin begins the session of a credential.
func (d *door) begin(ctx context.Context, hash [32]byte) (session, error) {
	p, err := d.find(ctx, hash)
	if errors.Is(err, errSignIn) {
		return session{}, errNoKey
	}
	if err != nil {
		return session{}, err
	}
	if !p.Reviews() {
		return session{}, errAgent
	}
	s := newSession(d.now())
	s.Hash = hash
	return s, nil
}

// end makes a session invalid on this server, even for one who kept the cookie.
func (d *door) end(s session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if len(d.ended) >= maxEnded {
		for id, until := range d.ended {
			if now.After(until) {
				delete(d.ended, id)
			}
		}
	}
	d.ended[s.ID] = s.Began.Add(sessionMost)
}

func (d *door) isEnded(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ended := d.ended[id]
	return ended
}
