package web

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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

// house is a dashboard over real HTTP, with a guard that can be scripted and a browser that keeps cookies.
type house struct {
	t     *testing.T
	guard *fake
	keys  *keyring
	web   *Web
	srv   *httptest.Server
	http  *http.Client

	routes *echo.Echo
}

func newHouse(t *testing.T, g *fake, change ...func(*Config)) *house {
	t.Helper()
	h := &house{t: t, guard: g, keys: &keyring{keys: map[[32]byte]guard.Credential{}}}
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
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.http = h.srv.Client()
	h.http.Jar = jar
	h.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return h
}

func hashOf(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// signIn gives the browser a session.
func (h *house) signIn(key string) *house {
	h.t.Helper()
	resp, body := h.post("/signin", url.Values{"key": {key}})
	if resp.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("the sign-in answers %d: %s", resp.StatusCode, body)
	}
	return h
}

func (h *house) get(path string, header ...string) (*http.Response, string) {
	h.t.Helper()
	return h.send(http.MethodGet, path, nil, header...)
}

func (h *house) post(path string, form url.Values, header ...string) (*http.Response, string) {
	h.t.Helper()
	return h.send(http.MethodPost, path, strings.NewReader(form.Encode()), header...)
}

func (h *house) send(method, path string, body io.Reader, header ...string) (*http.Response, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.srv.URL+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(text)
}

// page is get for a page that must come.
func (h *house) page(path string) string {
	h.t.Helper()
	resp, body := h.get(path)
	if resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s answers %d: %s", path, resp.StatusCode, body)
	}
	return body
}

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
