package guard_test

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestConditionsSeeTheHistoryOfTheThing(t *testing.T) {
	refunds := file(tool("pay", sent, "arguments: {order: {role: identity, kind: id}, amount: {role: material, kind: number}}",
		"rules: [{if: 'history.count >= 2', then: deny, why: twice is enough}]"))
	underPolicies(t, refunds, func(t *testing.T, w *world) {
		of := func(order, amount string) guard.Call {
			return call("pay", `{"order":"`+order+`","amount":`+amount+`}`)
		}
		w.expect(alice, of("A", "1"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(bob, of("A", "2"), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, of("A", "1"), guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(alice, of("A", "3"), guard.AnswerBlocked, guard.CodeDenied)
		w.expect(alice, of("B", "3"), guard.AnswerForwarded, guard.CodeForwarded)
	})
	cooling := file(tool("pay", sent, "arguments: {order: {role: identity, kind: id}, amount: {role: material, kind: number}}",
		"rules: [{if: 'now - history.last < duration(\"1h\")', then: deny, why: too soon}]"))
	underPolicies(t, cooling, func(t *testing.T, w *world) {
		w.expect(alice, call("pay", `{"order":"A","amount":1}`), guard.AnswerForwarded, guard.CodeForwarded)
		second := call("pay", `{"order":"A","amount":2}`)
		w.expect(alice, second, guard.AnswerBlocked, guard.CodeDenied)
		until(61 * time.Minute)
		w.expect(alice, second, guard.AnswerForwarded, guard.CodeForwarded)
	})
}
