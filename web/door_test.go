package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// guardedPaths are pages that nobody sees without a session.
var guardedPaths = []string{"/", "/review", "/review/rv_1", "/review/rv_1/value?of=now&argument=a"}

func TestNobodySeesAnythingWithoutASession(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{"secret":"s3cret"}`)))
	for _, path := range guardedPaths {
		resp, body := h.get(path)
		if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "/signin") {
			t.Errorf("%s answers %d %s", path, resp.StatusCode, resp.Header.Get("Location"))
		}
		lacks(t, body, "s3cret")
	}
	resp, _ := h.post("/review/rv_1", decision(guard.Approve))
	if resp.StatusCode != http.StatusSeeOther || len(h.guard.judged) > 0 {
		t.Errorf("a decision without a session answers %d and decides %v", resp.StatusCode, h.guard.judged)
	}
	if resp, _ := h.get("/live"); resp.StatusCode != http.StatusNoContent {
		t.Errorf("the stream answers %d to one who is not signed in", resp.StatusCode)
	}
}

func TestSignInLeadsToWhatWasAskedFor(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`)))
	resp, _ := h.get("/review/rv_1?all=1")
	to := resp.Header.Get("Location")
	contains(t, h.page(to), `value="/review/rv_1?all=1"`)
	resp, _ = h.post("/signin", url.Values{"key": {ritasKey}, "next": {"/review/rv_1?all=1"}})
	if got := resp.Header.Get("Location"); got != "/review/rv_1?all=1" {
		t.Errorf("the sign-in leads to %q", got)
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "", "review", "/\t/evil.example", "/%0a/evil"} {
		resp, _ := h.post("/signin", url.Values{"key": {ritasKey}, "next": {next}})
		if got := resp.Header.Get("Location"); got != "/review" && got != "/%0a/evil" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	for _, c := range []struct {
		url  string
		name string
	}{{"", "onceguard_session"}, {"https://guard.example.com", "__Host-onceguard_session"}} {
		h := newHouse(t, newFake(), func(config *Config) { config.URL = c.url })
		resp, _ := h.post("/signin", url.Values{"key": {ritasKey}})
		cookies := resp.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies", len(cookies))
		}
		k := cookies[0]
		if k.Name != c.name || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Secure != (c.url != "") || k.Path != "/" || k.Domain != "" {
			t.Errorf("cookie %+v", k)
		}
		if strings.Contains(k.Value, ritasKey) {
			t.Error("the cookie holds the key")
		}
	}
}

func TestWhoDoesNotGetASession(t *testing.T) {
	h := newHouse(t, newFake())
	for key, want := range map[string]string{
		botsKey:             "An agent&#39;s key proposes calls",
		"og_reviewer_other": "not known here",
		"":                  "not known here",
		"'; DROP TABLE":     "not known here",
	} {
		resp, body := h.post("/signin", url.Values{"key": {key}})
		if resp.StatusCode < 400 || len(resp.Cookies()) > 0 {
			t.Errorf("%q: %d, cookies %v", key, resp.StatusCode, resp.Cookies())
		}
		contains(t, body, want)
	}
	// A key in the place of a session is not one.
	if resp, _ := h.get("/review", "Authorization", "Bearer "+adasKey); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("an API key opens a page: %d", resp.StatusCode)
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(*house){
		"revoked key":   func(h *house) { h.keys.revoke(hashOf(ritasKey)); h.later(2 * time.Second) },
		"idle":          func(h *house) { h.later(31 * time.Minute) },
		"signed out":    func(h *house) { h.post("/signout", nil) },
		"forged cookie": func(h *house) { h.setCookie(strings.Repeat("A", 200)) },
		"another key's server": func(h *house) {
			other := newHouse(h.t, newFake(), func(c *Config) { c.Key = []byte(strings.Repeat("x", 32)) }).signIn(ritasKey)
			h.setCookie(other.cookie())
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newFake()).signIn(ritasKey)
			h.page("/review")
			end(h)
			if resp, _ := h.get("/review"); resp.StatusCode != http.StatusSeeOther {
				t.Errorf("the session goes on: %d", resp.StatusCode)
			}
		})
	}
}

func TestSignOutEndsACopiedCookie(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	stolen := h.cookie()
	h.post("/signout", nil)
	h.setCookie(stolen)
	if resp, _ := h.get("/review"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a copied cookie outlives the sign-out: %d", resp.StatusCode)
	}
}

func TestSessionInUseIsRenewedButNotForEver(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	for range 23 {
		h.later(30*time.Minute - time.Second)
		h.page("/review")
	}
	h.later(31 * time.Minute)
	if resp, _ := h.get("/review"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a session lasts longer than %s", sessionMost)
	}
}

func TestRevocationIsSeenAfterASecond(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	h.page("/review")
	looks := h.keys.looks
	h.page("/review")
	if h.keys.looks != looks {
		t.Error("the credential is looked up for every request")
	}
}

func TestLedgerThatDoesNotAnswerIsNoSignOut(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	h.later(2 * time.Second)
	h.keys.err = &guard.Error{Code: guard.CodeUnavailable}
	resp, body := h.get("/review")
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("answers %d", resp.StatusCode)
	}
	contains(t, body, "The ledger does not answer")
	if _, err := h.web.door.open(t.Context(), ritasKey); guard.CodeOf(err) != guard.CodeUnavailable || errors.Is(err, errNoKey) {
		t.Errorf("the sign-in says %v", err)
	}
}

func TestOneTimeLink(t *testing.T) {
	h := newHouse(t, newFake())
	link := func() string {
		u := h.web.SignInLink("http://guard.example/", h.keys.keys[hashOf(adasKey)])
		return strings.TrimPrefix(u, "http://guard.example")
	}
	path := link()
	token := url.Values{"token": {strings.TrimPrefix(path, "/signin/link?token=")}}
	contains(t, h.page(path), "ada", "admin of")
	contains(t, h.page(path), "ada") // a look uses nothing up
	if resp, _ := h.post("/signin/link", token); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("the link answers %d", resp.StatusCode)
	}
	contains(t, h.page("/review"), "ada · admin")
	h.post("/signout", nil)
	if resp, _ := h.post("/signin/link", token); resp.StatusCode != http.StatusGone || len(resp.Cookies()) > 0 {
		t.Errorf("the link works twice: %d", resp.StatusCode)
	}
	path = link()
	h.later(linkLife + time.Second)
	if resp, _ := h.get(path); resp.StatusCode != http.StatusGone {
		t.Errorf("an old link answers %d", resp.StatusCode)
	}
}

func TestDevelopmentServer(t *testing.T) {
	h := newHouse(t, newFake(), func(c *Config) { c.Dev, c.Credentials, c.Key = true, nil, nil })
	contains(t, h.page("/review"), "everybody on this machine")
	if resp, _ := h.get("/review", "Host", "attacker.example"); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a foreign name gets %d", resp.StatusCode)
	}
}

// later moves the clock of the dashboard.
func (h *house) later(d time.Duration) {
	before := h.web.door.now
	h.web.door.now = func() time.Time { return before().Add(d) }
}

func (h *house) cookie() string {
	h.t.Helper()
	for _, c := range h.http.Jar.Cookies(h.url()) {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	h.t.Fatal("there is no session")
	return ""
}

func (h *house) setCookie(value string) {
	h.http.Jar.SetCookies(h.url(), []*http.Cookie{{Name: sessionCookie, Value: value, Path: "/"}})
}

func (h *house) url() *url.URL {
	u, err := url.Parse(h.srv.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}
