package guard_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

const cardNumber = "4242424242424242"

// concealing are policies that conceal the card, each in one way.
var concealing = map[string]string{
	"sealed":        concealed("seal: [card, cards]"),
	"redacted":      concealed("redact: [card, cards]"),
	"sealed within": concealed("seal: [card, 'cards.*.number']"),
	"both":          concealed("seal: [card]", "redact: ['cards.*']"),
}

func concealed(lines ...string) string {
	return file(tool("pay", append(lines, sent, "share: tenant",
		"arguments: {order: {role: identity, kind: id}, card: {kind: exact}, cards: {kind: exact}}", "on: {same_identity: hold}",
		"rules: [{if: 'args.order == \"held\"', then: hold, why: asked}]")...))
}

func paying(order, number string) guard.Call {
	return call("pay", `{"order":"`+order+`","card":"`+number+`","cards":[{"number":"`+number+`"}]}`)
}

// hides fails if the card number is in what somebody is shown.
func hides(t *testing.T, what string, shown any, err error) {
	t.Helper()
	text, marshalErr := json.Marshal(shown)
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	if err != nil {
		text = append(text, err.Error()...)
	}
	// json.Marshal writes bytes in base64, so they are looked at as they are, too.
	if plain := readable(shown); bytes.Contains(text, []byte(cardNumber)) || strings.Contains(plain, cardNumber) {
		t.Errorf("%s shows the card: %s %s", what, text, plain)
	}
}

// readable are the bytes in what was returned.
func readable(shown any) string {
	result := func(r *guard.Result) string {
		if r == nil {
			return ""
		}
		return string(r.Body)
	}
	switch x := shown.(type) {
	case guard.Effect:
		return string(x.Arguments) + result(x.Result)
	case []guard.Event:
		var b strings.Builder
		for i := range x {
			b.WriteString(string(x[i].Arguments) + result(x[i].Result))
		}
		return b.String()
	case guard.Answer:
		text := result(x.Result)
		if x.Effect != nil {
			text += readable(*x.Effect)
		}
		if x.Explanation.Matched != nil {
			text += result(x.Explanation.Matched.Result)
		}
		return text
	case []guard.Preview:
		var b strings.Builder
		for i := range x {
			b.WriteString(readable(x[i].Answer))
		}
		return b.String()
	}
	return ""
}

func TestWhatThePolicyConcealsIsShownToNobody(t *testing.T) {
	for name, text := range concealing {
		t.Run(name, func(t *testing.T) {
			underPolicies(t, text, func(t *testing.T, w *world) {
				w.up.answer = func(_ context.Context, _ int, a guard.Attempt) guard.Outcome {
					if !bytes.Contains(a.Body, []byte(cardNumber)) {
						t.Errorf("the tool got %s", a.Body)
					}
					out := ok(1)
					out.Result.Body = []byte(`{"charged":"` + cardNumber + `"}`)
					return out
				}
				w.tour(t)
			})
		})
	}
}

// tour makes calls and looks at everything that the guard shows of them to others than their sender.
func (w *world) tour(t *testing.T) {
	own := w.expect(alice, paying("A-1", cardNumber), guard.AnswerForwarded, guard.CodeForwarded)
	held := w.expect(alice, paying("held", cardNumber), guard.AnswerBlocked, guard.CodeHeld)
	hides(t, "the answer to a call with another card", w.expect(bob, paying("A-1", "5555"), guard.AnswerBlocked, guard.CodeSameIdentity), nil)
	look := func() {
		for _, id := range []string{own.Effect.ID, held.Effect.ID} {
			e, err := w.Effect(t.Context(), rita, id)
			if err != nil {
				t.Fatal(err)
			}
			hides(t, "the effect", e, nil)
			events, err := w.Events(t.Context(), rita, id)
			hides(t, "the events", events, err)
			if faults := guard.Audit(e, events); len(faults) > 0 {
				t.Errorf("what is shown does not verify: %v", faults)
			}
			previews, err := w.Preview(t.Context(), rita, id)
			hides(t, "the preview", previews, err)
			if !strings.Contains(string(e.Arguments), e.About[len("order="):]) {
				t.Errorf("the other arguments are hidden, too: %s, about %q", e.Arguments, e.About)
			}
		}
		list, err := w.Effects(t.Context(), rita, guard.Query{})
		if err != nil || len(list) < 2 {
			t.Fatalf("%d effects, %v", len(list), err)
		}
		hides(t, "the list", list, nil)
	}
	look()
	e := w.state(held.Effect.ID)
	_, err := w.Decide(t.Context(), rita, guard.Judgement{
		Effect: e.ID, Choice: guard.Approve, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: "less", Arguments: json.RawMessage(e.Arguments),
	})
	expectError(t, err, guard.CodeInvalid) // the marks are no card
	_, err = w.decide(e.ID, guard.Happened)
	expectError(t, err, guard.CodeConflict)
	ge := err.(*guard.Error)
	hides(t, "an error", *ge.Effect, err)
	hides(t, "the decision", w.mustDecide(e.ID, guard.Approve), nil)
	if state := w.state(e.ID); state.State != guard.Done {
		t.Errorf("the approved call is %s", state.State)
	}
	w.executions(2)
	look()
}

func TestEqualConcealedValuesHaveEqualMarks(t *testing.T) {
	underPolicies(t, file(tool("pay", sent, "seal: [card]")), func(t *testing.T, w *world) {
		shown := func(order, number string) string {
			e := w.state(w.do(alice, call("pay", `{"order":"`+order+`","card":"`+number+`"}`)).Effect.ID)
			_, mark, _ := strings.Cut(string(e.Arguments), "[sealed ")
			return mark
		}
		one, same, other := shown("1", cardNumber), shown("2", cardNumber), shown("3", "5555")
		if one != same || one == other || one == "" {
			t.Errorf("marks %q, %q and %q", one, same, other)
		}
	})
}

// sealing counts the requests that ask for encryption.
type sealing struct {
	guard.Store
	plain, sealed atomic.Int64
}

func (s *sealing) count(yes bool) {
	if yes {
		s.sealed.Add(1)
	} else {
		s.plain.Add(1)
	}
}

func (s *sealing) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	s.count(r.Seal || r.Effect.Arguments == nil)
	return s.Store.Claim(ctx, r)
}

func (s *sealing) Settle(ctx context.Context, st guard.Settlement) (guard.Effect, error) {
	s.count(st.Seal)
	return s.Store.Settle(ctx, st)
}

func (s *sealing) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	s.count(d.Seal)
	return s.Store.Decide(ctx, d)
}

func TestEveryWriteOfASealedEffectAsksForEncryption(t *testing.T) {
	for name, want := range map[string]bool{"sealed": true, "redacted": false} {
		underPolicies(t, concealing[name], func(t *testing.T, w *world) {
			counted := &sealing{Store: w.store}
			never := func(string) storetest.Fault { return storetest.None }
			r := &world{t: t, up: w.up, store: &storetest.Faulty{Store: counted, Fail: never}}
			r.edit(concealing[name])
			r.open()
			r.do(alice, paying("A-1", cardNumber))
			r.mustDecide(r.do(alice, paying("held", cardNumber)).Effect.ID, guard.Approve)
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if want && (counted.plain.Load() != 0 || counted.sealed.Load() < 5) || !want && counted.plain.Load() < 4 {
				t.Errorf("%s: %d sealed and %d plain", name, counted.sealed.Load(), counted.plain.Load())
			}
		})
	}
}

func TestAResultIsConcealedInEverySpellingOfAValue(t *testing.T) {
	const secret = "4<929>&ü/+ \"7"
	within := func(before string) string { return base64.StdEncoding.EncodeToString([]byte(before + secret + "!")) }
	text := file(tool("pay", sent, "arguments: {order: {role: identity, kind: id}, card: {kind: exact}}", "redact: [card]"))
	for name, body := range map[string]string{
		"as it is":       secret,
		"JSON":           `{"card":"4<929>&ü/+ \"7"}`,
		"JSON, for HTML": `{"card":"4\u003c929\u003e\u0026ü/+ \"7"}`,
		"JSON, escaped":  `{"a":[{"card":"is 4\u003c929>&\u00fc\/\u002b \u00227."}]}`,
		"JSON's name":    `{"4<929>&\u00fc/+ \"7":1}`,
		"a query":        "https://a.example/?card=" + url.QueryEscape(secret),
		"a path":         "https://a.example/" + url.PathEscape(secret) + "/x",
		"base64":         within(""), "base64, one on": within("x"), "base64, two on": within("xy"),
		"base64 of URLs": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		t.Run(name, func(t *testing.T) {
			underPolicies(t, text, func(t *testing.T, w *world) {
				w.up.answer = func(context.Context, int, guard.Attempt) guard.Outcome {
					out := ok(1)
					out.Result.Body = []byte(body)
					return out
				}
				arguments, err := json.Marshal(map[string]string{"order": "A-1", "card": secret})
				if err != nil {
					t.Fatal(err)
				}
				done := w.expect(alice, call("pay", string(arguments)), guard.AnswerForwarded, guard.CodeForwarded)
				e, err := w.Effect(t.Context(), rita, done.Effect.ID)
				if err != nil || string(e.Result.Body) != `"[redacted]"` {
					t.Errorf("a reviewer sees %s: %v", e.Result.Body, err)
				}
			})
		})
	}
}

// What the agent itself says goes on record without what it must not repeat.
func TestWhatAnAgentSaysRepeatsNothing(t *testing.T) {
	text := file(tool("pay", "arguments: {order: {role: identity, kind: id}, card: {kind: exact}}", "seal: [card]"))
	underPolicies(t, text, func(t *testing.T, w *world) {
		for order, says := range map[string]string{"A-1": "no such order", "A-2": "the card " + cardNumber + " is blocked"} {
			begun := w.expect(alice, call("pay", `{"order":"`+order+`","card":"`+cardNumber+`"}`), guard.AnswerProceed, guard.CodeProceed)
			e, err := w.Report(t.Context(), alice, guard.Report{Effect: begun.Effect.ID, Fence: begun.Lease.Fence, State: guard.Failed, Reason: says})
			if err != nil {
				t.Fatal(err)
			}
			if order == "A-1" && e.Reason != says || strings.Contains(e.Reason, cardNumber) || e.Reason == "" {
				t.Errorf("%s: %q is on record", order, e.Reason)
			}
		}
	})
}
