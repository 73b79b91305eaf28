package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestNewKey(t *testing.T) {
	form := regexp.MustCompile(`^og_agent_[0-9A-Za-z]{43}$`)
	seen := map[string]bool{}
	for range 200 {
		token, c, err := NewKey(guard.Principal{Tenant: "t", Subject: "s", Role: guard.RoleAgent}, "l")
		if err != nil || !form.MatchString(token) || seen[token] || seen[c.ID] || strings.Contains(token, c.ID) || c.Created.IsZero() {
			t.Fatalf("%q %+v %v", token, c, err)
		}
		seen[token], seen[c.ID] = true, true
	}
	for _, p := range []guard.Principal{{Subject: "s", Role: guard.RoleAgent}, {Tenant: "t", Role: guard.RoleAgent}, {Tenant: "t", Subject: "s", Role: "root"}} {
		if _, _, err := NewKey(p, ""); err == nil {
			t.Errorf("a key for %+v", p)
		}
	}
}

func TestBadKeysAre401(t *testing.T) {
	h := newHouse(t)
	gone, hash := h.keys.add(guard.Principal{Tenant: "acme", Subject: "old", Role: guard.RoleAgent})
	h.keys.revoke(hash)
	for _, value := range []string{"Bearer " + gone, "Bearer " + h.agent + "x", "Bearer og_agent_", "Bearer", "", "Basic " + h.agent, h.agent, "Bearer other"} {
		h.problem(http.StatusUnauthorized, "unauthorized", "POST", "/v1/calls", "", smallCall, "Authorization", value)
	}
	h.problem(http.StatusUnauthorized, "unauthorized", "POST", "/v1/calls", "", smallCall, "Authorization", "Bearer "+h.agent, "Authorization", "Bearer "+h.admin)
	if n := len(h.guard.asked()); n != 0 {
		t.Errorf("%d calls reached the guard", n)
	}
	if strings.Contains(h.log.String(), gone) {
		t.Error("a key is in the log")
	}
}

// A ledger that cannot answer is not a wrong key.
func TestKeysOfAnUnavailableLedger(t *testing.T) {
	h := newHouse(t)
	h.keys.err = &guard.Error{Code: guard.CodeUnavailable}
	h.problem(http.StatusServiceUnavailable, "unavailable", "POST", "/v1/calls", h.agent, smallCall)
}

// A key is looked up once a second at most, and a revoked one is refused after a second.
func TestRevokedKeyIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newKeyring()
		token, hash := keys.add(guard.Principal{Tenant: "t", Subject: "s", Role: guard.RoleAgent})
		a := &authenticator{keys: guard.NewCredentialCache(keys)}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
		req.Header.Set("Authorization", "bearer "+token)
		for range 10 {
			if p, err := a.principal(req); err != nil || p.Subject != "s" {
				t.Fatal(p, err)
			}
		}
		if keys.looks != 1 {
			t.Errorf("%d looks for ten requests", keys.looks)
		}
		keys.revoke(hash)
		time.Sleep(time.Second) // of the bubble's clock
		if _, err := a.principal(req); err == nil {
			t.Error("a revoked key was still good after its second")
		}
	})
}

// Who may do what.
func TestRoles(t *testing.T) {
	h := newHouse(t)
	h.guard.effect = *doneEffect()
	h.guard.effect.Review = guard.CodeHeld
	verdict := `{"decision":"reject","fence":1,"reason":"r"}`
	for _, c := range []struct {
		method, path, body string
		role               guard.Role // the lowest that may
	}{
		{"GET", "/v1/effects", "", guard.RoleAgent},
		{"GET", "/v1/me", "", guard.RoleAgent},
		{"GET", "/v1/reviews", "", guard.RoleReviewer},
		{"GET", "/v1/reviews/rv_1", "", guard.RoleReviewer},
		{"POST", "/v1/reviews/rv_1/decide", verdict, guard.RoleReviewer},
		{"POST", "/v1/effects/ef_1/resolve", `{"outcome":"happened","fence":1,"reason":"r"}`, guard.RoleReviewer},
		{"GET", "/v1/policies", "", guard.RoleReviewer},
		{"GET", "/metrics", "", guard.RoleAdmin},
	} {
		for rank, key := range []string{h.agent, h.rev, h.admin} {
			lowest := map[guard.Role]int{guard.RoleAgent: 0, guard.RoleReviewer: 1, guard.RoleAdmin: 2}[c.role]
			resp, text := h.send(c.method, c.path, key, c.body)
			want := http.StatusOK
			if rank < lowest {
				want = http.StatusForbidden
			}
			if resp.StatusCode != want {
				t.Errorf("%s %s with role %d: %d, want %d: %s", c.method, c.path, rank, resp.StatusCode, want, text)
			}
		}
	}
	if len(h.guard.judged) != 4 {
		t.Errorf("%d decisions reached the guard, want those of two roles on two routes", len(h.guard.judged))
	}
}

func dev(c *Config) { c.Dev, c.Credentials = true, nil }

// A development server needs no key and answers under loopback names only, so that no web page can reach it by a name that
// was made to point here.
func TestDevServer(t *testing.T) {
	h := newHouse(t, dev)
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Explanation: guard.Explanation{Code: "x"}}
	for _, host := range []string{"localhost", "LOCALHOST:7411", "127.0.0.1", "127.8.8.8:1", "[::1]:7411", "[::1]"} {
		if resp, text := h.send("POST", "/v1/calls", "", smallCall, "Host", host); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", host, resp.StatusCode, text)
		}
	}
	if p := h.guard.by[0]; p.Tenant != "dev" || p.Subject != "dev" || p.Role != guard.RoleAdmin || !p.SelfReview {
		t.Errorf("the developer is %+v", p)
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example:7411", "localhost.evil.example", "10.0.0.1", "0.0.0.0:7411", "[::]:7411"} {
		h.problem(http.StatusMisdirectedRequest, "host", "GET", "/v1/effects", "", "", "Host", host)
	}
}

// A web page of another origin cannot make a browser send a call.
func TestForeignOrigin(t *testing.T) {
	h := newHouse(t, dev)
	h.problem(http.StatusForbidden, "cross_origin", "POST", "/v1/calls", "", smallCall, "Origin", "https://evil.example")
	h.problem(http.StatusForbidden, "cross_origin", "POST", "/v1/calls", "", smallCall, "Sec-Fetch-Site", "cross-site")
	h.problem(http.StatusForbidden, "cross_origin", "POST", "/v1/calls", "", smallCall, "Origin", "null")
	if n := len(h.guard.asked()); n != 0 {
		t.Errorf("%d calls reached the guard", n)
	}
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Explanation: guard.Explanation{Code: "x"}}
	h.call("Origin", h.srv.URL)
	resp, _ := h.send("GET", "/v1/effects", "", "", "Origin", "https://evil.example")
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin may read answers")
	}
}

func TestNewRefusesToRunOpen(t *testing.T) {
	if _, err := New(Config{Guard: &fake{}, Policies: rules{}}); err == nil {
		t.Error("an API without keys and without --dev")
	}
}

// The metrics name the tools of all tenants.
func TestMetricsAreForTheOperatorsAdmins(t *testing.T) {
	for operators, want := range map[string]int{"": http.StatusOK, "acme": http.StatusOK, "globex": http.StatusForbidden} {
		h := newHouse(t, func(c *Config) { c.Operators = operators })
		if resp, text := h.send("GET", "/metrics", h.admin, ""); resp.StatusCode != want {
			t.Errorf("operators %q: %d, want %d: %.200s", operators, resp.StatusCode, want, text)
		}
	}
}
