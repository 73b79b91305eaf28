package api

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
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

// authenticator finds out whose key a request carries.
type authenticator struct {
	keys *guard.CredentialCache
	dev  bool
}

func (a *authenticator) principal(r *http.Request) (guard.Principal, error) {
	if a.dev {
		return guard.Developer(), nil
	}
	token, err := bearer(r)
	if err != nil {
		return guard.Principal{}, err
	}
	p, err := a.keys.Owner(r.Context(), sha256.Sum256([]byte(token)), time.Now())
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Code == guard.CodeNotFound {
		return guard.Principal{}, unauthorized(e.Message, true)
	}
	return p, err
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
