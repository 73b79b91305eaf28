package guard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var big = call("pay.refund", `{"order_id":"big","amount":900}`)

func TestAHeldCallIsSentOnceAfterApproval(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		w.expect(alice, call("pay.refund", `{"amount":"900.0","order_id":"big"}`), guard.AnswerBlocked, guard.CodeHeld)
		waiting, err := w.Effects(t.Context(), rita, guard.Query{Review: true})
		if err != nil || len(waiting) != 1 || waiting[0].ID != held.Effect.ID {
			t.Fatalf("reviews: %+v, %v; want one", waiting, err)
		}
		w.executions(0)
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.executions(1)
		if got := string(w.up.sent()[0].Body); got != string(big.Arguments) {
			t.Errorf("sent %s, want the bytes that were approved", got)
		}
		w.expect(alice, big, guard.AnswerReplayed, guard.CodeReplayed)
		_, err = w.decide(held.Effect.ID, guard.Approve)
		expectError(t, err, guard.CodeConflict)
		w.executions(1)
	})
}

func TestARejectedCallStaysRefusedForTheWindow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		w.mustDecide(held.Effect.ID, guard.Reject)
		w.expect(alice, big, guard.AnswerBlocked, guard.CodeRejected)
		until(24 * time.Hour)
		again := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		if again.Effect.ID == held.Effect.ID || again.Effect.Generation != 2 {
			t.Errorf("after the window: %s generation %d, want a new effect", again.Effect.ID, again.Effect.Generation)
		}
		w.executions(0)
	})
}

func TestAHeldCallThatNobodyDecidesExpires(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		until(8 * 24 * time.Hour)
		if e := w.state(held.Effect.ID); e.State != guard.Refused || e.Code != guard.CodeExpired || e.Review != "" {
			t.Fatalf("got %s %s %q", e.State, e.Code, e.Review)
		}
		if a := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld); a.Effect.ID == held.Effect.ID {
			t.Error("an expired call was opened again instead of asked anew")
		}
	})
}

func TestADeniedCallIsRecordedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("pay.refund", `{"order_id":"forbidden","amount":1}`)
		first := w.expect(alice, c, guard.AnswerBlocked, guard.CodeDenied)
		second := w.expect(alice, c, guard.AnswerBlocked, guard.CodeDenied)
		if first.Effect.State != guard.Refused || second.Effect.ID != first.Effect.ID {
			t.Errorf("first %s %s, second %s", first.Effect.ID, first.Effect.State, second.Effect.ID)
		}
		until(2 * time.Second)
		events, err := w.Events(t.Context(), rita, first.Effect.ID)
		if err != nil || len(events) != 2 || events[1].Kind != guard.EventNoted || events[1].Count != 1 {
			t.Errorf("events %+v, %v; want the refusal and one note", events, err)
		}
		w.executions(0)
	})
}

func TestWhoMayDecide(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect
		judge := func(p guard.Principal, j guard.Judgement) error {
			j.Effect = held.ID
			_, err := w.Decide(t.Context(), p, j)
			return err
		}
		shown := guard.Judgement{Choice: guard.Approve, Fence: held.Fence, Digest: held.ArgumentsDigest()}
		self := guard.Principal{Tenant: "acme", Subject: "alice", Role: guard.RoleAdmin}
		foreign := guard.Principal{Tenant: "other", Subject: "rita", Role: guard.RoleAdmin}
		expectError(t, judge(bob, shown), guard.CodeForbidden)
		expectError(t, judge(self, shown), guard.CodeSelfReview)
		expectError(t, judge(foreign, shown), guard.CodeNotFound)

		stale, other, blind := shown, shown, shown
		stale.Fence--
		other.Digest[0]++
		blind.Digest = [32]byte{}
		expectError(t, judge(rita, stale), guard.CodeStaleFence)
		expectError(t, judge(rita, other), guard.CodeConflict)
		expectError(t, judge(rita, blind), guard.CodeInvalid)
		w.executions(0)

		self.SelfReview = true
		if err := judge(self, shown); err != nil {
			t.Errorf("with SelfReview: %v", err)
		}
	})
}

func TestARetryOrderThatNobodyUsesIsUnknownAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		id := w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed).Effect.ID
		until(time.Minute)
		if e := w.state(id); e.State != guard.Unknown || e.Review != guard.CodeLapsed {
			t.Fatalf("after the lease: %s, review %q", e.State, e.Review)
		}
		w.mustDecide(id, guard.SendAgain)
		until(8 * 24 * time.Hour)
		if e := w.state(id); e.State != guard.Unknown {
			t.Errorf("got %s, want unknown", e.State)
		}
		w.expect(alice, c, guard.AnswerBlocked, guard.CodeUnknown)
	})
}

func TestWhatWasAppliedInPartWaitsForAPerson(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		part := ok(1)
		part.Result.Status = 207
		w.up.script(part)
		c := call("pay.parts", `{"items":[1,2,3]}`)
		id := w.expect(alice, c, guard.AnswerForwarded, guard.CodePartial).Effect.ID
		w.expect(alice, c, guard.AnswerBlocked, guard.CodePartial)
		w.mustDecide(id, guard.Happened)
		w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
	})
}

// TestAnApprovalWhoseSenderDiedIsSent plays the crash between the decision and the claim: the decision is in the
// ledger and the process that made it is gone.
func TestAnApprovalWhoseSenderDiedIsSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect
		_, err := w.store.Decide(t.Context(), guard.Decision{
			Tenant: "acme", ID: held.ID, Fence: held.Fence, Digest: held.ArgumentsDigest(), By: guard.EventApproved,
			State: guard.Approved, Expiry: time.Hour, Actor: guard.Actor{Kind: "reviewer", Name: "rita"},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.executions(0)
		until(10 * time.Second)
		w.executions(1)
		w.expect(alice, big, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestLateEvidenceAgainstADecisionCallsAPerson(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		a := w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
		until(time.Minute)
		w.mustDecide(a.Effect.ID, guard.DidNotHappen)
		_, err := w.Report(t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Done, Result: []byte(`"deployed"`)})
		expectError(t, err, guard.CodeStaleFence)
		e := w.state(a.Effect.ID)
		if e.State != guard.Failed || e.Review != guard.CodeContradiction {
			t.Errorf("got %s, review %q; want the state unchanged and a review", e.State, e.Review)
		}
		events, _ := w.Events(t.Context(), rita, e.ID)
		if last := events[len(events)-1]; last.Code != guard.CodeLate || last.Result == nil || string(last.Result.Body) != `"deployed"` {
			t.Errorf("the evidence was not kept: %+v", last)
		}
	})
}

func TestTheCallersOwnExecution(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		a := w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
		report := guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Done, Result: []byte(`{"ok":true}`)}

		_, err := w.Report(t.Context(), bob, report)
		expectError(t, err, guard.CodeNotFound)
		until(20 * time.Second)
		lease, err := w.Heartbeat(t.Context(), alice, a.Effect.ID, a.Lease.Fence)
		if err != nil || lease.Expires.Sub(a.Lease.Expires) != 20*time.Second {
			t.Errorf("heartbeat: until %s, was %s, %v", lease.Expires, a.Lease.Expires, err)
		}
		until(20 * time.Second)
		if e, err := w.Report(t.Context(), alice, report); err != nil || e.State != guard.Done {
			t.Fatalf("report: %s, %v", e.State, err)
		}
		if e, err := w.Report(t.Context(), alice, report); err != nil || e.State != guard.Done {
			t.Errorf("the same report again: %s, %v", e.State, err)
		}
		r := w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
		if string(r.Result.Body) != `{"ok":true}` || r.Result.Source != guard.FromCaller {
			t.Errorf("result %+v", r.Result)
		}

		sent := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		_, err = w.Report(t.Context(), alice, guard.Report{Effect: sent.Effect.ID, Fence: sent.Effect.Fence, State: guard.Failed})
		expectError(t, err, guard.CodeForbidden)
	})
}

func TestALateReportOfTheFirstHolderSettlesALapsedEffect(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		a := w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
		until(time.Hour)
		w.expect(alice, c, guard.AnswerBlocked, guard.CodeUnknown)
		_, err := w.Heartbeat(t.Context(), alice, a.Effect.ID, a.Lease.Fence)
		expectError(t, err, guard.CodeConflict)
		e, err := w.Report(t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Done, Result: []byte(`1`)})
		if err != nil || e.State != guard.Done || e.Review != "" {
			t.Fatalf("late report: %s, review %q, %v", e.State, e.Review, err)
		}
		w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAWaiterBehindACallerGetsItsOutcome(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := call("shell.run", `{"command":"deploy"}`)
		a := w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
		waited := make(chan guard.Answer, 1)
		go func() {
			got, _ := w.Do(context.Background(), alice, c)
			waited <- got
		}()
		synctest.Wait()
		if _, err := w.Report(t.Context(), alice, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: guard.Failed, Reason: "no network"}); err != nil {
			t.Fatal(err)
		}
		if got := <-waited; got.Kind != guard.AnswerReplayed || got.Explanation.Code != guard.CodeFailedAlready {
			t.Errorf("got %s %s", got.Kind, got.Explanation.Code)
		}
		w.expect(alice, c, guard.AnswerProceed, guard.CodeProceed)
	})
}
