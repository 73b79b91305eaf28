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
		if e := w.state(held.Effect.ID); e.State != guard.Held || e.Review != guard.CodeOverLimit || !strings.Contains(e.Reason, "The policy allows at most one call in ") || !strings.Contains(e.Reason, "; none is left.") {
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

// What a policy may ask for is what the ledger can count.
func TestTheMostThatAPolicyMayLimitIsCounted(t *testing.T) {
	limits := make([]string, guard.MaxLimits)
	for i := range limits {
		limits[i] = fmt.Sprintf("{sum: args.amount, max: 9000000000000, per: %dh, then: deny}", int(guard.MaxPeriod.Hours())-i)
	}
	underPolicies(t, limited(limits...), func(t *testing.T, w *world) {
		w.expect(alice, order(1, "1"), guard.AnswerForwarded, guard.CodeForwarded)
	})
}

// An agent that names currencies of its own does not begin a new sum with each.
func TestALimitCannotBePassedByUnknownCurrencies(t *testing.T) {
	rules := file(tool("pay", "arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: currency}}",
		"limits: [{sum: args.amount, max: 100, per: 1h, then: deny}]", sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		for i, currency := range []string{"Euro", "euros", "XX1"} {
			c := call("pay", fmt.Sprintf(`{"order_id":"A-%d","amount":90,"currency":%q}`, i, currency))
			w.expect(alice, c, guard.AnswerBlocked, guard.CodeHeld)
		}
		w.executions(0)
	})
}

// The scope of an effect is not on record, and a limit by identity counts what was approved all the same.
func TestALimitByIdentityCountsWhatWasApproved(t *testing.T) {
	rules := file(tool("pay", "arguments: {order_id: {role: identity, kind: id}, amount: {kind: number}}", "scope: ['label:ticket']",
		"rules: [{if: 'args.amount > 5', then: hold}]", "limits: [{count: 1, per: 1h, by: [identity], then: deny}]", sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		first, second := order(1, "10"), order(1, "1")
		first.Labels, second.Labels = map[string]string{"ticket": "T-1"}, map[string]string{"ticket": "T-2"}
		held := w.expect(alice, first, guard.AnswerBlocked, guard.CodeHeld)
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.expect(alice, second, guard.AnswerBlocked, guard.CodeOverLimit)
		w.executions(1)
	})
}
