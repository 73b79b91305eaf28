package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestPrefer(t *testing.T) {
	for _, c := range []struct {
		header  []string
		budget  time.Duration
		applied string
	}{
		{nil, 0, ""},
		{[]string{"wait=0"}, -1, "wait=0"},
		{[]string{"WAIT = 10 ; x=y"}, 10 * time.Second, "wait=10"},
		{[]string{`wait="3", wait=9`}, 3 * time.Second, "wait=3"},
		{[]string{"respond-async", "wait=99999"}, 50 * time.Second, "wait=50"},
		{[]string{"wait=-1, wait=abc, wait=99999999999999999999, wait=4"}, 4 * time.Second, "wait=4"},
		{[]string{"handling=lenient, handling=strict"}, 0, ""},
		{[]string{"Handling=Strict"}, 0, "handling=strict"},
		{[]string{",,;=,="}, 0, ""},
	} {
		p := parsePrefer(http.Header{"Prefer": c.header})
		if p.budget() != c.budget || p.applied() != c.applied {
			t.Errorf("%q: %v, %q", c.header, p.budget(), p.applied())
		}
	}
}

func TestIdempotencyKeyHeader(t *testing.T) {
	for text, want := range map[string]string{
		`abc-1`: "abc-1", `"abc"`: "abc", `"a\"b\\c"`: `a"b\c`, `"x" ; p=1`: "x", ` a b `: "a b",
	} {
		if got, err := idempotencyKey(http.Header{"Idempotency-Key": {text}}); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, bad := range [][]string{{""}, {`""`}, {`"a`}, {`"a\x"`}, {`"a" b`}, {"é"}, {"a\tb"}, {`"\`}, {"a", "a"}, {strings.Repeat("k", guard.MaxHandle+1)}} {
		if got, err := idempotencyKey(http.Header{"Idempotency-Key": bad}); err == nil {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}

// The key may come in the header, in the body, or equal in both.
func TestIdempotencyKeyPlaces(t *testing.T) {
	h := newHouse(t)
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Explanation: guard.Explanation{Code: "x"}}
	body := `{"tool":"pay","arguments":{},"idempotency_key":"k1"}`
	h.send("POST", "/v1/calls", h.agent, smallCall, "Idempotency-Key", `"k0"`)
	h.send("POST", "/v1/calls", h.agent, body, "Idempotency-Key", "k1")
	if c := h.guard.asked(); len(c) != 2 || c[0].IdempotencyKey != "k0" || c[1].IdempotencyKey != "k1" {
		t.Fatalf("got %+v", c)
	}
	if p := h.problem(400, "invalid", "POST", "/v1/calls", h.agent, body, "Idempotency-Key", "k2"); p.Field != "/idempotency_key" {
		t.Errorf("field %q", p.Field)
	}
	if len(h.guard.asked()) != 2 {
		t.Error("a refused call reached the guard")
	}
}

func TestTraceID(t *testing.T) {
	const id, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for h, want := range map[string]string{
		"00-" + id + "-" + span + "-01":                      id,
		"cc-" + id + "-" + span + "-01-later":                id,
		"ff-" + id + "-" + span + "-01":                      "",
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01": "",
		"00-" + id + "-0000000000000000-01":                  "",
		"00-" + strings.ToUpper(id) + "-" + span + "-01":     "",
		"": "", "x": "", "00-" + id + "-" + span: "",
	} {
		if got := traceID(http.Header{"Traceparent": {h}}); got != want {
			t.Errorf("%q: %q", h, got)
		}
	}
}
