package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// certified is a tool whose upstream is known to honour our key.
var certified = file(tool("pay", "idempotent: true", "on: {unknown: retry}", sent))

var one = call("pay", `{"n":1}`)

// downstreamKeys are the keys under which the upstream was called.
func (w *world) downstreamKeys() (keys []string) {
	for _, a := range w.up.sent() {
		keys = append(keys, strings.Join(a.Header["Idempotency-Key"], ","))
	}
	return keys
}

func TestAFailureOfASecondSendSaysNothingOfTheFirst(t *testing.T) {
	inProgress := refused
	inProgress.Result = &guard.Result{Status: 409, Body: []byte(`{"error":"in progress"}`), IsError: true, Source: guard.FromUpstream}
	for name, second := range map[string]guard.Outcome{
		"the port is closed":       {State: guard.Failed, Code: guard.CodeNotSent, Detail: "Nobody listens."},
		"the first is in progress": inProgress,
	} {
		t.Run(name, func(t *testing.T) {
			underPolicies(t, certified, func(t *testing.T, w *world) {
				w.up.script(lost, second)
				w.do(alice, one)
				if a := w.do(alice, one); a.Effect.State != guard.Unknown || a.Explanation.Retry != guard.RetryNever {
					t.Errorf("after the second send: %s, %s", a.Effect.State, a.Explanation.Message)
				}
				w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
				if k := w.downstreamKeys(); k[1] != k[0] || k[2] != k[0] {
					t.Errorf("sent under other keys while the first send is not settled: %v", k)
				}
			})
		})
	}
}

func TestAnOrderIsOneSendEvenIfItFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(lost, refused)
		id := w.do(alice, refund).Effect.ID
		until(20 * time.Second)
		w.mustDecide(id, guard.SendAgain)
		if e := w.state(id); e.State != guard.Unknown || e.Review == "" {
			t.Errorf("after the ordered send was refused: %s, review %q", e.State, e.Review)
		}
		w.expect(alice, refund, guard.AnswerBlocked, guard.CodeUnknown)
		until(20 * time.Second)
		w.mustDecide(id, guard.DidNotHappen)
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		if k := w.downstreamKeys(); k[1] != k[0] || k[2] == k[0] {
			t.Errorf("keys %v: the order repeats the first, and only a settled failure gets a new one", k)
		}
	})
}

func TestARetryNeedsTheRuleUnderWhichTheFirstWasSent(t *testing.T) {
	underPolicies(t, certified, func(t *testing.T, w *world) {
		c := one
		c.Execute = guard.ByCaller
		w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
		until(10 * time.Minute)
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeUnknown) // the caller's own run had no key of ours
		w.executions(0)
	})
	uncertified := file(tool("pay", `upstream: {http: {url: "http://upstream.test/x", network: private}}`))
	underPolicies(t, uncertified, func(t *testing.T, w *world) {
		w.up.script(lost)
		w.do(alice, one)
		w.edit(certified)
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeUnknown)
		w.executions(1)
	})
	shared := file(tool("a", "effect: pay", sent), tool("b", "effect: pay", "idempotent: true", "on: {unknown: retry}", sent))
	underPolicies(t, shared, func(t *testing.T, w *world) {
		w.up.script(lost)
		w.do(alice, call("a", `{"n":1}`))
		w.expect(alice, call("b", `{"n":1}`), guard.AnswerBlocked, guard.CodeUnknown)
		w.executions(1)
	})
}

var deploy = call("shell.run", `{"command":"deploy"}`)

func (w *world) report(a guard.Answer, s guard.State, result string) error {
	w.t.Helper()
	_, err := w.Report(w.t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: s, Result: []byte(result)})
	return err
}

func TestNothingIsSentAgainstEvidenceThatItWasDone(t *testing.T) {
	for choice, want := range map[guard.Choice]guard.AnswerKind{
		guard.Happened:     guard.AnswerReplayed,
		guard.DidNotHappen: guard.AnswerProceed,
	} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.expect(alice, deploy, guard.AnswerProceed, guard.CodeProceed)
			until(time.Minute)
			w.mustDecide(a.Effect.ID, guard.DidNotHappen)
			expectError(t, w.report(a, guard.Done, `"deployed"`), guard.CodeStaleFence)
			w.expect(alice, deploy, guard.AnswerBlocked, guard.CodeContradiction)
			until(time.Minute)
			w.mustDecide(a.Effect.ID, choice)
			if got := w.do(alice, deploy); got.Kind != want {
				t.Errorf("after %s: %s %s", choice, got.Kind, got.Explanation.Code)
			}
		})
	}
}

func TestTwoRunsThatWereBothDoneCallAPerson(t *testing.T) {
	for name, order := range map[string][2]int{"the first reports last": {1, 0}, "the first reports first": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				runs := [2]guard.Answer{w.expect(alice, deploy, guard.AnswerProceed, guard.CodeProceed)}
				until(time.Minute)
				w.mustDecide(runs[0].Effect.ID, guard.SendAgain)
				runs[1] = w.expect(alice, deploy, guard.AnswerProceed, guard.CodeProceed)
				for _, i := range order {
					err := w.report(runs[i], guard.Done, `"deployed"`)
					if want := [2]guard.ErrorCode{guard.CodeStaleFence, ""}[i]; guard.CodeOf(err) != want {
						t.Errorf("run %d reports: %v", i, err)
					}
				}
				if e := w.state(runs[0].Effect.ID); e.State != guard.Done || e.Review != guard.CodeContradiction {
					t.Errorf("%s with review %q", e.State, e.Review)
				}
				w.mustDecide(runs[0].Effect.ID, guard.Happened)
				if e := w.state(runs[0].Effect.ID); e.Review != "" || e.Result == nil {
					t.Errorf("decided, with review %q and result %v", e.Review, e.Result)
				}
			})
		})
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.expect(alice, deploy, guard.AnswerProceed, guard.CodeProceed)
		for i := range 200 {
			_ = w.report(a, guard.Done, strings.Repeat(" ", i)+`"deployed"`)
			_ = w.report(a, guard.Failed, `"the same"`)
		}
		if events, err := w.Events(t.Context(), rita, a.Effect.ID); err != nil || len(events) > 20 {
			t.Errorf("an agent has grown the history to %d events, %v", len(events), err)
		}
	})
}
