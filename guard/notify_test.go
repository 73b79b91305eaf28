package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// told is a Notifier that remembers what it was given, and answers by a script.
type told struct {
	mu       sync.Mutex
	messages []message
	answer   func(n int, m message) guard.Delivery // nil: all are delivered
}

type message struct {
	at time.Time
	to string
	guard.Notice
}

var (
	delivered = guard.Delivery{Done: true, Detail: "it answered 200"}
	down      = guard.Delivery{Detail: "it answered 503"}
)

func (n *told) Deliver(_ context.Context, to *policy.Endpoint, notice guard.Notice) guard.Delivery {
	n.mu.Lock()
	m := message{time.Now(), to.Name, notice}
	n.messages = append(n.messages, m)
	answer, number := n.answer, len(n.messages)
	n.mu.Unlock()
	if answer == nil {
		return delivered
	}
	return answer(number, m)
}

func (n *told) all() []message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.messages)
}

func (n *told) expect(t *testing.T, count int) []message {
	t.Helper()
	list := n.all()
	if len(list) != count {
		t.Fatalf("%d messages, want %d: %+v", len(list), count, list)
	}
	return list
}

// telling runs a story in which endpoints are told.
func telling(t *testing.T, text string, story func(t *testing.T, w *world, n *told)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, n := newWorld(t, text), &told{}
		w.notifier = n
		w.open()
		w.live(t, func(t *testing.T, w *world) { story(t, w, n) })
	})
}

// log are the codes of an effect's notes about deliveries.
func (w *world) log(id string) []guard.Code {
	w.t.Helper()
	events, err := w.Events(w.t.Context(), rita, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var codes []guard.Code
	for _, e := range events {
		if strings.HasPrefix(string(e.Code), "notif") {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

func (w *world) expectLog(id string, want ...guard.Code) {
	w.t.Helper()
	if got := w.log(id); !slices.Equal(got, want) {
		w.t.Fatalf("the delivery log is %v, want %v", got, want)
	}
}

const endpoints = `notify:
  ops: {kind: slack, url: "https://hooks.example/x", arguments: [amount]}
  audit: {url: "https://audit.example/x", secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
`

// heldTold holds calls of pay.refund above 500 and tells ops.
const heldTold = "version: 1\n" + endpoints + `tools:
  - name: pay.refund
    hold: 300h
    upstream: {http: {url: "https://pay.example/refunds"}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: EUR}
    rules: [{if: "args.amount > 500", then: hold, why: "Refunds above 500 need a person."}]
    approvals: {notify: [ops]}
`

func TestAnEndpointIsToldOfAHeldCallAtOnce(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		e := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect
		synctest.Wait()
		m := n.expect(t, 1)[0]
		want := guard.Notice{
			ID: m.ID, At: e.Created, Review: guard.ReviewID(e.ID), Effect: e.ID, Tenant: "acme", Tool: "pay.refund", State: guard.Held, Code: guard.CodeHeld,
			Why: "A rule of the policy wants a person to decide on this call. Refunds above 500 need a person.", Until: e.ExpiresAt,
			URL: "https://guard.example/review/" + guard.ReviewID(e.ID), Arguments: []guard.ToldArgument{{Path: "amount", Value: json.RawMessage("900")}},
		}
		if fmt.Sprintf("%+v", m.Notice) != fmt.Sprintf("%+v", want) || m.to != "ops" || !strings.HasPrefix(m.ID, "msg_") || strings.Contains(m.ID, ".") {
			t.Errorf("told %+v\nwant %+v", m.Notice, want)
		}
		w.expectLog(e.ID, guard.CodeNotified)
		w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		until(24 * time.Hour)
		n.expect(t, 1)
		if after := w.state(e.ID); after.Fence != e.Fence || !after.Since.Equal(e.Since) || after.ArgumentsDigest() != e.ArgumentsDigest() {
			t.Error("a note about a delivery changed what a decision is bound to")
		}
	})
}

// Reasons of every kind are told, each once, and with nothing but the policy's own words.
func TestEveryReviewIsTold(t *testing.T) {
	text := "version: 1\n" + endpoints + `defaults: {approvals: {notify: [audit]}}
tools:
  - name: pay
    upstream: {http: {url: "https://pay.example/x", timeout: 5s}}
    arguments: {order: {role: identity, kind: id}, n: {role: material}}
    on: {same_identity: hold}
    partial_when: "status == 207"
    limits: [{count: 5, per: 1h, then: hold, why: "Five are enough."}]
  - name: mail
    upstream: {http: {url: "https://pay.example/x"}}
    arguments: {to: {role: identity, kind: email}, text: {role: material, kind: text}}
    on: {near: hold}
  - name: run
    lease: 30s
`
	part := ok(1)
	part.Result.Status = 207
	for name, c := range map[string]struct {
		play func(w *world) string // what is under review at the end
		code guard.Code
		why  string
	}{
		"an outcome is not known": {func(w *world) string {
			w.up.script(lost)
			return w.do(alice, call("pay", `{"order":"a","n":1}`)).Effect.ID
		}, guard.CodeUnknown, "not known"},
		"an outcome is partial": {func(w *world) string {
			w.up.script(part)
			return w.do(alice, call("pay", `{"order":"a","n":1}`)).Effect.ID
		}, guard.CodePartial, "only in part"},
		"another effect on the same thing": {func(w *world) string {
			w.do(alice, call("pay", `{"order":"a","n":1}`))
			return w.do(alice, call("pay", `{"order":"a","n":2}`)).Effect.ID
		}, guard.CodeSameIdentity, "same thing"},
		"a limit": {func(w *world) string {
			for i := range 5 {
				w.do(alice, call("pay", fmt.Sprintf(`{"order":"o%d","n":1}`, i)))
			}
			return w.do(alice, call("pay", `{"order":"last","n":1}`)).Effect.ID
		}, guard.CodeOverLimit, "has no room for this call. Five are enough."},
		"other wording": {func(w *world) string {
			w.do(alice, call("mail", `{"to":"a@b.example","text":"Please send the invoice of March to the customer today"}`))
			return w.do(alice, call("mail", `{"to":"a@b.example","text":"Please send the invoice of March to the customer now"}`)).Effect.ID
		}, guard.CodeNear, "wording"},
		"a lease is over": {func(w *world) string {
			a := w.do(alice, call("run", `{"n":1}`))
			until(time.Minute)
			return a.Effect.ID
		}, guard.CodeLapsed, "no outcome was reported"},
		"a report of an unknown outcome": {func(w *world) string {
			a := w.do(alice, call("run", `{"n":1}`))
			_, err := w.Report(w.t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Unknown, Reason: "SECRET of the agent"})
			if err != nil {
				w.t.Fatal(err)
			}
			return a.Effect.ID
		}, guard.CodeUnknown, "not known"},
		"evidence against the record": {func(w *world) string {
			a := w.do(alice, call("run", `{"n":1}`))
			until(time.Minute)
			w.mustDecide(a.Effect.ID, guard.DidNotHappen)
			_, err := w.Report(w.t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Done})
			expectError(w.t, err, guard.CodeStaleFence)
			return a.Effect.ID
		}, guard.CodeContradiction, "speaks against"},
	} {
		t.Run(name, func(t *testing.T) {
			telling(t, text, func(t *testing.T, w *world, n *told) {
				id := c.play(w)
				synctest.Wait()
				list := n.all()
				if len(list) == 0 {
					t.Fatal("nobody was told")
				}
				m := list[len(list)-1]
				if m.Effect != id || m.Code != c.code || !strings.Contains(m.Why, c.why) || m.to != "audit" || m.Arguments != nil || strings.Contains(fmt.Sprintf("%+v", m), "SECRET") {
					t.Errorf("told %+v", m)
				}
				until(time.Hour)
				n.expect(t, len(list)) // nothing is told twice
			})
		})
	}
}

func TestOnlyListedArgumentsAreToldAndNoConcealedOnes(t *testing.T) {
	text := `version: 1
notify:
  ops: {kind: slack, url: "https://hooks.example/x", arguments: [amount, card.number, card, "items.*.price", "items.*.note", missing, long, pin]}
tools:
  - name: pay
    rules: [{if: "true", then: hold}]
    approvals: {notify: [ops]}
    seal: [card.number]
    redact: ["items.*.note", pin]
`
	telling(t, text, func(t *testing.T, w *world, n *told) {
		w.do(alice, call("pay", `{"amount":800,"card":{"number":"4111","holder":"Ann"},"items":[{"price":1.50,"note":"n1"},{"price":2}],"pin":"77","other":"x","long":"`+strings.Repeat("l", 5000)+`"}`))
		synctest.Wait()
		var got []string
		for _, a := range n.expect(t, 1)[0].Arguments {
			got = append(got, a.Path+"="+string(a.Value))
		}
		want := []string{"amount=800", "items.*.price=[1.50,2]", `long="[5002 bytes, too many for a message]"`}
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// A person's declaration or an agent's reason is recorded beside the policy's words, and is not told.
func TestAnAgentsWordsAreNotTold(t *testing.T) {
	text := "version: 1\n" + endpoints + `tools:
  - name: mail
    arguments: {to: {role: identity, kind: email}, text: {role: material, kind: text}}
    upstream: {http: {url: "https://pay.example/x"}}
    on: {near: confirm}
    rules: [{if: "args.text.contains('again')", then: hold, why: "Repeats need a person."}]
    approvals: {notify: [ops]}
`
	telling(t, text, func(t *testing.T, w *world, n *told) {
		w.do(alice, call("mail", `{"to":"a@b.example","text":"Please send the invoice of March to the customer today"}`))
		again := call("mail", `{"to":"a@b.example","text":"Please send the invoice of March to the customer again"}`)
		offer := w.do(alice, again).Explanation.Confirm
		if offer == nil {
			t.Fatal("no token was offered")
		}
		again.Confirm = guard.Confirm{Token: offer.Token, Reason: "<!channel> SECRET"}
		e := w.expect(alice, again, guard.AnswerBlocked, guard.CodeHeld).Effect
		synctest.Wait()
		if m := n.expect(t, 1)[0]; m.Effect != e.ID || !strings.HasSuffix(m.Why, "Repeats need a person.") {
			t.Errorf("told %q", m.Why)
		}
		if stored := w.state(e.ID); !strings.Contains(stored.Reason, "SECRET") {
			t.Errorf("the record does not hold the agent's words, so this test proves nothing: %q", stored.Reason)
		}
	})
}
