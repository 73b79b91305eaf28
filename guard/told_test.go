package guard_test

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

const toldPolicy = `version: 1
tools:
  - name: mail.send
    upstream: {http: {url: "https://mail.example/send"}}
    arguments:
      to: {role: identity, kind: email}
      body: {kind: text}
`

var (
	firstWords  = call("mail.send", `{"to":"ann@example.com","body":"The parcel leaves on Monday with the van."}`)
	secondWords = call("mail.send", `{"to":"ann@example.com","body":"On Monday the parcel leaves, with the van!"}`)
)

func TestACallThatAPersonCallsTheSameIsAnsweredFromTheFirst(t *testing.T) {
	underPolicies(t, toldPolicy, func(t *testing.T, w *world) {
		first := w.expect(alice, firstWords, guard.AnswerForwarded, guard.CodeForwarded)
		held := w.expect(alice, secondWords, guard.AnswerBlocked, guard.CodeNear)
		if held.Effect.State != guard.Held || held.Effect.Related != first.Effect.ID {
			t.Fatalf("held %+v; want it related to %s", held.Effect, first.Effect.ID)
		}
		previews, err := w.Preview(t.Context(), rita, held.Effect.ID)
		if err != nil {
			t.Fatal(err)
		}
		var foreseen *guard.Answer
		for _, p := range previews {
			if p.Choice == guard.Same {
				foreseen = &p.Answer
			}
		}
		w.mustDecide(held.Effect.ID, guard.Same)
		got := w.expect(alice, secondWords, guard.AnswerReplayed, guard.CodeReplayed)
		if got.Effect.ID != first.Effect.ID || string(got.Result.Body) != string(first.Result.Body) {
			t.Errorf("answered from %s with %s", got.Effect.ID, got.Result.Body)
		}
		if foreseen == nil || foreseen.Kind != got.Kind || foreseen.Explanation.Message != got.Explanation.Message {
			t.Errorf("foreseen %+v, got %+v", foreseen, got.Explanation)
		}
		w.executions(1)
	})
}

func TestACallThatIsTheSameAsAForgottenOneIsNew(t *testing.T) {
	underPolicies(t, toldPolicy, func(t *testing.T, w *world) {
		w.expect(alice, firstWords, guard.AnswerForwarded, guard.CodeForwarded)
		until(23 * time.Hour)
		held := w.expect(alice, secondWords, guard.AnswerBlocked, guard.CodeNear)
		w.mustDecide(held.Effect.ID, guard.Same)
		until(2 * time.Hour) // the first one's window is over, that of the decision is not
		sent := w.expect(alice, secondWords, guard.AnswerForwarded, guard.CodeForwarded)
		if sent.Effect.Generation != 2 {
			t.Errorf("generation %d, want the next one", sent.Effect.Generation)
		}
		w.executions(2)
	})
}

func TestOnlyAHeldCallCanBeTheSame(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		_, err := w.decide(held.Effect.ID, guard.Same)
		expectError(t, err, guard.CodeConflict) // it was held for a rule and not for another effect
	})
}
