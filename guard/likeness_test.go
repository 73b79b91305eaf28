package guard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestAfterAFailureTheOtherNearEffectsCount(t *testing.T) {
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			if n == 2 {
				time.Sleep(time.Second)
				return refused
			}
			return ok(n)
		}
		w.do(alice, invoice)
		w.start(alice, confirming(reworded, w.do(alice, reworded)))
		w.executions(2)
		w.expect(alice, thirdWording, guard.AnswerBlocked, guard.CodeNear)
		w.executions(2)
	})
}

func TestASupersededEffectIsNearToNothing(t *testing.T) {
	for _, choice := range []string{"replay", "hold", "confirm"} {
		rules := file(tool("write", `resource: "file:{path}"`, "arguments: {path: {role: identity, kind: path}, text: {kind: text}}", "on: {near: "+choice+"}", sent))
		text := func(s string) guard.Call { return call("write", fmt.Sprintf(`{"path":"/tmp/f","text":%q}`, s)) }
		underPolicies(t, rules, func(t *testing.T, w *world) {
			w.do(alice, text("Your invoice for March is attached. Please pay within 30 days."))
			until(time.Second)
			w.expect(alice, text("Happy birthday, and see you at the party on the roof."), guard.AnswerForwarded, guard.CodeForwarded)
			until(time.Second)
			a := w.do(alice, text("Attached is your invoice for March; please pay it within 30 days!"))
			if a.Kind != guard.AnswerForwarded {
				t.Errorf("%s: %s %s", choice, a.Kind, a.Explanation.Code)
			}
		})
	}
}

func TestAnEffectIsSupersededByANearOne(t *testing.T) {
	for _, choice := range []string{"confirm", "allow", "hold"} {
		rules := file(tool("write", `resource: "file:{path}"`, "arguments: {path: {role: identity, kind: path}, text: {kind: text}}", "on: {near: "+choice+"}", sent))
		text := func(s string) guard.Call { return call("write", fmt.Sprintf(`{"path":"/tmp/f","text":%q}`, s)) }
		first, second := text("Your invoice for March is attached. Please pay within 30 days."), text("Attached is your invoice for March; please pay it within 30 days!")
		underPolicies(t, rules, func(t *testing.T, w *world) {
			pass := func(c guard.Call) {
				t.Helper()
				a := w.do(alice, c)
				switch choice {
				case "confirm":
					a = w.do(alice, confirming(c, a))
				case "hold":
					if a.Effect.State != guard.Held {
						t.Fatal(a.Kind, a.Effect.State, a.Explanation.Code)
					}
					w.mustDecide(a.Effect.ID, guard.Approve)
					return
				}
				if a.Kind != guard.AnswerForwarded {
					t.Fatal(choice, a.Kind, a.Explanation.Code, a.Explanation.Message)
				}
			}
			w.do(alice, first)
			until(time.Second)
			pass(second)
			until(time.Second)
			pass(first)
			w.executions(3)
		})
	}
}

func TestAHoldBesideAFailureNamesTheRule(t *testing.T) {
	rules := file(tool("pay", "scope: [run]", "on: {other_scope: replay}", `rules: [{if: "run == 'run-2'", then: hold, why: "Run two needs a person."}]`, sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			time.Sleep(time.Second)
			return refused
		}
		w.start(alice, one)
		c := one
		c.Run = "run-2"
		a := w.expect(alice, c, guard.AnswerBlocked, guard.CodeHeld)
		if a.Effect.Reason != "Run two needs a person." || a.Explanation.Matched.Effect != a.Effect.ID {
			t.Errorf("%q, %+v", a.Effect.Reason, a.Explanation.Matched)
		}
	})
}

func TestTheWordingOfAnotherSubjectIsNotShown(t *testing.T) {
	for _, choice := range []string{"confirm", "replay", "hold"} {
		underPolicies(t, mail("on: {near: "+choice+"}"), func(t *testing.T, w *world) {
			w.do(alice, invoice)
			a := w.do(bob, reworded)
			x := a.Explanation
			if a.Kind != guard.AnswerBlocked || a.Result != nil || x.Matched.Result != nil || x.Differs != nil || x.SameBecause != nil {
				t.Errorf("bob is shown %+v, %+v", a, x.Matched)
			}
		})
	}
}

func TestACallBesideOneUnderWayIsToldToWait(t *testing.T) {
	underPolicies(t, file(tool("pay", "on: {other_scope: block}", sent)), func(t *testing.T, w *world) {
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome { time.Sleep(time.Second); return ok(n) }
		w.start(alice, one)
		c := one
		c.Run = "run-2"
		a := w.do(alice, c)
		if a.Explanation.Code != guard.CodeOtherScope || a.Explanation.Retry != guard.RetryLater || !strings.Contains(a.Explanation.Next[0], "Wait") {
			t.Errorf("%s, retry %s: %v", a.Explanation.Code, a.Explanation.Retry, a.Explanation.Next)
		}
	})
}
