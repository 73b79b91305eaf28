package guard_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// once wants a person for a second effect on the same order.
var once = file(tool("pay", "arguments: {order_id: {role: identity, kind: id}}", "window: 1h", "on: {same_identity: hold}", sent))

var small, large = call("pay", `{"order_id":"A","amount":1}`), call("pay", `{"order_id":"A","amount":2}`)

func TestARivalStandsInTheWayOfANextGeneration(t *testing.T) {
	underPolicies(t, once, func(t *testing.T, w *world) {
		w.expect(alice, small, guard.AnswerForwarded, guard.CodeForwarded)
		until(2 * time.Hour)
		w.expect(alice, large, guard.AnswerForwarded, guard.CodeForwarded) // the small one no longer answers
		held := w.expect(alice, small, guard.AnswerBlocked, guard.CodeSameIdentity)
		if held.Effect.State != guard.Held || held.Effect.Generation != 2 {
			t.Errorf("%s, generation %d", held.Effect.State, held.Effect.Generation)
		}
	})
}

func TestARivalStandsInTheWayOfARetry(t *testing.T) {
	underPolicies(t, once, func(t *testing.T, w *world) {
		w.up.script(refused)
		w.do(alice, small)
		w.expect(alice, large, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, small, guard.AnswerBlocked, guard.CodeSameIdentity)
		w.executions(2)
	})
	elsewhere := file(tool("pay", "scope: [run]", "on: {other_scope: block}", sent))
	underPolicies(t, elsewhere, func(t *testing.T, w *world) {
		w.up.script(refused)
		other := one
		other.Run = "run-2"
		w.do(alice, one)
		w.expect(alice, other, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeOtherScope)
		w.executions(2)
	})
}

func TestAHoldNamesTheRival(t *testing.T) {
	underPolicies(t, once, func(t *testing.T, w *world) {
		first := w.do(alice, small)
		until(30 * time.Minute)
		held := w.expect(alice, large, guard.AnswerBlocked, guard.CodeSameIdentity)
		m := held.Explanation.Matched
		if m == nil || m.Effect != first.Effect.ID || len(held.Explanation.Differs) != 1 || !strings.Contains(held.Explanation.Message, "30 minutes") {
			t.Errorf("explained by %+v, differs %+v: %s", m, held.Explanation.Differs, held.Explanation.Message)
		}
		if e := w.state(held.Effect.ID); !strings.HasPrefix(e.Reason, "Another effect on the same thing was carried out on ") || !strings.HasSuffix(e.Reason, "("+first.Effect.ID+").") {
			t.Errorf("the reviewer reads %q", e.Reason)
		}
	})
}

func TestAFailedEffectIsNotTakenOver(t *testing.T) {
	secret := call("pay.refund", `{"order_id":"A-1","amount":25,"reason":"a secret of alice"}`)
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(refused)
		mine := w.do(alice, secret)
		theirs := w.expect(bob, refund, guard.AnswerForwarded, guard.CodeForwarded)
		if _, err := w.Events(t.Context(), bob, mine.Effect.ID); guard.CodeOf(err) != guard.CodeNotFound || theirs.Effect.ID == mine.Effect.ID {
			t.Errorf("bob reads the history of alice's effect: %v", err)
		}
		if _, err := w.Effect(t.Context(), alice, mine.Effect.ID); err != nil {
			t.Errorf("alice no longer finds her own effect: %v", err)
		}
	})
	two := file(tool("a", "effect: pay", sent), tool("b", "effect: pay", strings.Replace(sent, "/x", "/y", 1)))
	underPolicies(t, two, func(t *testing.T, w *world) {
		w.up.script(refused, lost)
		w.do(alice, call("a", `{"n":1}`))
		id := w.do(alice, call("b", `{"n":1}`)).Effect.ID
		until(time.Minute)
		w.mustDecide(id, guard.SendAgain)
		if e := w.state(id); e.Tool != "b" || w.up.sent()[2].URL != w.up.sent()[1].URL {
			t.Errorf("the send of b is recorded as of %s, and sent again to %s", e.Tool, w.up.sent()[2].URL)
		}
	})
}

func TestARetryShowsItsResultToTheOwnerOnly(t *testing.T) {
	underPolicies(t, certified, func(t *testing.T, w *world) {
		w.up.script(lost)
		w.do(alice, one)
		if b := w.do(bob, one); b.Result != nil || b.Effect.State != guard.Done {
			t.Errorf("bob's call has settled alice's effect as %s, and he sees %+v", b.Effect.State, b.Result)
		}
		w.expect(bob, one, guard.AnswerBlocked, guard.CodeNotShared)
		w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAReplicaThatHasNotMetACallReplaysItAllTheSame(t *testing.T) {
	rules := file(
		tool("pay", "arguments: {order_id: {role: identity, kind: id}}", "on: {same_identity: hold}", sent),
		tool("mail.send", "arguments: {to: {role: identity, kind: email}, body: {kind: text}}", "on: {near: confirm}", sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.do(alice, small)
		w.mustDecide(w.expect(alice, large, guard.AnswerBlocked, guard.CodeSameIdentity).Effect.ID, guard.Approve)
		w.do(alice, invoice)
		w.do(alice, confirming(reworded, w.do(alice, reworded)))
		keyed := one
		keyed.IdempotencyKey = "k1"
		w.do(alice, keyed)
		w.executions(5)
		other := w.replica(rules)
		for _, c := range []guard.Call{small, large, invoice, reworded, keyed} {
			other.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
		}
		w.executions(5)
	})
}

// in is the call in a run.
func in(run string) guard.Call {
	c := one
	c.Run = run
	return c
}

func TestAnUnknownRivalIsAnsweredForBeforeADoneOne(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		w.up.script(refused, ok(2), lost)
		w.do(alice, in("run-1"))
		w.expect(alice, in("run-2"), guard.AnswerForwarded, guard.CodeForwarded)
		a := w.do(alice, confirming(in("run-1"), w.do(alice, in("run-1"))))
		if a.Effect.State != guard.Unknown {
			t.Fatalf("the confirmed call is %s, %s", a.Effect.State, a.Explanation.Code)
		}
		a = w.expect(alice, in("run-3"), guard.AnswerBlocked, guard.CodeOtherScope)
		if a.Explanation.Matched.State != guard.Unknown || a.Explanation.Confirm != nil {
			t.Errorf("asked about the one that is %s, with the token %+v", a.Explanation.Matched.State, a.Explanation.Confirm)
		}
		w.executions(3)
	})
}

func TestOfTwoRunsThatConfirmAtOneMomentOneIsAskedAgain(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		w.do(alice, in("run-1"))
		two := confirming(in("run-2"), w.do(alice, in("run-2")))
		three := confirming(in("run-3"), w.do(alice, in("run-3")))
		first := true
		deal := func(verb string) storetest.Fault {
			if verb == "claim" && first {
				first = false
				w.expect(alice, two, guard.AnswerForwarded, guard.CodeForwarded)
			}
			return storetest.None
		}
		w.fail.Store(&deal)
		again := w.expect(alice, three, guard.AnswerBlocked, guard.CodeOtherScope)
		w.executions(2)
		w.expect(alice, confirming(in("run-3"), again), guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestASupersededRivalDoesNotAnswer(t *testing.T) {
	rules := file(tool("write", `resource: "file:{path}"`, "scope: [run]", "on: {other_scope: replay}", sent))
	a, b := call("write", `{"path":"/tmp/f","text":"A"}`), call("write", `{"path":"/tmp/f","text":"B"}`)
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.do(alice, a)
		until(time.Second)
		w.do(alice, b)
		until(time.Second)
		a.Run = "run-2"
		w.expect(alice, a, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestAHeldEffectNamesItsRivalAndWhatItIsAbout(t *testing.T) {
	rules := file(tool("pay",
		"arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, card: {role: identity, kind: id}}",
		"redact: [card]", "on: {same_identity: hold}", sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		first := w.do(alice, call("pay", `{"note":"x","amount":25.00,"order_id":"A\n17","card":"4111"}`))
		if about := w.state(first.Effect.ID).About; about != "order_id=A 17, amount=25.00" {
			t.Errorf("about is %q", about)
		}
		held := w.expect(alice, call("pay", `{"amount":26,"order_id":"A\n17","card":"4111"}`), guard.AnswerBlocked, guard.CodeSameIdentity)
		if e := w.state(held.Effect.ID); e.Related != first.Effect.ID {
			t.Errorf("related to %q", e.Related)
		}
		long := w.do(alice, call("pay", `{"order_id":"`+strings.Repeat("é", 300)+`","amount":1}`))
		if about := w.state(long.Effect.ID).About; !utf8.ValidString(about) || len(about) > guard.MaxAbout || !strings.HasSuffix(about, "…, amount=1") {
			t.Errorf("about is %q", about)
		}
	})
}
