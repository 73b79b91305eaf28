package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/onceguard/onceguard/guard"
)

// Provider is an OpenID Connect identity provider that vouches for people (OpenID Connect Core 1.0, authorization code flow
// with PKCE, RFC 7636). Its redirect address is Config.URL + "/signin/callback".
type Provider struct {
	Name         string // as the sign-in page calls it
	Issuer       string // its https address, where /.well-known/openid-configuration is found
	ClientID     string
	ClientSecret string // "" for a public client
	Tenant       string // of everybody whom it vouches for
	// Subject is the claim that names a person: "" means "sub". For "email" the provider must say that it is verified. A person
	// never decides on calls of their own subject, so it should be what agents' keys are made out to.
	Subject string
	// Roles is the claim whose values, a string or a list of them, decide on the role; "" means "groups".
	Roles     string
	Reviewers []string // values that make a reviewer
	Admins    []string // values that make an admin
	Scopes    []string // beside openid, such as "email" and "groups"
}

const (
	flowLife    = 10 * time.Minute // how long a person may take at the provider
	askProvider = 10 * time.Second // for one question to it
)

// provider speaks with an identity provider. It is found when the first person signs in, so that the dashboard starts without it.
type provider struct {
	Provider
	callback string
	http     *http.Client

	found  atomic.Pointer[oidc.Provider]
	asking singleflight.Group
}

func newProvider(c Config) (*provider, error) {
	p := c.Provider
	switch {
	case p == nil:
		return nil, nil
	case p.Issuer == "" || p.ClientID == "" || p.Tenant == "":
		return nil, errors.New("web: an identity provider needs an issuer, a client id and a tenant")
	case len(p.Reviewers)+len(p.Admins) == 0:
		return nil, errors.New("web: name the values of the claim that make reviewers and admins; else nobody could sign in")
	case c.URL == "":
		return nil, errors.New("web: an identity provider needs the address of the dashboard, to which it leads people back")
	}
	q := &provider{Provider: *p, callback: strings.TrimSuffix(c.URL, "/") + "/signin/callback", http: &http.Client{Timeout: askProvider}}
	if q.Name == "" {
		q.Name = p.Issuer
	}
	if q.Subject == "" {
		q.Subject = "sub"
	}
	if q.Roles == "" {
		q.Roles = "groups"
	}
	return q, nil
}

func (p *provider) name() string {
	if p == nil {
		return ""
	}
	return p.Name
}

// discover asks the provider for its addresses, once. All who wait share one question, and each leaves when its own request ends.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	if found := p.found.Load(); found != nil {
		return found, nil
	}
	answer := p.asking.DoChan("", func() (any, error) {
		// The provider keeps this context for later questions for its keys, so it must not be that of a request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.Background(), p.http), p.Issuer)
		if err == nil {
			p.found.Store(found)
		}
		return found, err
	})
	var err error
	select {
	case a := <-answer:
		if a.Err == nil {
			return p.found.Load(), nil
		}
		err = a.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	// The page tells people what to do, and the log tells the operator the cause.
	return nil, fmt.Errorf("%w: %w", &refusal{http.StatusBadGateway, "The identity provider does not answer", "Try again later, or sign in with a key."}, err)
}

func (p *provider) client(found *oidc.Provider) oauth2.Config {
	return oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: p.callback,
		Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...),
	}
}

// flow is a sign-in under way. It is in a sealed cookie, so that only the browser that began it can end it.
type flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"`
	Began    time.Time `json:"began"`
}

var errFlow = &refusal{http.StatusBadRequest, "This sign-in is over", "It took too long, or was begun in another browser. Begin again."}

// leaveForProvider is GET /signin/provider.
func (w *Web) leaveForProvider(c echo.Context) error {
	if w.provider == nil || w.door.dev {
		return w.fail(c, visitor{}, &refusal{http.StatusNotFound, "Not here", "No identity provider is configured."})
	}
	found, err := w.provider.discover(c.Request().Context())
	if err != nil {
		return w.fail(c, visitor{}, err)
	}
	f := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: ownPath(c.QueryParam("next")), Began: w.door.now()}
	if err := w.door.cookie.write(c.Response(), flowCookie, f, flowLife); err != nil {
		return w.fail(c, visitor{}, err)
	}
	client := w.provider.client(found)
	return c.Redirect(http.StatusSeeOther, client.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)))
}

// returnFromProvider is GET /signin/callback.
func (w *Web) returnFromProvider(c echo.Context) error {
	var f flow
	if w.provider == nil || w.door.dev || !w.door.cookie.read(c.Request(), flowCookie, &f) {
		return w.fail(c, visitor{}, errFlow)
	}
	w.door.cookie.clear(c.Response(), flowCookie)
	same := subtle.ConstantTimeCompare([]byte(f.State), []byte(c.QueryParam("state"))) == 1
	if !same || w.door.now().Sub(f.Began) > flowLife {
		return w.fail(c, visitor{}, errFlow)
	}
	if c.QueryParam("error") != "" {
		return w.fail(c, visitor{}, &refusal{http.StatusForbidden, "Not signed in", "The identity provider did not let you in."})
	}
	p, err := w.provider.person(c.Request().Context(), f, c.QueryParam("code"))
	if err != nil {
		w.log.Warn("a sign-in at the identity provider failed", "error", err)
		if _, ok := errors.AsType[*refusal](err); !ok {
			err = &refusal{http.StatusForbidden, "Not signed in", "What the identity provider answered cannot be relied on. The log says why."}
		}
		return w.fail(c, visitor{}, err)
	}
	s := newSession(w.door.now())
	s.Person = &p
	return w.welcome(c, s, f.Next)
}

// person exchanges the code of a flow for the person that the provider vouches for.
func (p *provider) person(ctx context.Context, f flow, code string) (guard.Principal, error) {
	none := guard.Principal{}
	found, err := p.discover(ctx)
	if err != nil {
		return none, err
	}
	client := p.client(found)
	token, err := client.Exchange(oidc.ClientContext(ctx, p.http), code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return none, fmt.Errorf("the code was not accepted: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return none, errors.New("the answer holds no id_token")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return none, fmt.Errorf("the id_token does not verify: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return none, errors.New("the id_token was made for another sign-in")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return none, err
	}
	return p.principal(claims)
}

// principal is who the claims name, and what they may do.
func (p *provider) principal(claims map[string]any) (guard.Principal, error) {
	subject, _ := claims[p.Subject].(string)
	if subject == "" {
		return guard.Principal{}, fmt.Errorf("the id_token has no claim %q", p.Subject)
	}
	if verified, _ := claims["email_verified"].(bool); p.Subject == "email" && !verified {
		return guard.Principal{}, errors.New("the provider does not say that the e-mail address is verified")
	}
	who := guard.Principal{Tenant: p.Tenant, Subject: subject}
	switch values := texts(claims[p.Roles]); {
	case slices.ContainsFunc(values, func(v string) bool { return slices.Contains(p.Admins, v) }):
		who.Role = guard.RoleAdmin
	case slices.ContainsFunc(values, func(v string) bool { return slices.Contains(p.Reviewers, v) }):
		who.Role = guard.RoleReviewer
	default:
		return guard.Principal{}, &refusal{http.StatusForbidden, "No reviewer", "The identity provider knows you, but does not say that you may review. Ask an operator."}
	}
	return who, nil
}

// texts reads a claim that is a text or a list of them.
func texts(claim any) []string {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		var list []string
		for _, v := range c {
			if s, ok := v.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
