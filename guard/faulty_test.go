package guard_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// insist makes a call as a stubborn agent does: again and again until there is a decision.
func (w *world) insist(c guard.Call) guard.Answer {
	w.t.Helper()
	for range 20 {
		a, err := w.Do(w.t.Context(), alice, c)
		if err == nil {
			return a
		}
		if code := guard.CodeOf(err); code != guard.CodeUnavailable {
			w.t.Fatalf("a fault of the ledger became %v", err)
		}
		time.Sleep(time.Second)
	}
	w.t.Fatal("no decision after 20 tries")
	return guard.Answer{}
}

// persist repeats a step of a person or a caller until it holds. What was made without an answer may answer "conflict".
func (w *world) persist(step func() error) {
	w.t.Helper()
	var err error
	for range 20 {
		if err = step(); err == nil || guard.CodeOf(err) == guard.CodeConflict {
			return
		}
		time.Sleep(time.Second)
	}
	w.t.Fatal(err)
}

// stories end with what the upstream must have executed, whatever the ledger's faults.
var stories = map[string]func(t *testing.T, w *world){
	"a call and its repeat": func(t *testing.T, w *world) {
		w.insist(refund)
		until(time.Minute)
		if a := w.insist(refund); a.Effect.State != guard.Done {
			t.Errorf("the repeat finds %s", a.Effect.State)
		}
		w.executions(1)
	},
	"a failure and its retry": func(t *testing.T, w *world) {
		w.up.script(refused)
		w.insist(refund)
		until(time.Minute)
		w.insist(refund)
		w.executions(2)
	},
	"a lost answer that a person settles": func(t *testing.T, w *world) {
		w.up.script(lost)
		id := w.insist(refund).Effect.ID
		until(time.Minute)
		w.persist(func() error { _, err := w.decide(id, guard.Happened); return err })
		if a := w.insist(refund); a.Kind != guard.AnswerReplayed {
			t.Errorf("after the decision: %s %s", a.Kind, a.Explanation.Code)
		}
		w.executions(1)
	},
	"a lost answer and an order to send again": func(t *testing.T, w *world) {
		w.up.script(lost)
		id := w.insist(refund).Effect.ID
		until(time.Minute)
		w.persist(func() error { _, err := w.decide(id, guard.SendAgain); return err })
		until(time.Minute)
		w.insist(refund)
		w.executions(2)
	},
	"a held call that a person approves": func(t *testing.T, w *world) {
		id := w.insist(big).Effect.ID
		w.persist(func() error { _, err := w.decide(id, guard.Approve); return err })
		until(time.Minute)
		if a := w.insist(big); a.Kind != guard.AnswerReplayed {
			t.Errorf("after the approval: %s %s", a.Kind, a.Explanation.Code)
		}
		w.executions(1)
	},
	"a denied call": func(t *testing.T, w *world) {
		w.insist(call("pay.refund", `{"order_id":"forbidden","amount":1}`))
		w.executions(0)
	},
	"a caller's own execution": func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		a := w.insist(c)
		if a.Kind != guard.AnswerProceed {
			t.Fatalf("got %s %s", a.Kind, a.Explanation.Code)
		}
		w.persist(func() error {
			_, err := w.Heartbeat(t.Context(), alice, a.Effect.ID, a.Lease.Fence)
			return err
		})
		w.persist(func() error {
			_, err := w.Report(t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Done})
			return err
		})
		until(time.Minute)
		if a := w.insist(c); a.Kind != guard.AnswerReplayed {
			t.Errorf("the repeat: %s %s", a.Kind, a.Explanation.Code)
		}
	},
	"a caller that never reports": func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		w.insist(c)
		until(time.Hour)
		if a := w.insist(c); a.Explanation.Code != guard.CodeUnknown {
			t.Errorf("the repeat: %s %s", a.Kind, a.Explanation.Code)
		}
	},
}

// TestEveryWriteMayFail plays every story with every write failing, once and thrice, in both ways: not applied, and
// applied without an answer. Each story asserts the upstream's own count, and the whole ledger is checked at its end.
func TestEveryWriteMayFail(t *testing.T) {
	for name, story := range stories {
		for _, verb := range []string{"claim", "settle", "decide", "extend", "note", "sweep", "addedition"} {
			for fault, how := range map[storetest.Fault]string{storetest.NotApplied: "not applied", storetest.Applied: "applied"} {
				for _, times := range []int{1, 3} {
					t.Run(fmt.Sprintf("%s/%s %s %d times", name, verb, how, times), func(t *testing.T) {
						inWorld(t, func(t *testing.T, w *world) {
							faults := make([]storetest.Fault, times)
							for i := range faults {
								faults[i] = fault
							}
							fail := storetest.Script(verb, faults...)
							w.fail.Store(&fail)
							story(t, w)
						})
					})
				}
			}
		}
	}
}

// TestNothingIsSentWhileTheLedgerIsDown is the last sentence of the promise.
func TestNothingIsSentWhileTheLedgerIsDown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		down := func(string) storetest.Fault { return storetest.NotApplied }
		w.fail.Store(&down)
		for range 10 {
			_, err := w.Do(t.Context(), alice, refund)
			expectError(t, err, guard.CodeUnavailable)
		}
		w.executions(0)
		w.fail.Store(nil)
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

// TestAnOutcomeThatCannotBeRecordedIsUnknown: the upstream answered, and the ledger is away for longer than the guard
// is patient.
func TestAnOutcomeThatCannotBeRecordedIsUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		down := func(string) storetest.Fault { return storetest.NotApplied }
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			w.fail.Store(&down)
			return ok(n)
		}
		patient := refund
		patient.Wait = 50 * time.Second
		w.expect(alice, patient, guard.AnswerPending, guard.CodePending)
		until(5 * time.Minute)
		w.fail.Store(nil)
		until(2 * time.Second)
		a := w.expect(alice, refund, guard.AnswerBlocked, guard.CodeUnknown)
		if a.Effect.Code != guard.CodeLapsed {
			t.Errorf("code %s", a.Effect.Code)
		}
		w.executions(1)
	})
}
