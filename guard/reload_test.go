package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

const holds, denies = `rules: [{if: "true", then: hold}]`, `rules: [{if: "true", then: deny}]`

func TestAFailedEffectUnderANewRule(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		w.up.script(refused)
		w.do(alice, one)
		w.edit(file(tool("pay", denies, sent)))
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeDenied)
		w.edit(file(tool("pay", holds, sent)))
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld)
		w.executions(1)
	})
}

func TestAnApprovalIsNotUsedByAnotherSubject(t *testing.T) {
	comment := "arguments: {reason: {role: commentary}}"
	underPolicies(t, file(tool("pay", comment, holds, sent)), func(t *testing.T, w *world) {
		held := w.expect(alice, call("pay", `{"n":1,"reason":"alice"}`), guard.AnswerBlocked, guard.CodeHeld)
		w.edit(file(tool("pay", comment, holds)))
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.expect(bob, call("pay", `{"n":1,"reason":"to mallory"}`), guard.AnswerBlocked, guard.CodeOtherBytes)
		w.expect(alice, call("pay", `{"n":1,"reason":"alice"}`), guard.AnswerProceed, guard.CodeProceed)
	})
}

// approveByHand leaves the ledger as a process leaves it that dies between a decision and its send.
func (w *world) approveByHand(e *guard.Effect) {
	w.t.Helper()
	_, err := w.store.Decide(w.t.Context(), guard.Decision{
		Tenant: e.Tenant, ID: e.ID, Fence: e.Fence, Digest: e.ArgumentsDigest(), By: guard.EventApproved, State: guard.Approved,
		Code: guard.CodeApproved, Expiry: 24 * time.Hour, Actor: guard.Actor{Kind: "reviewer", Name: "rita"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestAnApprovalDoesNotOutliveItsRule(t *testing.T) {
	elsewhere := strings.Replace(sent, "/x", "/elsewhere", 1)
	underPolicies(t, file(tool("pay", holds, sent)), func(t *testing.T, w *world) {
		w.approveByHand(w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld).Effect)
		w.edit(file(tool("pay", denies, elsewhere)))
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeDenied)
		until(time.Minute)
		w.executions(0)
		// Under a rule that asks for a person the person has answered; the call goes where the policy says today.
		w.edit(file(tool("pay", holds, elsewhere)))
		w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(1)
	})
}

func TestApprovalsThatCannotBeSentDoNotStarveOthers(t *testing.T) {
	underPolicies(t, file(tool("gone", holds, sent), tool("pay", holds, sent)), func(t *testing.T, w *world) {
		for i := range 300 {
			w.approveByHand(w.do(alice, call("gone", fmt.Sprintf(`{"n":%d}`, i))).Effect)
		}
		w.edit(file(tool("gone", holds), tool("pay", holds, sent)))
		until(time.Second)
		w.approveByHand(w.do(alice, one).Effect)
		until(10 * time.Second)
		w.executions(1)
	})
}
