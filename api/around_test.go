package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func policyOf(t *testing.T, text string) *policy.Set {
	t.Helper()
	s, err := policy.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// One request is one line of JSON that holds nothing of what the caller wrote.
func TestAccessLog(t *testing.T) {
	h := newHouse(t)
	h.guard.answer, h.guard.effect = guard.Answer{Kind: guard.AnswerReplayed, Effect: doneEffect()}, *doneEffect()
	h.send("POST", "/v1/calls?secret-query=1", h.agent, `{"tool":"secret-tool","arguments":{"a":"secret-argument"},"run":"secret-run"}`,
		"X-Request-Id", "req-1", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Other", "secret-header")
	h.send("GET", "/secret-path%0a%0d{}", h.agent, "")
	h.send("GET", "/v1/effects/secret-id", h.agent, "", "X-Request-Id", "secret id with spaces")
	text := h.log.String()
	if strings.Contains(text, "secret") || strings.Contains(text, "og_") {
		t.Errorf("the log holds what a caller wrote: %s", text)
	}
	lines := bytes.Split(bytes.TrimSpace(h.log.Bytes()), []byte("\n"))
	if len(lines) != 3 {
		t.Fatalf("%d lines for three requests: %s", len(lines), text)
	}
	var first map[string]any
	if err := json.Unmarshal(lines[0], &first); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"method": "POST", "route": "/v1/calls", "status": 200.0, "request": "req-1", "trace": "0af7651916cd43dd8448eb211c80319c", "tenant": "acme",
		"subject": "bot", "decision": "replayed", "code": "replayed", "effect": "ef_1",
	} {
		if first[name] != want {
			t.Errorf("%s is %v, want %v", name, first[name], want)
		}
	}
	if ms, ok := first["ms"].(float64); !ok || ms <= 0 {
		t.Errorf("ms is %v", first["ms"])
	}
}

// A panic is one problem for the caller, without a stack, and one line with the stack for the operator; the next request works.
func TestPanicIsAProblem(t *testing.T) {
	h := newHouse(t)
	h.guard.before = func(context.Context) { panic("secret state") }
	p := h.problem(http.StatusInternalServerError, "internal", "POST", "/v1/calls", h.agent, smallCall)
	if strings.Contains(p.Detail, "secret") || strings.Contains(p.Detail, "goroutine") {
		t.Errorf("%+v", p)
	}
	if text := h.log.String(); strings.Count(text, "secret state") != 1 || !strings.Contains(text, "TestPanicIsAProblem") || !strings.Contains(text, p.Instance) {
		t.Errorf("the log is %s", text)
	}
	h.guard.before = nil
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked}
	h.call()
}

func TestMetrics(t *testing.T) {
	m := NewMetrics("v1")
	h := newHouse(t, func(c *Config) { c.Metrics, c.OpenMetrics = m, true })
	m.Answered("pay", guard.AnswerReplayed, guard.CodeReplayed, time.Millisecond)
	m.Attempted("pay", guard.Unknown, guard.CodeUpstreamLost, time.Second)
	m.Swept(3)
	for range maxTools + 50 {
		m.Answered("tool-"+time.Now().Format(time.RFC3339Nano)+strings.Repeat("x", len(m.tools)), guard.AnswerBlocked, "c", 0)
	}
	m.Answered("pay", guard.AnswerReplayed, guard.CodeReplayed, time.Millisecond)
	_, text := h.send("GET", "/metrics", "", "")
	for _, want := range []string{
		`onceguard_calls_total{code="replayed",decision="replayed",tool="pay"} 2`,
		`onceguard_calls_total{code="c",decision="blocked",tool="other"} 51`,
		`onceguard_decision_duration_seconds_count{decision="replayed"} 2`,
		`onceguard_upstream_duration_seconds_count{outcome="unknown",tool="pay"} 1`,
		"onceguard_swept_total 3", `onceguard_build_info{go="go1`, `version="v1"} 1`, "go_goroutines ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if n := strings.Count(string(text), "onceguard_calls_total{"); n != maxTools+1 {
		t.Errorf("%d series", n)
	}
}

func TestContractIsServed(t *testing.T) {
	h := newHouse(t)
	resp, text := h.send("GET", "/openapi.yaml", "", "")
	if resp.Header.Get("Content-Type") != "application/yaml" || !bytes.Equal(text, openapi) || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v %d bytes", resp.Header, len(text))
	}
	resp, text = h.send("GET", "/schemas/policy.json", "", "")
	if resp.Header.Get("Content-Type") != "application/schema+json" || !bytes.Equal(text, policy.LanguageSchema()) {
		t.Errorf("%v %d bytes", resp.Header, len(text))
	}
}

// A person with a browser gets pages, and every program a problem document.
func TestBrowsersGetPagesOutsideTheAPI(t *testing.T) {
	page := func(c echo.Context, status int, code, detail string) error { return c.HTML(status, code+": "+detail) }
	h := newHouse(t, func(c *Config) { c.Page = page })
	html := []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}
	resp, text := h.send("GET", "/nope", "", "", html...)
	if resp.StatusCode != http.StatusNotFound || !strings.HasPrefix(string(text), "not_found: ") || resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("a browser gets %d %s", resp.StatusCode, text)
	}
	resp, text = h.send("POST", "/review", "", "x", append(html, "Origin", "https://evil.example", "Content-Type", "application/x-www-form-urlencoded")...)
	if resp.StatusCode != http.StatusForbidden || !strings.HasPrefix(string(text), "cross_origin: ") {
		t.Errorf("a browser that was led here gets %d %s", resp.StatusCode, text)
	}
	h.problem(http.StatusNotFound, "not_found", "GET", "/nope", "", "", "Accept", "*/*")
	h.problem(http.StatusNotFound, "not_found", "GET", "/v1/nope", "", "", html...)
	h.problem(http.StatusForbidden, "cross_origin", "POST", "/v1/calls", "", smallCall, append(html, "Origin", "https://evil.example")...)
}

// Behind a proxy that calls the server by another name, a browser's own origin is the address at which people reach it.
func TestAddressOfTheServerIsNoForeignOrigin(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.URL = "http://guard.example.com" })
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Explanation: guard.Explanation{Code: "x"}}
	h.call("Origin", "http://guard.example.com")
	h.problem(http.StatusForbidden, "cross_origin", "POST", "/v1/calls", h.agent, smallCall, "Origin", "https://guard.example.com")
	if _, err := New(Config{Guard: h.guard, Policies: rules{}, Credentials: h.keys, URL: "guard.example.com"}); err == nil {
		t.Error("an address that is none is taken")
	}
}
