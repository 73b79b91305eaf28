package guard_test

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestTenantsNeverShareEffects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mine := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		theirs := w.expect(eve, refund, guard.AnswerForwarded, guard.CodeForwarded)
		if mine.Effect.ID == theirs.Effect.ID {
			t.Error("two tenants share an effect")
		}
		for name, read := range map[string]func() error{
			"effect": func() error { _, err := w.Effect(t.Context(), eve, mine.Effect.ID); return err },
			"events": func() error { _, err := w.Events(t.Context(), eve, mine.Effect.ID); return err },
			"report": func() error {
				_, err := w.Report(t.Context(), eve, guard.Report{Effect: mine.Effect.ID, Fence: 1, State: guard.Done})
				return err
			},
		} {
			if err := read(); guard.CodeOf(err) != guard.CodeNotFound {
				t.Errorf("%s of another tenant: %v", name, err)
			}
		}
		all, err := w.Effects(t.Context(), eve, guard.Query{Tenant: "acme"})
		if err != nil || len(all) != 1 || all[0].Tenant != "other" {
			t.Errorf("list: %+v, %v", all, err)
		}
	})
}

func TestSubjectsShareTheEffectButNotTheResult(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		a := w.expect(bob, refund, guard.AnswerBlocked, guard.CodeNotShared)
		if a.Result != nil || a.Explanation.Matched.Result != nil || len(a.Explanation.Differs) != 0 {
			t.Errorf("bob sees %+v, %+v", a.Result, a.Explanation)
		}
		if _, err := w.Effect(t.Context(), bob, a.Effect.ID); guard.CodeOf(err) != guard.CodeNotFound {
			t.Errorf("an agent reads another subject's effect: %v", err)
		}
		w.executions(1)
	})
}

func TestAPolicyMayShareResultsWithinTheTenant(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("pay.shared", `{"n":1}`)
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(bob, c, guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(eve, c, guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}

func TestAnEqualCallInAnotherRunIsAnsweredAsThePolicySays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("pay.shared", `{"n":1}`)
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
		c.Run = "run-2"
		w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed) // other_scope: replay

		r := refund
		w.expect(alice, r, guard.AnswerForwarded, guard.CodeForwarded)
		r.Run = "run-2"
		w.expect(alice, r, guard.AnswerBlocked, guard.CodeOtherScope) // other_scope: confirm, the default
		w.executions(2)
	})
}

func TestWithoutARunTheSubjectIsTheScope(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := refund
		r.Run = ""
		w.expect(alice, r, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, r, guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(bob, r, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestAnotherEffectOnTheSameThingIsHeldWhereThePolicySaysSo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, call("pay.once", `{"order_id":"A-1","amount":1}`), guard.AnswerForwarded, guard.CodeForwarded)
		second := call("pay.once", `{"order_id":"A-1","amount":2}`)
		held := w.expect(alice, second, guard.AnswerBlocked, guard.CodeSameIdentity)
		if held.Effect.State != guard.Held {
			t.Fatalf("state %s", held.Effect.State)
		}
		w.expect(alice, second, guard.AnswerBlocked, guard.CodeHeld)
		w.expect(alice, call("pay.once", `{"order_id":"A-2","amount":2}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.executions(3)
		w.expect(alice, second, guard.AnswerBlocked, guard.CodeDone)
	})
}

func TestTheWindowEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		until(24*time.Hour - time.Second)
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		until(time.Second)
		next := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		if next.Effect.ID == first.Effect.ID || next.Effect.Generation != 2 {
			t.Errorf("got %s generation %d, want a new effect", next.Effect.ID, next.Effect.Generation)
		}
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(2)
	})
}

func TestKeysOfCallers(t *testing.T) {
	keyed := func(c guard.Call, key string) guard.Call {
		c.IdempotencyKey = key
		return c
	}
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, keyed(refund, "k1"), guard.AnswerForwarded, guard.CodeForwarded)
		// A model that makes a fresh key for each try means the same effect all the same.
		for _, key := range []string{"k2", "k3", "", "k1"} {
			w.expect(alice, keyed(refund, key), guard.AnswerReplayed, guard.CodeReplayed)
		}
		// One key for two different calls is a mistake that nobody may guess away.
		other := call("pay.refund", `{"order_id":"A-9","amount":25}`)
		w.expect(alice, keyed(other, "k1"), guard.AnswerBlocked, guard.CodeKeyConflict)
		w.expect(bob, keyed(call("pay.refund", `{"order_id":"A-8","amount":25}`), "k1"), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
	inWorld(t, func(t *testing.T, w *world) {
		c := call("pay.keyed", `{"n":1}`)
		w.expect(alice, keyed(c, "k1"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, keyed(c, "k1"), guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(alice, keyed(c, "k2"), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}
