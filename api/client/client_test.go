package client

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve runs a server that answers everything with one answer and remembers the last request.
func serve(t *testing.T, status int, body string, header ...string) (*Client, *http.Request, *string) {
	t.Helper()
	var last http.Request
	var sent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		last, sent = *r, string(text)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return New(s.URL+"/", "og_agent_k", nil), &last, &sent
}

func TestCallOnTheWire(t *testing.T) {
	c, last, sent := serve(t, 200, `{"decision":"replayed","result":{"n":1.0},"later":"field","explanation":{"code":"replayed"}}`, "Idempotent-Replayed", "true")
	a, err := c.Call(t.Context(), Call{Tool: "t", Arguments: json.RawMessage(`{"a":1.0,"b":"<&>"}`), Wait: 1500 * time.Millisecond})
	if err != nil || !a.Replayed || string(a.Result) != `{"n":1.0}` {
		t.Fatalf("%+v %v", a, err)
	}
	if *sent != `{"tool":"t","arguments":{"a":1.0,"b":"<&>"}}`+"\n" {
		t.Errorf("sent %s", *sent)
	}
	if last.Header.Get("Prefer") != "wait=1" || last.Header.Get("Authorization") != "Bearer og_agent_k" || last.Header.Get("Content-Type") != "application/json" || last.URL.Path != "/v1/calls" {
		t.Errorf("header %v", last.Header)
	}
	_, _ = c.Call(t.Context(), Call{Tool: "t", Wait: -1})
	if last.Header.Get("Prefer") != "wait=0" {
		t.Errorf("Prefer is %q", last.Header.Get("Prefer"))
	}
}

func TestProblemsAreErrors(t *testing.T) {
	c, _, _ := serve(t, 400, `{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid","field":"/tool","detail":"is missing","instance":"i1"}`)
	_, err := c.Call(t.Context(), Call{})
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.Field != "/tool" || err.Error() != "400 invalid at /tool: is missing (request i1)" {
		t.Errorf("got %v", err)
	}
	// What is between us and the guard speaks its own language.
	for status, body := range map[int]string{502: "<html>", 404: `{"message":"x"}`, 302: ""} {
		c, _, _ := serve(t, status, body, "Location", "/elsewhere")
		_, err := c.Ready(t.Context())
		if p, ok := errors.AsType[*Problem](err); !ok || p.Status != status || p.Code != "not_a_guard" {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	c, _, _ := serve(t, 200, `{"decision":`)
	if _, err := c.Call(t.Context(), Call{}); err == nil || !strings.Contains(err.Error(), "/v1/calls") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Call(t.Context(), Call{Arguments: json.RawMessage(`{`)}); err == nil || !strings.Contains(err.Error(), "writing the request") {
		t.Errorf("got %v", err)
	}
	if _, err := New("http://127.0.0.1:1", "", nil).Me(t.Context()); err == nil {
		t.Error("no server, no error")
	}
}

func TestPathsAreEscaped(t *testing.T) {
	c, last, _ := serve(t, 200, `{}`)
	_, _ = c.Effect(t.Context(), "a/../b?c")
	if last.URL.EscapedPath() != "/v1/effects/a%2F..%2Fb%3Fc" {
		t.Errorf("path %s", last.URL.EscapedPath())
	}
	_, _ = c.Effects(t.Context(), Filter{States: []string{"done", "held"}, Run: "a&b", Limit: 3})
	if last.URL.RawQuery != "limit=3&run=a%26b&state=done&state=held" {
		t.Errorf("query %s", last.URL.RawQuery)
	}
}
