package guard_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var thirdWording = letter("Please pay your attached invoice for March within 30 days.")

func TestATokenThatIsGivenAfterWaitingIsGood(t *testing.T) {
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			time.Sleep(time.Second)
			return ok(n)
		}
		w.start(alice, invoice)
		asked := w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeNear)
		w.expect(alice, confirming(reworded, asked), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}

func TestOneTokenAnswersSeveralQuestions(t *testing.T) {
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		elsewhere := invoice
		elsewhere.Run = "run-2"
		w.do(alice, reworded)
		w.do(alice, elsewhere)
		// An equal one is in another run, and a near one in this run.
		asked := w.expect(alice, invoice, guard.AnswerBlocked, guard.CodeOtherScope)
		asked = w.expect(alice, confirming(invoice, asked), guard.AnswerBlocked, guard.CodeNear)
		w.executions(2)
		w.expect(alice, confirming(invoice, asked), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, confirming(invoice, asked), guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(3)
	})
}

func TestAUsedTokenIsWorthNothingAtAnotherReplica(t *testing.T) {
	rules := mail("on: {near: confirm}")
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.up.script(ok(1), refused)
		w.do(alice, invoice)
		c := confirming(reworded, w.do(alice, reworded))
		w.do(alice, c)
		w.executions(2)
		w.replica(rules).expect(alice, c, guard.AnswerBlocked, guard.CodeNear)
		w.executions(2)
	})
}

func TestAReviewerIsToldWhatACallThatARuleHoldsIsLike(t *testing.T) {
	for _, choice := range []string{"hold", "confirm"} {
		underPolicies(t, mail("on: {near: "+choice+"}", `rules: [{if: "args.body.contains('Attached')", then: hold, why: "look"}]`), func(t *testing.T, w *world) {
			first := w.do(alice, invoice)
			a := w.do(alice, reworded)
			if choice == "confirm" {
				a = w.do(alice, confirming(reworded, a))
			}
			if r := a.Effect.Reason; a.Effect.State != guard.Held || !strings.HasPrefix(r, "look ") || !strings.Contains(r, first.Effect.ID) {
				t.Errorf("%s, the reviewer reads %q", a.Effect.State, r)
			}
		})
	}
}

func TestBadTokensAndTextsAreNoTrouble(t *testing.T) {
	for _, choice := range []string{"confirm", "replay", "hold"} {
		underPolicies(t, mail("on: {near: "+choice+"}"), func(t *testing.T, w *world) {
			for _, b := range []string{`1`, `null`, `[]`, `["x",1]`, `{"a":"b"}`, `""`, `"x"`, `true`, `"..."`, `[null]`, `1e400`} {
				for _, to := range []string{`"ann@example.com"`, `null`, `7`} {
					c := call("mail.send", `{"to":`+to+`,"body":`+b+`}`)
					for _, token := range []string{"", "ct_", "ct_!!", "ct_AAAA", "x", "ct_" + strings.Repeat("A", 500), "ct_" + strings.Repeat("A", 35), "ct_" + strings.Repeat("/", 36)} {
						if token != "" {
							c.Confirm = guard.Confirm{Token: token, Reason: "r"}
						}
						if _, err := w.Do(t.Context(), alice, c); err != nil && guard.CodeOf(err) != guard.CodeInvalid {
							t.Errorf("%s %q: %v", c.Arguments, token, err)
						}
					}
				}
			}
		})
	}
}
