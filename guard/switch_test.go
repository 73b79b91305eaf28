package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var ada = guard.Principal{Tenant: "acme", Subject: "ada", Role: guard.RoleAdmin}

func (w *world) turn(kind guard.SwitchKind, name string, off bool) guard.Switched {
	w.t.Helper()
	s, err := w.Switch(w.t.Context(), ada, guard.Switch{Kind: kind, Name: name, Off: off, Reason: "paid twice"})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestAStoppedToolSendsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		other := w.replica(policies)
		other.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		held := w.expect(alice, call("pay.refund", `{"order_id":"big"}`), guard.AnswerBlocked, guard.CodeHeld)
		w.turn(guard.SwitchTool, "pay.re*", true)
		fresh := call("pay.refund", `{"order_id":"A-2"}`)
		a := w.expect(alice, fresh, guard.AnswerBlocked, guard.CodeSwitchedOff)
		if a.Effect != nil || !strings.Contains(a.Explanation.Message, `"paid twice"`) {
			t.Errorf("%+v: %s", a.Effect, a.Explanation.Message)
		}
		// A replica that has not read of it is refused by the ledger.
		other.expect(alice, fresh, guard.AnswerBlocked, guard.CodeSwitchedOff)
		other.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		if _, err := w.Do(t.Context(), eve, fresh); err != nil {
			t.Errorf("another tenant: %v", err)
		}
		w.mustDecide(held.Effect.ID, guard.Approve)
		until(30 * time.Second)
		w.executions(2)
		w.turn(guard.SwitchTool, "pay.re*", false)
		until(30 * time.Second)
		w.executions(3)
		w.expect(alice, fresh, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestAStoppedAgent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.turn(guard.SwitchAgent, "intern", true)
		c := refund
		c.Agent = "intern"
		w.expect(alice, c, guard.AnswerBlocked, guard.CodeSwitchedOff)
		read := call("pay.get", `{}`)
		read.Agent = "intern"
		w.expect(alice, read, guard.AnswerBlocked, guard.CodeSwitchedOff)
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestSwitchesAreListedAndForAdmins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.turn(guard.SwitchTool, "a", true)
		w.turn(guard.SwitchTool, "a", false)
		until(time.Second)
		s := w.turn(guard.SwitchAgent, "b", true)
		if again := w.turn(guard.SwitchAgent, "b", true); again.Number != s.Number {
			t.Errorf("the same switch was entered twice: %d, %d", s.Number, again.Number)
		}
		all, err := w.Switches(t.Context(), rita)
		if err != nil || len(all) != 2 || all[0].Name != "b" || !all[0].Off || all[1].Off || all[0].By != "ada" || all[0].Reason != "paid twice" || all[0].At.IsZero() {
			t.Errorf("%+v, %v", all, err)
		}
		for _, p := range []guard.Principal{alice, rita} {
			_, err := w.Switch(t.Context(), p, guard.Switch{Kind: guard.SwitchTool, Name: "a", Off: true, Reason: "x"})
			expectError(t, err, guard.CodeForbidden)
		}
		for _, s := range []guard.Switch{{Kind: "run", Name: "a"}, {Kind: guard.SwitchTool}, {Kind: guard.SwitchTool, Name: "a", Off: true}, {Kind: guard.SwitchAgent, Name: "a\x00"}} {
			_, err := w.Switch(t.Context(), ada, s)
			expectError(t, err, guard.CodeInvalid)
		}
	})
}

func TestAnEntryThatNobodyUnderstandsStopsClaims(t *testing.T) {
	for _, e := range []guard.Entry{{Kind: "oracle", Name: "x", Text: []byte("{}")}, {Kind: guard.EntrySwitch, Name: "x", Text: []byte(`{"until":"noon"}`)}} {
		inWorld(t, func(t *testing.T, w *world) {
			w.do(alice, refund)
			if _, err := w.store.Enter(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			_, err := w.Do(t.Context(), alice, call("pay.refund", `{"order_id":"A-2"}`))
			expectError(t, err, guard.CodeUnavailable)
			w.executions(1)
		})
	}
}
