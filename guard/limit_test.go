package guard_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func limited(limits ...string) string {
	return file(tool("pay", "arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: EUR}}",
		"limits: ["+strings.Join(limits, ", ")+"]", sent))
}

func order(n int, amount string) guard.Call {
	return call("pay", fmt.Sprintf(`{"order_id":"A-%d","amount":%s}`, n, amount))
}

func TestALimitDeniesAndSaysWhatIsLeft(t *testing.T) {
	rules := limited(`{sum: args.amount, max: 100, per: 1h, by: [subject], then: deny, why: "Small money only."}`)
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.expect(alice, order(1, "60"), guard.AnswerForwarded, guard.CodeForwarded)
		a := w.expect(alice, order(2, "40.01"), guard.AnswerBlocked, guard.CodeOverLimit)
		if m := a.Explanation.Message; !strings.Contains(m, "40 EUR is left") || !strings.Contains(m, "Small money only.") || a.Effect.State != guard.Refused {
			t.Errorf("%s: %s", a.Effect.State, m)
		}
		events := len(w.history(a.Effect.ID))
		w.expect(alice, order(2, "40.01"), guard.AnswerBlocked, guard.CodeOverLimit)
		if again := w.state(a.Effect.ID); again.Generation != 1 || len(w.history(a.Effect.ID)) != events {
			t.Errorf("the repeat was recorded: generation %d", again.Generation)
		}
		w.expect(bob, order(3, "99"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, order(4, "40"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, order(1, "60"), guard.AnswerReplayed, guard.CodeReplayed) // uses nothing
		until(61 * time.Minute)
		w.expect(alice, order(2, "40.01"), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(4)
	})
}

func TestALimitHoldsAndAPersonIsNotBoundByIt(t *testing.T) {
	underPolicies(t, limited(`{count: 1, per: 1h, by: [tool], then: hold}`), func(t *testing.T, w *world) {
		w.expect(alice, order(1, "1"), guard.AnswerForwarded, guard.CodeForwarded)
		held := w.expect(alice, order(2, "1"), guard.AnswerBlocked, guard.CodeOverLimit)
		if e := w.state(held.Effect.ID); e.State != guard.Held || e.Review != guard.CodeOverLimit || !strings.Contains(e.Reason, "at most 1 call") {
			t.Errorf("%s, review %q: %s", e.State, e.Review, e.Reason)
		}
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.executions(2)
		w.expect(alice, order(2, "1"), guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAFailureGivesBackWhatItUsed(t *testing.T) {
	underPolicies(t, limited(`{count: 1, per: 1h, by: [tool], then: deny}`), func(t *testing.T, w *world) {
		w.up.script(refused)
		w.do(alice, order(1, "1"))
		w.expect(alice, order(2, "1"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, order(1, "1"), guard.AnswerBlocked, guard.CodeOverLimit)
		w.executions(2)
	})
}

func TestAnAmountThatCannotBeReadIsHeld(t *testing.T) {
	underPolicies(t, limited(`{sum: args.amount, max: 100, per: 1h, then: deny}`), func(t *testing.T, w *world) {
		for i, amount := range []string{`"a lot"`, "0.0000001", "1e30", "-5"} {
			held := w.expect(alice, order(i, amount), guard.AnswerBlocked, guard.CodeHeld)
			if !strings.Contains(held.Explanation.Message, "A limit of the policy cannot be checked") {
				t.Errorf("%s: %s", amount, held.Explanation.Message)
			}
		}
		w.executions(0)
	})
}

func TestCallsAtOneMomentDoNotPassALimitTogether(t *testing.T) {
	underPolicies(t, limited(`{count: 10, per: 1h, by: [agent], then: deny}`), func(t *testing.T, w *world) {
		other := w.replica(limited(`{count: 10, per: 1h, by: [agent], then: deny}`))
		var calls sync.WaitGroup
		for i := range 64 {
			at := w
			if i%2 == 1 {
				at = other
			}
			calls.Go(func() {
				if _, err := at.Do(t.Context(), alice, order(i, "1")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		calls.Wait()
		w.executions(10)
	})
}
