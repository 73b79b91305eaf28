package guard_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

const warning = `mode: warn`

// warned makes a call that must be forwarded with a warning, as an effect of its own.
func (w *world) warned(p guard.Principal, c guard.Call, code guard.Code) guard.Answer {
	w.t.Helper()
	a := w.do(p, c)
	if a.Kind != guard.AnswerForwarded || a.Explanation.Warned != code {
		w.t.Fatalf("%s %s: got %s, warned %q (%s), want a warning of %s", c.Tool, c.Arguments, a.Kind, a.Explanation.Warned, a.Explanation.Message, code)
	}
	return a
}

func TestWarnForwardsAndRecordsWhatItWouldHaveDone(t *testing.T) {
	rules := file(tool("pay", warning, sent,
		"arguments: {order_id: {role: identity, kind: id}}", "on: {same_identity: hold}",
		`rules: [{if: "args.order_id == 'no'", then: deny}, {if: "args.order_id == 'ask'", then: hold}]`))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		first := w.expect(alice, small, guard.AnswerForwarded, guard.CodeForwarded)
		if first.Explanation.Warned != "" {
			t.Errorf("a new call is warned of: %q", first.Explanation.Warned)
		}
		second := w.warned(alice, small, guard.CodeReplayed)
		if e := w.state(second.Effect.ID); e.ID == first.Effect.ID || e.Generation != 2 || e.State != guard.Done {
			t.Errorf("the repeat is %s, generation %d, %s", e.ID, e.Generation, e.State)
		}
		claimed := w.history(second.Effect.ID)[0]
		if claimed.Code != guard.CodeWarned || !strings.Contains(claimed.Note, `"replayed"`) {
			t.Errorf("the claim says %q: %s", claimed.Code, claimed.Note)
		}
		w.warned(alice, large, guard.CodeSameIdentity)
		w.warned(alice, call("pay", `{"order_id":"no"}`), guard.CodeDenied)
		w.warned(alice, call("pay", `{"order_id":"ask"}`), guard.CodeHeld)
		w.executions(5)
		until(2 * time.Second)
		if n := w.tally(guard.TallyWarned, guard.CodeDenied); n != 1 {
			t.Errorf("%d warnings were counted", n)
		}
	})
}

func TestWarnSendsBesideWhatIsNotSettled(t *testing.T) {
	underPolicies(t, file(tool("pay", warning, sent)), func(t *testing.T, w *world) {
		w.up.script(lost)
		first := w.do(alice, one)
		second := w.warned(alice, one, guard.CodeUnknown)
		if e := w.state(second.Effect.ID); first.Effect.State != guard.Unknown || e.Key == first.Effect.Key || e.State != guard.Done {
			t.Errorf("the first is %s, the second %s", first.Effect.State, e.State)
		}
		if e := w.state(first.Effect.ID); e.State != guard.Unknown || e.Attempts != 1 {
			t.Errorf("the first has become %s with %d attempts", e.State, e.Attempts)
		}
		w.executions(2)
		// Once the rule is enforced, the unknown one stands in the way again, and from another run the one beside it.
		w.edit(file(tool("pay", sent)))
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeUnknown)
		w.expect(alice, in("run-2"), guard.AnswerBlocked, guard.CodeOtherScope)
	})
}

func TestWarnWaitsForNothing(t *testing.T) {
	underPolicies(t, file(tool("pay", warning, sent)), func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.up.answer = slow(release)
		w.start(alice, one)
		w.start(alice, one)
		w.executions(2)
		close(release)
		synctest.Wait()
	})
}

func TestWarnOfAnIdempotencyKeyAndASchema(t *testing.T) {
	rules := file(tool("pay", warning, sent, "schema: {type: object, required: [n], properties: {n: {type: integer}}}"))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		keyed, other := one, call("pay", `{"n":2}`)
		keyed.IdempotencyKey, other.IdempotencyKey = "k", "k"
		w.do(alice, keyed)
		w.warned(alice, other, guard.CodeKeyConflict)
		w.warned(alice, call("pay", `{"n":"two"}`), guard.CodeBadArguments)
		w.executions(3)
	})
}

func TestOffPassesUnrecorded(t *testing.T) {
	rules := file(tool("pay", "mode: off", "scope: ['label:ticket']", `rules: [{if: "true", then: deny}]`, sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		for range 2 {
			if a := w.expect(alice, one, guard.AnswerForwarded, guard.CodePassed); a.Effect != nil {
				t.Errorf("a pass is recorded as %+v", a.Effect)
			}
		}
		w.executions(2)
		if all, err := w.Effects(t.Context(), rita, guard.Query{}); err != nil || len(all) != 0 {
			t.Errorf("%d effects, %v", len(all), err)
		}
	})
}
