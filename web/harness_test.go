package web

import (
	"bytes"
	"crypto/sha256"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// The keys of the test's people.
const (
	ritasKey = "og_reviewer_rita"
	adasKey  = "og_admin_ada"
	botsKey  = "og_agent_bot"
)

// house is a dashboard over real HTTP, with a guard that can be scripted.
type house struct {
	*site
	guard *fake
	keys  *keyring
	web   *Web
	srv   *httptest.Server

	routes *echo.Echo
}

func newHouse(t *testing.T, g *fake, change ...func(*Config)) *house {
	t.Helper()
	h := &house{guard: g, keys: &keyring{keys: map[[32]byte]guard.Credential{}}}
	for key, p := range map[string]guard.Principal{
		ritasKey: {Tenant: "acme", Subject: "rita", Role: guard.RoleReviewer},
		adasKey:  {Tenant: "acme", Subject: "ada", Role: guard.RoleAdmin},
		botsKey:  {Tenant: "acme", Subject: "bot", Role: guard.RoleAgent},
	} {
		hash := hashOf(key)
		h.keys.keys[hash] = guard.Credential{ID: "key_" + p.Subject, Hash: hash, Principal: p}
	}
	c := Config{Guard: g, Policies: rules{set: policy.Empty()}, Credentials: h.keys, Key: bytes.Repeat([]byte{7}, 32)}
	for _, f := range change {
		f(&c)
	}
	g.files = c.Policies.Current()
	var err error
	if h.web, err = New(c); err != nil {
		t.Fatal(err)
	}
	h.routes = echo.New()
	h.web.Register(h.routes)
	h.srv = httptest.NewServer(h.routes)
	t.Cleanup(func() {
		h.srv.CloseClientConnections() // a browser that ends may leave its stream open for a while
		h.srv.Close()
	})
	h.site = newSite(t, h.srv.URL)
	return h
}

// signIn gives the visitor a session.
func (h *house) signIn(key string) *house {
	h.t.Helper()
	h.site.signIn(key)
	return h
}

func hashOf(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// contains fails unless the page has all texts.
func contains(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page lacks %q:\n%s", text, body)
		}
	}
}

func lacks(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(body, text) {
			t.Errorf("the page has %q:\n%s", text, body)
		}
	}
}

// held is an effect that waits for a person.
func held(id, arguments string) guard.Effect {
	at := time.Date(2026, 3, 4, 15, 6, 7, 0, time.UTC)
	return guard.Effect{
		ID: id, Tenant: "acme", Subject: "support", Agent: "support-bot", Run: "ticket-4711", Tool: "payments.refund", Type: "refund",
		State: guard.Held, Code: guard.CodeHeld, Review: guard.CodeHeld, Reason: "Refunds above 500 need a person.", Fence: 1, Events: 1,
		Execute: guard.ByGuard, Arguments: []byte(arguments), Created: at, Since: at, Updated: at, ExpiresAt: at.Add(24 * time.Hour),
	}
}

// sentOff is an effect of which nobody knows whether it was applied.
func sentOff(id, arguments string) guard.Effect {
	e := held(id, arguments)
	e.State, e.Code, e.Review, e.Reason, e.Attempts = guard.Unknown, guard.CodeUpstreamLost, guard.CodeUnknown, "", 1
	e.ExpiresAt = time.Time{}
	return e
}
