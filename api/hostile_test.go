package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// tripwire is a ledger that only notices that it was asked.
type tripwire struct {
	guard.Store
	touched atomic.Int64
}

func (s *tripwire) Lookup(context.Context, fingerprint.Digest) (guard.Found, error) {
	s.touched.Add(1)
	return guard.Found{}, &guard.Error{Code: guard.CodeUnavailable}
}

func (s *tripwire) Claim(context.Context, guard.ClaimRequest) (guard.Claimed, error) {
	s.touched.Add(1)
	return guard.Claimed{}, &guard.Error{Code: guard.CodeUnavailable}
}

func (s *tripwire) Enter(_ context.Context, e guard.Entry) (guard.Entry, error) {
	return e, nil
}

func (s *tripwire) Book(context.Context, int64) ([]guard.Entry, error) { return nil, nil }

type noForwarder struct{}

func (noForwarder) Send(context.Context, guard.Attempt) guard.Outcome {
	return guard.Outcome{State: guard.Failed, Code: guard.CodeNotSent}
}

// realHouse is a house whose guard is a real one over a tripwire.
func realHouse(t *testing.T) (*house, *tripwire) {
	wire := &tripwire{}
	g, err := guard.New(guard.Config{Store: wire, Policies: policy.Fixed(policy.Empty()), Forward: noForwarder{}, Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return newHouse(t, func(c *Config) { c.Guard = g }), wire
}

func callWith(arguments string) string { return `{"tool":"t","arguments":` + arguments + `}` }

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// hostile is the corpus: what is sent, and the status and the place that the problem must name. Where no field can be named, the detail
// names the limit.
var hostile = []struct {
	name, body string
	status     int
	field      string
	detail     string
}{
	{"nothing", " ", 400, "", "too early"},
	{"byte order mark", "\ufeff{}", 400, "", "not JSON"},
	{"no JSON", "tool=t", 400, "", "not JSON"},
	{"wrong top", "[]", 400, "", "object"},
	{"wrong top string", `"{}"`, 400, "", "object"},
	{"trailing data", smallCall + "{}", 400, "", "after top-level value"},
	{"truncated", smallCall[:30], 400, "/arguments", "too early"},
	{"comment", `{"tool":/**/"t"}`, 400, "/tool", "not JSON"},
	{"single quotes", `{'tool':'t'}`, 400, "", "not JSON"},
	{"NaN", callWith(`{"a":NaN}`), 400, "/arguments/a", "not JSON"},
	{"leading zero", callWith(`{"a":01}`), 400, "/arguments", "not JSON"},
	{"a million arrays", callWith(strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000)), 400, "", "128 levels"},
	{"a million open arrays", strings.Repeat("[", 1_000_000), 400, "", "128 levels"},
	{"a million open objects in a string", callWith(`"` + strings.Repeat(`{\"\":`, 150_000) + `"`), 400, "/arguments", "64"},
	{"65 levels", callWith(`{"a":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`), 400, "/arguments/a", "64"},
	{"100,000 keys", callWith(manyKeys(100_000)), 400, "/arguments", "10000"},
	{"100,000 labels", `{"tool":"t","arguments":{},"labels":` + strings.ReplaceAll(manyKeys(70_000), ":0", `:""`) + `}`, 400, "/labels", "32"},
	{"a number of 100,000 digits", callWith(`{"a":` + strings.Repeat("9", 100_000) + `}`), 400, "/arguments/a", "digits"},
	{"an exponent of 100,000 digits", callWith(`{"a":1e` + strings.Repeat("9", 100_000) + `}`), 400, "/arguments/a", "digits"},
	{"a name twice", `{"tool":"a","tool":"b","arguments":{}}`, 400, "/tool", "twice"},
	{"a name twice within", callWith(`{"a":{"b":1,"b":2}}`), 400, "/arguments/a/b", "twice"},
	{"a name twice by escape", callWith(`{"a":1,"\u0061":2}`), 400, "/arguments/a", "twice"},
	{"a name twice in text", callWith(`"{\"a\":1,\"a\":2}"`), 400, "/arguments/a", "twice"},
	{"bad UTF-8", callWith("{\"a\":\"\xff\"}"), 400, "/arguments/a", "UTF-8"},
	{"bad UTF-8 in a name", callWith("{\"\xc0\x80\":1}"), 400, "/arguments", "UTF-8"},
	{"a surrogate in UTF-8", callWith("{\"a\":\"\xed\xa0\x80\"}"), 400, "/arguments/a", "UTF-8"},
	{"a lone surrogate", callWith(`{"a":"\ud800"}`), 400, "/arguments/a", ""},
	{"a lone low surrogate", callWith(`{"a":"\udc00x"}`), 400, "/arguments/a", ""},
	{"a surrogate in a name", callWith(`{"\ud800":1}`), 400, "/arguments", ""},
	{"a lone surrogate in text", callWith(`"{\"a\":\"\\ud800\"}"`), 400, "/arguments/a", ""},
	{"a raw control character", callWith("{\"a\":\"\n\"}"), 400, "/arguments/a", "not JSON"},
	{"no tool", `{"arguments":{}}`, 400, "/tool", ""},
	{"null for a tool", `{"tool":null,"arguments":{}}`, 400, "/tool", ""},
	{"no arguments", `{"tool":"t"}`, 400, "/arguments", "missing"},
	{"null", `null`, 400, "/tool", ""},
	{"null for arguments", callWith("null"), 400, "/arguments", "object"},
	{"an array for arguments", callWith("[]"), 400, "/arguments", "object"},
	{"a number for arguments", callWith("1"), 400, "/arguments", "object"},
	{"text that is no object", callWith(`"[]"`), 400, "/arguments", "object"},
	{"text in text", callWith(`"\"{}\""`), 400, "/arguments", "object"},
	{"a number for a tool", `{"tool":1,"arguments":{}}`, 400, "/tool", "string"},
	{"an object for a run", `{"tool":"t","arguments":{},"run":{}}`, 400, "/run", "string"},
	{"a number for a call id", `{"tool":"t","arguments":{},"call_id":7}`, 400, "/call_id", "string"},
	{"a bool for an agent", `{"tool":"t","arguments":{},"agent":true}`, 400, "/agent", "string"},
	{"an array for labels", `{"tool":"t","arguments":{},"labels":[]}`, 400, "/labels", "object"},
	{"a number for a label", `{"tool":"t","arguments":{},"labels":{"a~/b":1}}`, 400, "/labels/a~0~1b", "string"},
	{"a number for a key", `{"tool":"t","arguments":{},"idempotency_key":1}`, 400, "/idempotency_key", "string"},
	{"another executor", `{"tool":"t","arguments":{},"execute":"me"}`, 400, "/execute", "caller"},
	{"an unknown field", `{"tool":"t","arguments":{},"tennant":"x"}`, 400, "/tennant", "no such field"},
	{"the tenant", `{"tool":"t","arguments":{},"tenant":"other"}`, 400, "/tenant", "no such field"},
	{"another case", `{"Tool":"t","arguments":{}}`, 400, "/Tool", "no such field"},
	{"an unexported field", `{"tool":"t","arguments":{},"prefer":{},"id":"x"}`, 400, "/prefer", "no such field"},
	{"a long tool", `{"tool":"` + strings.Repeat("t", 257) + `","arguments":{}}`, 400, "/tool", "256"},
	{"a line break in a run", `{"tool":"t","arguments":{},"run":"a\nb"}`, 400, "/run", "control"},
	{"a long pointer", callWith(`{"` + strings.Repeat("k", 10_000) + `":NaN}`), 400, "/arguments/kkk", ""},
	{"2 MiB", callWith(`{"a":"` + strings.Repeat("x", 2<<20) + `"}`), 413, "", "1048576"},
}

// Every hostile body gets a problem that says where or which limit, and none reaches the ledger.
func TestHostileCalls(t *testing.T) {
	h, wire := realHouse(t)
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			resp, text := h.send("POST", "/v1/calls", h.agent, c.body)
			var p client.Problem
			if err := json.Unmarshal(text, &p); err != nil || resp.StatusCode != c.status {
				t.Fatalf("%d %v %.300s", resp.StatusCode, err, text)
			}
			if c.field == "" && p.Field != "" || !strings.HasPrefix(p.Field, c.field) || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("field %q, detail %q; want %q, %q", p.Field, p.Detail, c.field, c.detail)
			}
			if len(text) > 2048 {
				t.Errorf("the problem has %d bytes", len(text))
			}
		})
	}
	if n := wire.touched.Load(); n != 0 {
		t.Errorf("the ledger was asked %d times", n)
	}
	// The wire would have noticed: a good call reaches the ledger.
	h.problem(http.StatusServiceUnavailable, "unavailable", "POST", "/v1/calls", h.agent, smallCall)
	if wire.touched.Load() == 0 {
		t.Error("a good call did not reach the ledger")
	}
}

// Every field of every other request is refused in a wrong type, by its name.
func TestWrongTypesEverywhere(t *testing.T) {
	h := newHouse(t)
	h.guard.effect, h.guard.lease = *doneEffect(), guard.Lease{Fence: 1, Expires: born}
	for _, r := range []struct{ path, good string }{
		{"/v1/effects/ef_1/outcome", `{"fence":1,"status":"done","is_error":false,"error":"e"}`},
		{"/v1/effects/ef_1/heartbeat", `{"fence":1}`},
		{"/v1/effects/ef_1/resolve", `{"outcome":"happened","fence":1,"digest":"","reason":"r"}`},
		{"/v1/reviews/rv_1/decide", `{"decision":"reject","fence":1,"digest":"","reason":"r"}`},
		{"/v1/fingerprint", `{"tool":"t","arguments":{},"run":"r","agent":"a","labels":{},"idempotency_key":"k","other":{}}`},
	} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(r.good), &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			for _, wrong := range []string{`[[]]`, `1.5`, `9223372036854775808`, `"x"`, `{"x":{}}`, `true`} {
				bad := map[string]json.RawMessage{}
				for n, v := range fields {
					bad[n] = v
				}
				bad[name] = json.RawMessage(wrong)
				body, _ := json.Marshal(bad)
				resp, text := h.send("POST", r.path, h.admin, string(body))
				var p client.Problem
				_ = json.Unmarshal(text, &p)
				// Some are of the right type for some fields: then the guard was asked.
				if resp.StatusCode == 400 && !strings.HasPrefix(p.Field, "/"+name) || resp.StatusCode != 400 && resp.StatusCode != 200 {
					t.Errorf("%s %s=%s: %d %s", r.path, name, wrong, resp.StatusCode, text)
				}
			}
		}
		p := h.problem(400, "invalid", "POST", r.path, h.admin, `{"`+"nobody"+`":1}`)
		if p.Field != "/nobody" {
			t.Errorf("%s: an unknown field is reported as %q", r.path, p.Field)
		}
	}
}

// A huge body is refused early and without memory, whether or not it says how large it is.
func TestHugeBodyCostsLittle(t *testing.T) {
	h, wire := realHouse(t)
	const size = 100 << 20
	for _, declared := range []int64{size, -1} {
		var sent atomic.Int64
		body := &endless{left: size, sent: &sent}
		req, err := http.NewRequestWithContext(t.Context(), "POST", h.srv.URL+"/v1/calls", body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = declared
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+h.agent)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp, err := h.srv.Client().Do(req)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(text), "1048576") {
			t.Errorf("declared %d: %d %s", declared, resp.StatusCode, text)
		}
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("declared %d: %d bytes sent, %d bytes allocated by both ends", declared, sent.Load(), allocated)
		if allocated > 16<<20 {
			t.Errorf("declared %d: %d bytes were allocated", declared, allocated)
		}
	}
	if wire.touched.Load() != 0 {
		t.Error("the ledger was asked")
	}
}

// endless is a body of a given size that never is in memory.
type endless struct {
	left int64
	sent *atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.left))
	for i := range n {
		p[i] = ' '
	}
	e.left -= int64(n)
	e.sent.Add(int64(n))
	return n, nil
}

// The memory that one hostile body may cost, all corpus long.
func TestHostileBodiesAreBounded(t *testing.T) {
	h, _ := realHouse(t)
	worst, name := uint64(0), ""
	for _, c := range hostile {
		req, err := http.NewRequestWithContext(t.Context(), "POST", h.srv.URL+"/v1/calls", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+h.agent)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp, err := h.srv.Client().Do(req)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := after.TotalAlloc - before.TotalAlloc; got > worst {
			worst, name = got, c.name
		}
	}
	t.Logf("the most was %d bytes, for %q", worst, name)
	if worst > 32<<20 {
		t.Errorf("%q made the server allocate %d bytes", name, worst)
	}
}

func TestMediaTypes(t *testing.T) {
	h := newHouse(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/problem+json", ";;"} {
		h.problem(http.StatusUnsupportedMediaType, "media_type", "POST", "/v1/calls", h.agent, smallCall, "Content-Type", kind)
	}
	h.problem(http.StatusUnsupportedMediaType, "media_type", "POST", "/v1/calls", h.agent, smallCall, "Content-Encoding", "gzip")
	h.problem(http.StatusBadRequest, "invalid", "POST", "/v1/calls", h.agent, "")
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked}
	h.call("Content-Type", "Application/JSON; charset=UTF-8")
	if n := len(h.guard.asked()); n != 1 {
		t.Errorf("%d calls reached the guard", n)
	}
}

func TestTooDeep(t *testing.T) {
	for text, want := range map[string]bool{
		`[[]]`: false, `[[[]]]`: true, `"[[[["`: false, `"\"[[["`: false, `"\\"[[[`: true, `{"a":{"b":{}}}`: true, `[],[],[]`: false, `]]][[[`: false, "": false, `"\`: false,
	} {
		if got := tooDeep([]byte(text), 2); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
