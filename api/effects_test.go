package api

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

func manyEffects(n int) []guard.Effect {
	list := make([]guard.Effect, n)
	for i := range list {
		list[i] = *doneEffect()
		list[i].ID = "ef_" + string(rune('a'+i))
	}
	return list
}

func TestListOfEffects(t *testing.T) {
	h := newHouse(t)
	h.guard.list = manyEffects(3)
	c := h.client(h.rev)
	p, err := c.Effects(t.Context(), client.Filter{States: []string{"done", "held"}, Tool: "pay", Run: "r", Agent: "a", Review: true, Limit: 2, Before: "ef_9"})
	if err != nil || len(p.Effects) != 2 || p.Next != "ef_b" {
		t.Fatalf("%+v %v", p, err)
	}
	if e := p.Effects[0]; e.Subject != "bot" || len(e.Fingerprint) != 64 || !e.CreatedAt.Equal(born) || e.Arguments != nil {
		t.Errorf("got %+v", e)
	}
	q := h.guard.queries[0]
	if !slices.Equal(q.States, []guard.State{guard.Done, guard.Held}) || q.Tool != "pay" || q.Run != "r" || q.Agent != "a" || !q.Review || q.Limit != 3 || q.Before != "ef_9" || q.Tenant != "" {
		t.Errorf("asked %+v", q)
	}
	h.guard.list = manyEffects(2)
	if p, err = c.Effects(t.Context(), client.Filter{Limit: 2}); err != nil || p.Next != "" {
		t.Errorf("the last page has a next: %+v %v", p, err)
	}
	for query, field := range map[string]string{
		"state=gone": "state", "limit=0": "limit", "limit=201": "limit", "limit=x": "limit", "review=maybe": "review", "tool=a&tool=b": "tool", "stat=done": "",
	} {
		if p := h.problem(http.StatusBadRequest, "invalid", "GET", "/v1/effects?"+query, h.rev, ""); p.Field != field {
			t.Errorf("%s: field %q", query, p.Field)
		}
	}
}

func TestOneEffect(t *testing.T) {
	h := newHouse(t)
	h.guard.effect = *doneEffect()
	h.guard.effect.Result = &guard.Result{Status: 200, ContentType: "application/json", Body: []byte(`{"n":1.0}`), Source: guard.FromUpstream}
	e, err := h.client(h.rev).Effect(t.Context(), "ef_1")
	digest := h.guard.effect.ArgumentsDigest()
	if err != nil || string(e.Arguments) != `{"order":"A-1"}` || e.ArgumentsDigest != hex.EncodeToString(digest[:]) || string(e.Result.Body) != `{"n":1.0}` {
		t.Errorf("%+v %v", e, err)
	}
	h.guard.err = &guard.Error{Code: guard.CodeNotFound, Message: "no such effect"}
	_, err = h.client(h.agent).Effect(t.Context(), "../me?x=/%00")
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "not_found" {
		t.Errorf("got %v", err)
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t)
	h.guard.history = []guard.Event{
		{Effect: "ef_1", Seq: 1, At: born, Kind: guard.EventClaimed, To: guard.Pending, Fence: 1, Actor: guard.Actor{Kind: "agent", Name: "bot"}, Arguments: []byte(`{"a":1e0}`)},
		{Effect: "ef_1", Seq: 2, At: born, Kind: guard.EventSettled, From: guard.Pending, To: guard.Done, Fence: 1, Actor: guard.Actor{Kind: "guard"}, Result: &guard.Result{Body: []byte("ok")}, Hash: [32]byte{0xab}},
	}
	list, err := h.client(h.rev).Events(t.Context(), "ef_1")
	if err != nil || len(list) != 2 || string(list[0].Arguments) != `{"a":1e0}` || list[1].Result.Encoding != "text" || !strings.HasPrefix(list[1].Hash, "ab00") {
		t.Errorf("%+v %v", list, err)
	}
}

func TestOutcomeAndHeartbeat(t *testing.T) {
	h := newHouse(t)
	h.guard.effect, h.guard.lease = *doneEffect(), guard.Lease{Fence: 4, Expires: born.Add(time.Minute)}
	c := h.client(h.agent)
	if e, err := c.Outcome(t.Context(), "ef_1", client.Outcome{Fence: 4, Status: "failed", Result: json.RawMessage(`{"x":1}`), IsError: true, Error: "no money"}); err != nil || e.ID != "ef_1" {
		t.Fatal(e, err)
	}
	if r := h.guard.reports[0]; r.Effect != "ef_1" || r.Fence != 4 || r.State != guard.Failed || string(r.Result) != `{"x":1}` || !r.IsError || r.Reason != "no money" {
		t.Errorf("got %+v", r)
	}
	if l, err := c.Heartbeat(t.Context(), "ef_1", 4); err != nil || l.Fence != 4 || !l.ExpiresAt.Equal(born.Add(time.Minute)) {
		t.Error(l, err)
	}
	for body, field := range map[string]string{`{"fence":1,"status":"held"}`: "/status", `{"fence":1}`: "/status", `{"status":"done"}`: "/fence", `{"fence":-1,"status":"done"}`: "/fence"} {
		if p := h.problem(400, "invalid", "POST", "/v1/effects/ef_1/outcome", h.agent, body); p.Field != field {
			t.Errorf("%s: field %q", body, p.Field)
		}
	}
	h.guard.err = &guard.Error{Code: guard.CodeStaleFence, Message: "somebody decided", Effect: doneEffect()}
	_, err := c.Outcome(t.Context(), "ef_1", client.Outcome{Fence: 1, Status: "done"})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Effect == nil || p.Effect.State != "done" {
		t.Errorf("a stale report does not show the effect as it stands: %v", err)
	}
	if len(h.guard.reports) != 2 {
		t.Errorf("%d reports reached the guard", len(h.guard.reports))
	}
}

func TestReviews(t *testing.T) {
	h := newHouse(t)
	h.guard.effect = *doneEffect()
	h.guard.effect.State, h.guard.effect.Review, h.guard.effect.Reason = guard.Held, guard.CodeHeld, "above 500"
	h.guard.list = manyEffects(2)
	c := h.client(h.rev)
	q, err := c.Reviews(t.Context(), 1, "rv_z")
	if err != nil || len(q.Reviews) != 1 || q.Next != "rv_a" {
		t.Fatalf("%+v %v", q, err)
	}
	digest := h.guard.effect.ArgumentsDigest()
	r := q.Reviews[0]
	if r.ID != "rv_1" || r.Effect != "ef_1" || r.Code != "held" || r.Reason != "above 500" || r.Digest != hex.EncodeToString(digest[:]) ||
		!slices.Equal(r.Choices, []string{"approve", "reject"}) || r.Subject != "bot" || string(r.Arguments) != `{"order":"A-1"}` {
		t.Errorf("got %+v", r)
	}
	if g := h.guard.queries[0]; !g.Review || g.Before != "ef_z" || g.Limit != 2 {
		t.Errorf("asked %+v", g)
	}
	if r, err = c.Review(t.Context(), "rv_1"); err != nil || r.ID != "rv_1" {
		t.Error(r, err)
	}
	if _, err := c.Decide(t.Context(), "rv_1", client.Verdict{Decision: "approve", Fence: 1, Digest: r.Digest, Reason: "fine"}); err != nil {
		t.Error(err)
	}
	if j := h.guard.judged[0]; j.Effect != "ef_1" || j.Choice != guard.Approve || j.Digest != digest || j.Fence != 1 || j.Reason != "fine" {
		t.Errorf("judged %+v", j)
	}
	if _, err := c.Resolve(t.Context(), "ef_1", client.Resolution{Outcome: "happened", Fence: 2, Reason: "seen", Result: json.RawMessage(`7`)}); err != nil {
		t.Error(err)
	}
	if j := h.guard.judged[1]; j.Choice != guard.Happened || string(j.Result) != "7" || j.Fence != 2 {
		t.Errorf("judged %+v", j)
	}
	for body, field := range map[string]string{
		`{"decision":"approve","fence":1,"reason":""}`:                               "/digest",
		`{"decision":"approve","fence":1,"digest":"ab"}`:                             "/digest",
		`{"decision":"reject","fence":1,"digest":"` + strings.Repeat("x", 64) + `"}`: "/digest",
		`{"decision":"happened","fence":1}`:                                          "/decision",
		`{"decision":"reject"}`:                                                      "/fence",
	} {
		if p := h.problem(400, "invalid", "POST", "/v1/reviews/rv_1/decide", h.rev, body); p.Field != field {
			t.Errorf("%s: field %q", body, p.Field)
		}
	}
	if p := h.problem(400, "invalid", "POST", "/v1/effects/ef_1/resolve", h.rev, `{"outcome":"send_again","fence":1,"reason":"r"}`); p.Field != "/digest" {
		t.Errorf("field %q", p.Field)
	}
	if p := h.problem(400, "invalid", "GET", "/v1/reviews?before=ef_1", h.rev, ""); p.Field != "before" {
		t.Errorf("field %q", p.Field)
	}
	h.guard.effect.Review = ""
	h.problem(404, "not_found", "GET", "/v1/reviews/rv_1", h.rev, "")
	if len(h.guard.judged) != 2 {
		t.Errorf("%d decisions reached the guard", len(h.guard.judged))
	}
}

// What may be decided follows from the guard's table.
func TestChoices(t *testing.T) {
	for state, want := range map[guard.State][]string{
		guard.Held: {"approve", "reject"}, guard.Unknown: {"happened", "did_not_happen", "send_again"},
		guard.Partial: {"happened", "did_not_happen"}, guard.Pending: {},
		guard.Done: {"happened"}, guard.Failed: {"happened", "did_not_happen"}, // where evidence contradicts
	} {
		if got := choicesOf(&guard.Effect{State: state, Review: guard.CodeContradiction}); !slices.Equal(got, want) {
			t.Errorf("%s: %v", state, got)
		}
	}
	related := &guard.Effect{State: guard.Held, Related: "ef_1"}
	if got := choicesOf(related); !slices.Equal(got, []string{"approve", "reject", "same"}) {
		t.Errorf("held for another effect: %v", got)
	}
}

func TestFingerprintRoute(t *testing.T) {
	h := newHouse(t)
	term := fingerprint.Term{Argument: "amount", Raw: "20.0", Normal: "20", Kind: "number", Role: fingerprint.Identity}
	h.guard.shown = guard.Explained{
		Rule: "pay", Source: "p.yaml:3", Key: fingerprint.Digest{1}, Spec: "s", Terms: []fingerprint.Term{term}, Canonical: `{"amount":20}`, Other: []fingerprint.Term{term},
		Comparison: &fingerprint.Comparison{Because: []string{"b"}, Differs: []fingerprint.Difference{{Argument: "x", Decides: true}}}, Recorded: doneEffect(),
	}
	f, err := h.client(h.agent).Fingerprint(t.Context(), client.Question{Tool: "pay", Arguments: json.RawMessage(`{"amount":20.0}`), Run: "r", Labels: map[string]string{"a": "b"},
		Other: &client.Other{Arguments: json.RawMessage(`{}`), Run: "r2"}})
	if err != nil || f.Terms[0].Role != "identity" || f.Other[0].Raw != "20.0" || !f.Comparison.Differs[0].Decides || f.Recorded.ID != "ef_1" || f.Comparison.Same {
		t.Errorf("%+v %v", f, err)
	}
	if o := h.guard.otherCall; o.Tool != "pay" || o.Run != "r2" || o.Labels["a"] != "b" {
		t.Errorf("the second call is %+v", o)
	}
}

func TestHealth(t *testing.T) {
	refused := rules{set: policyOf(t, "version: 1\ntools:\n  - name: pay\n    upstream: {http: {url: \"https://pay.example/v1\", headers: {Authorization: sesame}}}\n"), err: errors.New("/etc/secret: bad")}
	h := newHouse(t, func(c *Config) { c.Policies = refused })
	c := h.client("")
	if s, err := c.Ready(t.Context()); err != nil || s.Status != "degraded" || s.Policies != "reload_refused" {
		t.Error(s, err)
	}
	for code, want := range map[guard.ErrorCode]string{guard.CodeDraining: "draining", guard.CodeUnavailable: "unavailable"} {
		h.guard.ready = &guard.Error{Code: code, Err: errors.New("disk /secret")}
		resp, text := h.send("GET", "/readyz", "", "")
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), want) || strings.Contains(string(text), "secret") {
			t.Errorf("%s: %d %s", code, resp.StatusCode, text)
		}
		if resp, text := h.send("HEAD", "/readyz", "", ""); resp.StatusCode != http.StatusServiceUnavailable || len(text) > 0 {
			t.Errorf("HEAD, %s: %d %s", code, resp.StatusCode, text)
		}
	}
	if resp, text := h.send("GET", "/healthz", "", ""); resp.StatusCode != http.StatusOK || string(text) != `{"status":"alive"}` {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := h.send("HEAD", "/healthz", "", ""); resp.StatusCode != http.StatusOK || len(text) > 0 {
		t.Errorf("HEAD: %d %s", resp.StatusCode, text)
	}
	p, err := h.client(h.rev).Policies(t.Context())
	if err != nil || p.Status != "reload_refused" || len(p.Policies) != 1 || p.Policies[0].Name != "pay" || p.Policies[0].Execute != "guard" || p.Policies[0].On["done"] != "replay" {
		t.Errorf("%+v %v", p, err)
	}
	if _, text := h.send("GET", "/v1/policies", h.rev, ""); strings.Contains(string(text), "sesame") {
		t.Errorf("a header is shown: %s", text)
	}
	if m, err := h.client(h.agent).Me(t.Context()); err != nil || m.Subject != "bot" || m.Role != "agent" {
		t.Error(m, err)
	}
}
