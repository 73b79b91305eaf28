package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/api/client"
)

const mailPolicy = `version: 1
tools:
  - name: mail.send
    arguments: {to: {role: identity, kind: email}, body: {kind: text}}
    on: {near: confirm}
`

// A call in other words, which the agent declares as meant with the token of the answer.
func TestJourneyOfAConfirmedCall(t *testing.T) {
	h := wholeHouse(t, mailPolicy)
	agent, ctx := h.client(h.agent), t.Context()
	ask := must[client.Answer](t)
	call := client.Call{Tool: "mail.send", Arguments: json.RawMessage(`{"to":"ann@example.com","body":"The parcel leaves on Monday with the van."}`), Run: "r1", Wait: -1}
	a := ask(agent.Call(ctx, call))
	must[client.Effect](t)(agent.Outcome(ctx, a.Effect.ID, client.Outcome{Fence: a.Lease.Fence, Status: "done"}))

	call.Arguments = json.RawMessage(`{"to":"Ann@example.com","body":"On Monday the parcel leaves with the van!"}`)
	b := ask(agent.Call(ctx, call))
	x := b.Explanation
	if b.Decision != client.Blocked || x.Code != "near" || x.Confirm == nil || x.Matched.Effect != a.Effect.ID {
		t.Fatalf("other words are answered %+v", b)
	}
	if told := strings.Join(x.Next, " "); !strings.Contains(told, x.Confirm.Token) || !strings.Contains(told, `"confirm"`) {
		t.Errorf("the model is told: %s", told)
	}
	call.Confirm = &client.Confirm{Token: x.Confirm.Token, Reason: "The customer asked for a second parcel."}
	c := ask(agent.Call(ctx, call))
	if c.Decision != client.Proceed || c.Effect.Code != "confirmed" {
		t.Fatalf("the confirmed call is answered %+v, effect %+v", c, c.Effect)
	}
	if e := must[[]client.Event](t)(agent.Events(ctx, c.Effect.ID)); !strings.Contains(e[0].Note, "second parcel") || !strings.Contains(e[0].Note, a.Effect.ID) {
		t.Errorf("the declared intent is recorded as %+v", e[0])
	}
}

func TestACallWithAnOccurrenceThatIsNotAllowed(t *testing.T) {
	h := wholeHouse(t, mailPolicy)
	_, err := h.client(h.agent).Call(t.Context(), client.Call{Tool: "mail.send", Arguments: json.RawMessage(`{}`), Run: "r1", Occurrence: 2})
	p, ok := err.(*client.Problem)
	if !ok || p.Status != 400 || !strings.Contains(p.Detail, "another one of the same") {
		t.Errorf("got %v", err)
	}
}

func TestTwoCallsAreCompared(t *testing.T) {
	h := wholeHouse(t, mailPolicy+"  - {name: pay, arguments: {order: {role: identity, kind: id}, amount: {kind: number}}, on: {same_identity: hold}}\n")
	for _, c := range []struct{ tool, run, a, b, relation string }{
		{"mail.send", "r1", `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, `{"to":"A@EXAMPLE.com","body":"the parcel  leaves on monday."}`, "same"},
		{"mail.send", "r1", `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, `{"to":"a@example.com","body":"On Monday the parcel leaves."}`, "near"},
		{"mail.send", "r1", `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, `{"to":"a@example.com","body":"Please pay the invoice."}`, "same_identity"},
		{"mail.send", "r1", `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, `{"to":"b@example.com","body":"The parcel leaves on Monday."}`, "different"},
		{"mail.send", "r2", `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, `{"to":"a@example.com","body":"The parcel leaves on Monday."}`, "other_scope"},
		{"pay", "r1", `{"order":"A-1","amount":1}`, `{"order":"A-1","amount":2}`, "same_identity"},
	} {
		f := must[client.Fingerprint](t)(h.client(h.rev).Fingerprint(t.Context(), client.Question{Tool: c.tool, Arguments: json.RawMessage(c.a), Run: "r1",
			Other: &client.Other{Arguments: json.RawMessage(c.b), Run: c.run}}))
		if f.Comparison.Relation != c.relation || f.Comparison.Sentence == "" {
			t.Errorf("%s and %s: %s, want %s (%s)", c.a, c.b, f.Comparison.Relation, c.relation, f.Comparison.Sentence)
		}
	}
}
