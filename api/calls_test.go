package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

const smallCall = `{"tool":"pay","arguments":{"order":"A-1","amount":1.00}}`

var born = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

func doneEffect() *guard.Effect {
	return &guard.Effect{
		ID: "ef_1", Tenant: "acme", Subject: "bot", Tool: "pay", Type: "pay", Execute: guard.ByGuard, Generation: 1, State: guard.Done,
		Code: guard.CodeUpstreamDone, Fence: 1, Attempts: 1, Created: born, Updated: born, Events: 2, Key: [32]byte{1},
		Arguments: json.RawMessage(`{"order": "A-1"}`),
	}
}

func (h *house) call(header ...string) (client.Answer, *http.Response, []byte) {
	h.t.Helper()
	resp, text := h.send("POST", "/v1/calls", h.agent, smallCall, header...)
	var a client.Answer
	if err := json.Unmarshal(text, &a); err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%d %v: %s", resp.StatusCode, err, text)
	}
	return a, resp, text
}

// What the caller sent reaches the guard: arguments byte for byte, the principal from the key.
func TestCallReachesGuard(t *testing.T) {
	h := newHouse(t)
	h.guard.answer = guard.Answer{Kind: guard.AnswerProceed, Effect: doneEffect(), Lease: &guard.Lease{Fence: 3, Expires: born}}
	h.send("POST", "/v1/calls", h.agent, `{"tool":"pay","arguments": {"n": 1e0, "s":"\u00e9",  "big":12345678901234567890},
		"call_id":"c1","run":"r1","agent":"a1","labels":{"env":"prod"},"idempotency_key":"k1","execute":"caller"}`, "Prefer", "wait=7")
	got := h.guard.asked()[0]
	if string(got.Arguments) != `{"n": 1e0, "s":"\u00e9",  "big":12345678901234567890}` {
		t.Errorf("arguments changed on the way: %s", got.Arguments)
	}
	if got.Tool != "pay" || got.CallID != "c1" || got.Run != "r1" || got.Agent != "a1" || got.Labels["env"] != "prod" ||
		got.IdempotencyKey != "k1" || got.Execute != guard.ByCaller || got.Wait != 7*time.Second {
		t.Errorf("got %+v", got)
	}
	if p := h.guard.by[0]; p.Tenant != "acme" || p.Subject != "bot" || p.Role != guard.RoleAgent || p.SelfReview {
		t.Errorf("the principal is %+v", p)
	}
}

// Every decision is 200, with its header where it has one.
func TestEveryDecisionIs200(t *testing.T) {
	h := newHouse(t)
	for _, kind := range []guard.AnswerKind{guard.AnswerForwarded, guard.AnswerProceed, guard.AnswerReplayed, guard.AnswerPending, guard.AnswerBlocked} {
		h.guard.answer = guard.Answer{Kind: kind, Effect: doneEffect(), Explanation: guard.Explanation{Code: "x", Message: "m"}}
		if kind == guard.AnswerPending {
			h.guard.answer.RetryAfter = 1500 * time.Millisecond
		}
		a, resp, text := h.call()
		if a.Decision != string(kind) || a.Explanation.Message != "m" || !strings.Contains(string(text), `"next":[]`) {
			t.Errorf("%s: %s", kind, text)
		}
		if got := resp.Header.Get("Idempotent-Replayed"); (got == "true") != (kind == guard.AnswerReplayed) {
			t.Errorf("%s: Idempotent-Replayed is %q", kind, got)
		}
		if got := resp.Header.Get("Retry-After"); (got == "2") != (kind == guard.AnswerPending) {
			t.Errorf("%s: Retry-After is %q", kind, got)
		}
		if strings.Contains(string(text), `"subject"`) || strings.Contains(string(text), "A-1") {
			t.Errorf("%s: the answer shows whose the effect is, or its arguments: %s", kind, text)
		}
	}
}

// A full explanation arrives whole.
func TestExplanationArrives(t *testing.T) {
	h := newHouse(t)
	e := doneEffect()
	e.State, e.Review = guard.Held, guard.CodeHeld
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Effect: e, Explanation: guard.Explanation{
		Code: guard.CodeSameIdentity, Message: "m", SameBecause: []string{"s"}, Retry: guard.RetryNever, Next: []string{"n"},
		Differs: []guard.Difference{{Argument: "amount", Role: "material", Earlier: "1", Now: "2"}},
		Matched: &guard.Matched{Effect: "ef_0", Tool: "pay", State: guard.Done, Created: born, Age: 3 * time.Second, Run: "r",
			Result: &guard.Result{Status: 201, Body: []byte(`{"id":1}`), Source: guard.FromUpstream}},
	}}
	a, _, text := h.call()
	x := a.Explanation
	if x.Retry != "never" || x.Differs[0].Now != "2" || x.Matched.AgeMS != 3000 || string(x.Matched.Result.Body) != `{"id":1}` ||
		x.Matched.Result.Status != 201 || x.SameBecause[0] != "s" || a.ReviewURL != "/v1/reviews/rv_1" || !a.IsError {
		t.Errorf("got %s", text)
	}
}

// Results come back as they went in.
func TestResultIsVerbatim(t *testing.T) {
	h := newHouse(t)
	deep := strings.Repeat("[", 9999) + strings.Repeat("]", 9999)
	for _, c := range []struct{ body, result, encoding string }{
		{`{"id":12345678901234567890,"x":1.0,"e":1E+2}`, `{"id":12345678901234567890,"x":1.0,"e":1E+2}`, ""},
		{`"\u00e9\/<&>\ud800"`, `"\u00e9\/<&>\ud800"`, ""},
		{`{"a":1,"a":2}`, `{"a":1,"a":2}`, ""},
		{` [1, 2] `, `[1,2]`, ""},
		{`null`, `null`, ""},
		{"plain \"text\"\n\u2028", `"plain \"text\"\n` + "\u2028" + `"`, "text"},
		{`{"a":`, `"{\"a\":"`, "text"},
		{deep, `"` + deep + `"`, "text"},
		{"\xff\xfe", `"//4="`, "base64"},
		{"\"\xff\"", `"Iv8i"`, "base64"},
		{"", "", ""},
	} {
		h.guard.answer = guard.Answer{Kind: guard.AnswerReplayed, Effect: doneEffect(), Result: &guard.Result{Body: []byte(c.body)}}
		_, text := h.send("POST", "/v1/calls", h.agent, smallCall)
		want := `"result":` + c.result + `,"`
		if c.encoding != "" {
			want = `"result":` + c.result + `,"result_encoding":"` + c.encoding + `"`
		}
		if c.body == "" {
			if strings.Contains(string(text), `"result"`) {
				t.Errorf("an empty body became a result: %s", text)
			}
		} else if !strings.Contains(string(text), want) {
			t.Errorf("%.60q: want %.80s in %.300s", c.body, want, text)
		}
	}
}

// With handling=strict, and only then, two decisions are the statuses of the draft; the answer is in the problem.
func TestStrictHandling(t *testing.T) {
	h := newHouse(t)
	h.guard.answer = guard.Answer{Kind: guard.AnswerPending, Effect: doneEffect(), RetryAfter: 2 * time.Second, Explanation: guard.Explanation{Code: guard.CodePending}}
	p := h.problem(http.StatusConflict, "pending", "POST", "/v1/calls", h.agent, smallCall, "Prefer", "handling=strict")
	if p.Answer == nil || p.Answer.Decision != "pending" || p.EffectID != "ef_1" || p.RetryAfter() != 2*time.Second {
		t.Errorf("got %+v", p)
	}
	h.guard.answer = guard.Answer{Kind: guard.AnswerBlocked, Effect: doneEffect(), Explanation: guard.Explanation{Code: guard.CodeKeyConflict}}
	h.problem(http.StatusUnprocessableEntity, "key_conflict", "POST", "/v1/calls", h.agent, smallCall, "Prefer", "handling=strict")
	h.call()
	h.guard.answer.Explanation.Code = guard.CodeDenied
	_, resp, _ := h.call("Prefer", `wait=90, handling="strict"`)
	if got := resp.Header.Get("Preference-Applied"); got != "wait=50, handling=strict" {
		t.Errorf("Preference-Applied is %q", got)
	}
}

// Each error of the guard becomes its problem; no cause reaches the caller.
func TestErrorsBecomeProblems(t *testing.T) {
	h := newHouse(t)
	for code, status := range statuses {
		h.guard.err = errors.Join(errors.New("outer"), &guard.Error{Code: code, Message: "m", Err: errors.New("disk /secret/path")})
		if code == guard.CodeConflict {
			h.guard.err = &guard.Error{Code: code, Effect: doneEffect(), Retry: 3 * time.Second}
		}
		p := h.problem(status, string(code), "POST", "/v1/calls", h.agent, smallCall)
		if strings.Contains(p.Detail, "secret") || code == guard.CodeConflict && (p.EffectID != "ef_1" || p.Effect.Fence != 1 || p.RetryAfterMS != 3000) {
			t.Errorf("%s: %+v", code, p)
		}
	}
	h.guard.err = errors.New("a stranger: /secret")
	if p := h.problem(http.StatusInternalServerError, "internal", "POST", "/v1/calls", h.agent, smallCall); strings.Contains(p.Detail, "secret") {
		t.Errorf("%+v", p)
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	h := newHouse(t)
	h.problem(http.StatusNotFound, "not_found", "GET", "/v2", h.agent, "")
	h.problem(http.StatusNotFound, "not_found", "GET", "/v1/effects/a/b/c", h.agent, "")
	h.problem(http.StatusMethodNotAllowed, "method", "DELETE", "/v1/effects/ef_1", h.agent, "")
	if resp, _ := h.send("GET", "/v1/calls", h.agent, ""); resp.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(resp.Header.Get("Allow"), "POST") {
		t.Errorf("got %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}
