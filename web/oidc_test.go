package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/onceguard/onceguard/guard"
)

// identity is a small identity provider that says about a person what the test wants.
type identity struct {
	srv    *httptest.Server
	key    *rsa.PrivateKey
	claims map[string]any
	nonce  string // of the last sign-in
	hash   string // of its code verifier
	used   bool   // the code
	forge  func(claims map[string]any) string
}

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &identity{key: key}
	routes := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	routes.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": i.srv.URL, "authorization_endpoint": i.srv.URL + "/authorize", "token_endpoint": i.srv.URL + "/token",
			"jwks_uri": i.srv.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	routes.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	})
	routes.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if r.PostFormValue("code") != "the-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.hash || i.used {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		i.used = true
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.forge(i.claims)})
	})
	i.srv = httptest.NewServer(routes)
	t.Cleanup(i.srv.Close)
	i.forge = func(claims map[string]any) string { return i.sign(t, claims) }
	return i
}

func (i *identity) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: i.key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// house is a dashboard whose people this provider vouches for.
func (i *identity) house(t *testing.T) *house {
	return newHouse(t, newFake(), func(c *Config) {
		c.URL = "http://dashboard.example"
		c.Provider = &Provider{Name: "Example", Issuer: i.srv.URL, ClientID: "onceguard", ClientSecret: "s", Tenant: "acme", Reviewers: []string{"reviewers"}, Admins: []string{"ops"}}
	})
}

// begin begins a sign-in, and returns the state that the provider gives back.
func (i *identity) begin(t *testing.T, h *house) (state string) {
	t.Helper()
	resp, body := h.get("/signin/provider?next=/review/rv_1")
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("the sign-in answers %d: %s", resp.StatusCode, body)
	}
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("redirect_uri") != "http://dashboard.example/signin/callback" || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" {
		t.Errorf("asks with %v", q)
	}
	i.nonce, i.hash, i.used = q.Get("nonce"), q.Get("code_challenge"), false
	i.claims = map[string]any{"iss": i.srv.URL, "aud": "onceguard", "sub": "olga", "nonce": i.nonce, "groups": []string{"staff", "reviewers"},
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	return q.Get("state")
}

func callback(state string) string {
	return "/signin/callback?" + url.Values{"code": {"the-code"}, "state": {state}}.Encode()
}

func TestProviderVouchesForPeople(t *testing.T) {
	i := newIdentity(t)
	h := i.house(t)
	contains(t, h.page("/signin"), "Sign in with Example")
	state := i.begin(t, h)
	resp, body := h.get(callback(state))
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/review/rv_1" {
		t.Fatalf("answers %d %s", resp.StatusCode, body)
	}
	contains(t, h.page("/review"), "olga · reviewer")
	if resp, _ := h.get(callback(state)); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a state that was used answers %d", resp.StatusCode)
	}
}

func TestWhomTheProviderDoesNotLetIn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*identity)
		state  string
		later  time.Duration
		status int
	}{
		"other state":    {state: "x", status: 400},
		"too late":       {later: flowLife + time.Second, status: 400},
		"other nonce":    {change: func(i *identity) { i.claims["nonce"] = "x" }, status: 403},
		"other client":   {change: func(i *identity) { i.claims["aud"] = "x" }, status: 403},
		"other issuer":   {change: func(i *identity) { i.claims["iss"] = "https://evil.example" }, status: 403},
		"expired":        {change: func(i *identity) { i.claims["exp"] = time.Now().Add(-time.Hour).Unix() }, status: 403},
		"no role":        {change: func(i *identity) { i.claims["groups"] = []string{"staff"} }, status: 403},
		"no subject":     {change: func(i *identity) { i.claims["sub"] = "" }, status: 403},
		"other verifier": {change: func(i *identity) { i.hash = "x" }, status: 403},
		"no signature": {change: func(i *identity) {
			i.forge = func(claims map[string]any) string {
				text, _ := json.Marshal(claims)
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
			}
		}, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIdentity(t)
			h := i.house(t)
			state := i.begin(t, h)
			if c.change != nil {
				c.change(i)
			}
			if c.state != "" {
				state = c.state
			}
			h.later(c.later)
			resp, _ := h.get(callback(state))
			if resp.StatusCode != c.status {
				t.Errorf("answers %d, want %d", resp.StatusCode, c.status)
			}
			if resp, _ := h.get("/review"); resp.StatusCode != http.StatusSeeOther {
				t.Errorf("there is a session: %d", resp.StatusCode)
			}
		})
	}
}

// A sign-in that another browser began is not ended here, so nobody is signed in as somebody else.
func TestSignInEndsWhereItBegan(t *testing.T) {
	i := newIdentity(t)
	state := i.begin(t, i.house(t))
	h := i.house(t)
	if resp, _ := h.get(callback(state)); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("answers %d", resp.StatusCode)
	}
}

func TestRolesOfClaims(t *testing.T) {
	p := &provider{Provider: Provider{Tenant: "acme", Subject: "email", Roles: "role", Reviewers: []string{"r"}, Admins: []string{"a"}}}
	for _, c := range []struct {
		claims map[string]any
		want   guard.Role
	}{
		{map[string]any{"email": "o@example.com", "email_verified": true, "role": "r"}, guard.RoleReviewer},
		{map[string]any{"email": "o@example.com", "email_verified": true, "role": []any{"r", "a"}}, guard.RoleAdmin},
		{map[string]any{"email": "o@example.com", "email_verified": true, "role": map[string]any{"a": 1}}, ""},
		{map[string]any{"email": "o@example.com", "role": "a"}, ""},
		{map[string]any{"email": "o@example.com", "email_verified": "true", "role": "a"}, ""},
		{map[string]any{"role": "a"}, ""},
	} {
		got, err := p.principal(c.claims)
		if got.Role != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: %+v, %v", c.claims, got, err)
		}
	}
}

// People are told what to do, and the operator what is wrong.
func TestProviderThatDoesNotAnswer(t *testing.T) {
	i := newIdentity(t)
	var log bytes.Buffer
	h := newHouse(t, newFake(), func(c *Config) {
		c.URL = "http://dashboard.example"
		c.Provider = &Provider{Issuer: i.srv.URL + "/other", ClientID: "onceguard", Tenant: "acme", Admins: []string{"ops"}}
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	resp, body := h.get("/signin/provider")
	if resp.StatusCode != http.StatusBadGateway || strings.Contains(body, i.srv.URL) {
		t.Errorf("answers %d: %s", resp.StatusCode, body)
	}
	contains(t, body, "The identity provider does not answer")
	contains(t, log.String(), "404")
}

// Who waits for a silent provider waits with the others, and no longer than the own request lasts.
func TestSilentProviderIsAskedOnce(t *testing.T) {
	asked, end := make(chan struct{}, 10), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	defer silent.Close()
	defer close(end)
	p := &provider{Provider: Provider{Issuer: silent.URL}, http: silent.Client()}
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	for range 3 {
		go func() {
			_, err := p.discover(ctx)
			gone <- err
		}()
	}
	<-asked
	leave()
	for range 3 {
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves is told %v", err)
		}
	}
	if n := len(asked); n > 0 {
		t.Errorf("the provider was asked %d times more", n)
	}
}
