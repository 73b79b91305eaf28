package guard_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestRepeatsDoNotKeepAReviewerOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(lost)
		id := w.do(alice, refund).Effect.ID
		for range 100 {
			until(5 * time.Second)
			w.do(alice, refund)
		}
		until(2 * time.Second) // the repeats are written down
		w.mustDecide(id, guard.DidNotHappen)
	})
}

func TestEveryUnknownEffectIsInAQueue(t *testing.T) {
	for _, on := range []string{"on: {unknown: block}", "idempotent: true\n    on: {unknown: retry}"} {
		underPolicies(t, file(tool("pay", on, sent)), func(t *testing.T, w *world) {
			w.up.script(lost, lost, lost)
			var a guard.Answer
			for range 5 {
				a = w.do(alice, one)
			}
			if a.Kind != guard.AnswerBlocked || a.Explanation.Retry != guard.RetryNever {
				t.Errorf("%s: the agent is told %s: %s", on, a.Explanation.Retry, a.Explanation.Message)
			}
			if queue, err := w.Effects(t.Context(), rita, guard.Query{Review: true}); err != nil || len(queue) != 1 {
				t.Errorf("%s: %d effects wait for a person, %v", on, len(queue), err)
			}
		})
	}
}

func TestAFailureAnswersForItsWindowOnly(t *testing.T) {
	for _, line := range []string{"attempts: 1", "on: {failed: block}"} {
		underPolicies(t, file(tool("pay", line, sent)), func(t *testing.T, w *world) {
			w.up.script(refused)
			if a := w.do(alice, one); a.Explanation.Retry != guard.RetryUseless {
				t.Errorf("%s: the agent is told that a retry is %s: %v", line, a.Explanation.Retry, a.Explanation.Next)
			}
			if a := w.do(alice, one); a.Kind != guard.AnswerBlocked {
				t.Errorf("%s: %s", line, a.Kind)
			}
			until(24 * time.Hour)
			w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		})
	}
}

func TestACallThatWasSentIsToldSo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			<-release
			return ok(n)
		}
		hasty := refund
		hasty.Wait = -1
		a := w.expect(alice, hasty, guard.AnswerPending, guard.CodePending)
		if strings.Contains(a.Explanation.Message, "nothing was sent") {
			t.Errorf("the call that is under way is told: %s", a.Explanation.Message)
		}
		close(release)
		synctest.Wait()
		w.expect(alice, hasty, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAMendedCallMayKeepItsKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(refused)
		c := refund
		c.IdempotencyKey = "k"
		w.do(alice, c)
		c.Arguments = []byte(`{"order_id":"A-1","amount":26}`)
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
	})
}
