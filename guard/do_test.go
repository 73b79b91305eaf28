package guard_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestTheSameEffectInAnotherSpellingIsReplayed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		again := w.expect(alice, call("pay.refund", `{"amount":"25.00","reason":"as agreed","order_id":" A-1"}`), guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
		if string(again.Result.Body) != string(first.Result.Body) || again.Effect.ID != first.Effect.ID {
			t.Errorf("replayed %s of %s, want %s of %s", again.Result.Body, again.Effect.ID, first.Result.Body, first.Effect.ID)
		}
		if got := w.up.sent()[0].Body; string(got) != string(refund.Arguments) {
			t.Errorf("sent %s, want the bytes that came", got)
		}
		if len(again.Explanation.SameBecause) == 0 || len(again.Explanation.Differs) != 1 || again.Explanation.Differs[0].Argument != "reason" {
			t.Errorf("explanation: %+v", again.Explanation)
		}
	})
}

func TestArgumentsInAStringAreSentAsTheStringHoldsThem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, call("pay.refund", `"{\"order_id\": \"A-1\",\n\"amount\":25.0}"`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		if got, want := string(w.up.sent()[0].Body), "{\"order_id\": \"A-1\",\n\"amount\":25.0}"; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestAnotherMaterialArgumentIsAnotherEffect(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("pay.refund", `{"order_id":"A-1","amount":25.01}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}

func TestALostAnswerBlocksTheRetryUntilAPersonSettlesIt(t *testing.T) {
	for choice, want := range map[guard.Choice]struct {
		kind       guard.AnswerKind
		executions int
	}{
		guard.Happened:     {guard.AnswerReplayed, 1},
		guard.DidNotHappen: {guard.AnswerForwarded, 2},
		guard.SendAgain:    {guard.AnswerReplayed, 2}, // it is sent at once, and the agent gets its result
	} {
		t.Run(string(choice), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.up.script(lost)
				first := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeUpstreamLost)
				if first.Effect.State != guard.Unknown || !first.IsError() || first.Explanation.Retry != guard.RetryNever {
					t.Fatalf("first: %+v", first)
				}
				until(time.Hour) // no timer ever frees it
				w.expect(alice, refund, guard.AnswerBlocked, guard.CodeUnknown)
				w.executions(1)
				w.mustDecide(first.Effect.ID, choice)
				if a := w.do(alice, refund); a.Kind != want.kind {
					t.Errorf("after %s: %s (%s)", choice, a.Kind, a.Explanation.Message)
				}
				w.executions(want.executions)
			})
		})
	}
}

func TestAPersonMustWaitUntilTheFirstSendHasSettled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(lost)
		id := w.do(alice, refund).Effect.ID
		for _, c := range []guard.Choice{guard.DidNotHappen, guard.SendAgain} {
			_, err := w.decide(id, c)
			expectError(t, err, guard.CodeConflict)
		}
		until(10 * time.Second)
		w.mustDecide(id, guard.DidNotHappen)
	})
}

func TestADefiniteFailureNeverBlocksARetry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(refused, refused, refused)
		for range 3 {
			a := w.expect(alice, refund, guard.AnswerForwarded, guard.CodeUpstreamRefused)
			if !a.IsError() || a.Explanation.Retry != guard.RetrySafe || string(a.Result.Body) != `{"error":"no such order"}` {
				t.Fatalf("answer: %+v", a)
			}
		}
		mended := call("pay.refund", `{"order_id":"A-1","amount":"25.00"}`)
		w.expect(alice, mended, guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(4)
		if got := string(w.up.sent()[3].Body); got != string(mended.Arguments) {
			t.Errorf("the retry sent %s, want its own bytes", got)
		}
		keys := map[string]bool{}
		for _, a := range w.up.sent() {
			if a.Reuse != 9*time.Second || a.Timeout != 5*time.Second || !a.Private {
				t.Errorf("the attempt is not as the policy says: %+v", a)
			}
			keys[a.Header["Idempotency-Key"][0]] = true
		}
		if len(keys) != 4 {
			t.Errorf("after a definite failure the downstream key must be new, got %v", keys)
		}
	})
}

func TestACertifiedUpstreamIsAskedAgainUnderTheSameKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.script(lost, lost)
		c := call("pay.certified", `{"n":1}`)
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeUpstreamLost)
		w.expect(alice, call("pay.certified", `{"n":1.0}`), guard.AnswerForwarded, guard.CodeUpstreamLost)
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
		for _, a := range w.up.sent() {
			if a.Header["Idempotency-Key"][0] != w.up.sent()[0].Header["Idempotency-Key"][0] || string(a.Body) != `{"n":1}` {
				t.Errorf("key %v, body %s", a.Header["Idempotency-Key"], a.Body)
			}
		}
		w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAllWaitersShareOneExecution(t *testing.T) {
	for name, outcome := range map[string]guard.Outcome{"done": ok(1), "failed": refused, "unknown": lost} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				release := make(chan struct{})
				w.up.answer = func(context.Context, int, guard.Attempt) guard.Outcome {
					<-release
					return outcome
				}
				answers := make([]guard.Answer, 64)
				var all sync.WaitGroup
				for i := range answers {
					all.Go(func() { answers[i] = w.do(alice, refund) })
				}
				synctest.Wait()
				before := time.Now()
				close(release)
				all.Wait()
				if woke := time.Since(before); woke != 0 {
					t.Errorf("waiters woke after %s: by polling, not by the settlement", woke)
				}
				w.executions(1)
				count := map[guard.AnswerKind]int{}
				for _, a := range answers {
					count[a.Kind]++
					if a.Effect.ID != answers[0].Effect.ID || a.Effect.State != outcome.State {
						t.Errorf("answer of %s %s, want %s %s", a.Effect.ID, a.Effect.State, answers[0].Effect.ID, outcome.State)
					}
				}
				if count[guard.AnswerForwarded] != 1 || count[guard.AnswerReplayed]+count[guard.AnswerBlocked] != 63 {
					t.Errorf("answers: %v", count)
				}
			})
		})
	}
}

func TestAWaitEndsWithTheCallersBudget(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.answer = func(ctx context.Context, n int, _ guard.Attempt) guard.Outcome {
			<-ctx.Done() // the policy's timeout, 5 s
			return lost
		}
		began := time.Now()
		w.start(alice, refund)
		patient := refund
		patient.Wait = 2 * time.Second
		a := w.expect(alice, patient, guard.AnswerPending, guard.CodePending)
		if took := time.Since(began); took != 2*time.Second || a.RetryAfter <= 0 || !a.IsError() {
			t.Errorf("took %s, retry after %s", took, a.RetryAfter)
		}
		patient.Wait = -1
		w.expect(alice, patient, guard.AnswerPending, guard.CodePending)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("a call that will not wait took %s", took-2*time.Second)
		}
	})
}

func TestACallerWhoLeavesCancelsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.up.answer = func(ctx context.Context, n int, _ guard.Attempt) guard.Outcome {
			<-release
			if ctx.Err() != nil {
				t.Error("the caller's end reached the upstream")
			}
			return ok(n)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan guard.Answer)
		go func() {
			a, err := w.Do(ctx, alice, refund)
			if err != nil {
				t.Errorf("a call that was sent is an error: %v", err)
			}
			left <- a
		}()
		synctest.Wait()
		leave()
		if a := <-left; a.Kind != guard.AnswerPending || !strings.Contains(a.Explanation.Message, "was sent") {
			t.Errorf("answer %s: %s", a.Kind, a.Explanation.Message)
		}
		close(release)
		synctest.Wait()
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
	})
}

func TestDrainWaitsForCallsUnderWayAndRefusesNewOnes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			<-release
			return ok(n)
		}
		w.start(alice, refund)
		drained := make(chan error, 1)
		go func() { drained <- w.Drain(t.Context()) }()
		synctest.Wait()
		_, err := w.Do(t.Context(), alice, call("pay.refund", `{"order_id":"A-2","amount":1}`))
		expectError(t, err, guard.CodeDraining)
		expectError(t, w.Ready(t.Context()), guard.CodeDraining)
		select {
		case <-drained:
			t.Fatal("drained while a call was under way")
		default:
		}
		close(release)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		// What is on record is still answered.
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestReadsPassUnrecorded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for range 2 {
			a := w.expect(alice, call("pay.get", `{"order":1}`), guard.AnswerForwarded, guard.CodePassed)
			if a.Effect != nil {
				t.Errorf("a read was recorded: %+v", a.Effect)
			}
		}
		w.executions(2)
	})
}

func TestAPanicOfAForwarderIsUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.up.answer = func(context.Context, int, guard.Attempt) guard.Outcome { panic("defect") }
		a := w.do(alice, refund)
		if a.Effect.State != guard.Unknown {
			t.Errorf("state %s", a.Effect.State)
		}
		w.expect(alice, refund, guard.AnswerBlocked, guard.CodeUnknown)
	})
}

func TestBadCallsAreRefusedWithTheirField(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for field, c := range map[string]guard.Call{
			"/tool":            {Arguments: []byte(`{}`)},
			"/arguments":       {Tool: "x"},
			"/arguments/a":     call("x", `{"a":1,"a":2}`),
			"/run":             {Tool: "pay.shared", Arguments: []byte(`{}`)},
			"/execute":         {Tool: "shell.run", Arguments: []byte(`{}`), Execute: guard.ByGuard},
			"/call_id":         {Tool: "x", Arguments: []byte(`{}`), CallID: strings.Repeat("x", guard.MaxHandle+1)},
			"/agent":           {Tool: "x", Arguments: []byte(`{}`), Agent: "a\nb"},
			"/idempotency_key": {Tool: "x", Arguments: []byte(`{}`), IdempotencyKey: "\xff"},
		} {
			_, err := w.Do(t.Context(), alice, c)
			e, isGuard := err.(*guard.Error)
			if !isGuard || e.Code != guard.CodeInvalid || e.Field != field {
				t.Errorf("%s: got %v", field, err)
			}
		}
		w.executions(0)
	})
}

func TestTheTraceGoesOnToTheUpstream(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := refund
		c.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
		if got := w.up.sent()[0].Header["Traceparent"]; len(got) != 1 || got[0] != c.TraceParent {
			t.Errorf("traceparent %v", got)
		}
	})
}

func TestAReplayWritesNothingOnItsWay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		synctest.Wait() // the first sweep may not have begun
		refuse := func(verb string) storetest.Fault {
			t.Errorf("a replay waits for %s", verb)
			return storetest.None
		}
		w.fail.Store(&refuse)
		w.expect(alice, refund, guard.AnswerReplayed, guard.CodeReplayed)
		w.fail.Store(nil)
	})
}
