package guard_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// versions are policies of one tool under which equal calls have different keys.
var versions = []string{
	file(tool("pay", sent)),
	file(tool("pay", "arguments: {n: {kind: number}}", sent)),
	file(tool("pay", "arguments: {n: {role: identity, kind: id}}", sent)),
	file(tool("pay", "effect: refund", sent)),
	file(tool("pay", "scope: [subject]", sent)),
	file(tool("p*", sent)),
}

func TestEditingAPolicyReopensNothing(t *testing.T) {
	for _, next := range versions[1:] {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			first := w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
			w.edit(next)
			a := w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			if a.Effect.ID != first.Effect.ID {
				t.Errorf("replayed %s, want %s\n%s", a.Effect.ID, first.Effect.ID, next)
			}
			w.edit(versions[0])
			w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			w.executions(1)
		})
	}
}

func TestAnEffectUnderAnEarlierEditionGoesOn(t *testing.T) {
	t.Run("unknown", func(t *testing.T) {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			w.up.script(lost)
			id := w.do(alice, one).Effect.ID
			w.edit(versions[1])
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeUnknown)
			until(time.Minute)
			w.mustDecide(id, guard.DidNotHappen)
			w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
			w.edit(versions[0])
			w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			w.executions(2)
		})
	})
	t.Run("held", func(t *testing.T) {
		underPolicies(t, file(tool("pay", holds, sent)), func(t *testing.T, w *world) {
			id := w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld).Effect.ID
			w.edit(versions[1])
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld)
			w.mustDecide(id, guard.Reject)
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeRejected)
			w.executions(0)
		})
	})
	t.Run("window over", func(t *testing.T) {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			w.do(alice, one)
			w.edit(versions[1])
			until(25 * time.Hour)
			w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
			w.edit(versions[0])
			w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			w.executions(2)
		})
	})
	t.Run("the same idempotency key", func(t *testing.T) {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			keyed := one
			keyed.IdempotencyKey = "k1"
			w.do(alice, keyed)
			w.edit(versions[1])
			w.expect(alice, keyed, guard.AnswerReplayed, guard.CodeReplayed)
		})
	})
}

// TestAPolicyChangesUnderLoad edits the policy again and again while two replicas, each seeing the edits at a moment of its
// own, get the same calls. Each call must be executed once.
func TestAPolicyChangesUnderLoad(t *testing.T) {
	underPolicies(t, versions[0], func(t *testing.T, w *world) {
		other := w.replica(versions[0])
		var load sync.WaitGroup
		const calls, callers = 60, 6
		for c := range callers {
			load.Go(func() {
				at := []*world{w, other}[c%2]
				for n := range calls {
					for a := guard.AnswerPending; a == guard.AnswerPending; {
						a = at.do(alice, call("pay", fmt.Sprintf(`{"n":%d}`, n))).Kind
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		for i := range 3 * calls / 4 {
			[]*world{w, other}[i%2].edit(versions[i%len(versions)])
			time.Sleep(time.Duration(1+i%3) * time.Millisecond)
		}
		load.Wait()
		times := map[string]int{}
		for _, a := range w.up.sent() {
			times[string(a.Body)]++
		}
		for body, n := range times {
			if n > 1 {
				t.Errorf("%s was sent %d times", body, n)
			}
		}
	})
}

func TestACallIsNotSentWhenItsEditionCannotBeRecorded(t *testing.T) {
	for fault, want := range map[storetest.Fault]guard.ErrorCode{storetest.NotApplied: guard.CodeUnavailable, storetest.Applied: guard.CodeUnavailable} {
		inWorld(t, func(t *testing.T, w *world) {
			deal := func(verb string) storetest.Fault {
				if verb == "enter" {
					return fault
				}
				return storetest.None
			}
			w.fail.Store(&deal)
			_, err := w.Do(t.Context(), alice, refund)
			expectError(t, err, want)
			w.executions(0)
			w.fail.Store(nil)
			w.expect(alice, refund, guard.AnswerForwarded, guard.CodeForwarded)
		})
	}
}

func TestAToolWithARuleOfItsOwnSharesNothingWithAGlob(t *testing.T) {
	rules := file(tool("pay.*", "effect: payment", sent), tool("pay.refund", sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.expect(alice, call("pay.charge", `{"n":1}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("pay.refund", `{"n":1}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("pay.refund", `{"n":1}`), guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestToolsThatShareAnEffectAreEditedTogether(t *testing.T) {
	two := func(scope string) string {
		return file(tool("a", "effect: pay", scope, sent), tool("b", "effect: pay", scope, sent))
	}
	underPolicies(t, two("scope: [run]"), func(t *testing.T, w *world) {
		w.do(alice, call("a", `{"n":1}`))
		w.edit(two("scope: [subject]"))
		w.expect(alice, call("b", `{"n":1}`), guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
	})
}

func TestAnEditionOfANewerVersionStopsItsTools(t *testing.T) {
	underPolicies(t, versions[0], func(t *testing.T, w *world) {
		if _, err := w.store.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Name: "pay", Text: []byte(`{"spec":{},"next":"century"}`)}); err != nil {
			t.Fatal(err)
		}
		_, err := w.Do(t.Context(), alice, one)
		expectError(t, err, guard.CodeUnavailable)
	})
}

func TestAPolicyIsEditedBetweenTheMatchAndTheClaim(t *testing.T) {
	for _, next := range versions[1:] {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			w.do(alice, call("pay", `{"n":9}`))
			other := w.replica(next)
			edited := false
			deal := func(verb string) storetest.Fault {
				if verb == "claim" && !edited {
					edited = true
					other.do(alice, one)
				}
				return storetest.None
			}
			w.fail.Store(&deal)
			w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			w.executions(2)
		})
	}
}

func TestAnApprovalUnderAnEarlierEditionIsUsedOnce(t *testing.T) {
	underPolicies(t, file(tool("pay", holds, sent)), func(t *testing.T, w *world) {
		w.approveByHand(w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld).Effect)
		w.edit(file(tool("pay", holds, "effect: other", sent)))
		until(time.Minute)
		w.executions(0)
		for range 4 {
			w.start(alice, one)
		}
		synctest.Wait()
		until(time.Second)
		w.executions(1)
		w.replica(file(tool("pay", holds, "effect: third", sent))).expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestAnAnswerSaysThatAnEarlierPolicyMadeCallsEqual(t *testing.T) {
	underPolicies(t, file(tool("pay", "arguments: {n: {role: volatile}}", sent)), func(t *testing.T, w *world) {
		w.do(alice, one)
		w.edit(file(tool("pay", sent)))
		a := w.do(alice, call("pay", `{"n":2}`))
		if x := a.Explanation; x.Code != guard.CodeReplayed || len(x.Differs) != 1 || !strings.Contains(x.Message, "earlier version of this tool's policy") {
			t.Errorf("%s: %s %+v", x.Code, x.Message, x.Differs)
		}
	})
}

func TestNamesOfToolsDoNotFillTheBook(t *testing.T) {
	underPolicies(t, file(tool("x*", sent)), func(t *testing.T, w *world) {
		for i := range 50 {
			w.do(alice, call(fmt.Sprintf("x%d", i), `{}`))
			w.do(alice, call(fmt.Sprintf("y%d", i), `{}`))
		}
		if all, err := w.store.Book(t.Context(), 0); err != nil || len(all) != 2 {
			t.Errorf("the book has %d editions, %v", len(all), err)
		}
	})
}

func TestAContradictedFailureIsNotSentAfterAnEdit(t *testing.T) {
	for _, restart := range []bool{false, true} {
		underPolicies(t, versions[0], func(t *testing.T, w *world) {
			w.up.script(refused)
			e := w.do(alice, one).Effect
			if err := w.store.Note(t.Context(), []guard.Note{{Tenant: e.Tenant, ID: e.ID, Code: guard.CodeContradiction, Review: guard.CodeContradiction, Text: "x", Actor: guard.Actor{Kind: "guard"}}}); err != nil {
				t.Fatal(err)
			}
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeContradiction)
			at := w
			if restart {
				at = w.replica(versions[1])
			}
			at.edit(versions[1])
			at.expect(alice, one, guard.AnswerBlocked, guard.CodeContradiction)
			w.executions(1)
		})
	}
}

func TestAnEffectIsFoundUnderAnyOfManyEditions(t *testing.T) {
	v := func(i int) string { return file(tool("pay", fmt.Sprintf("effect: e%d", i), sent)) }
	underPolicies(t, v(0), func(t *testing.T, w *world) {
		for i := range 17 {
			w.edit(v(i))
			w.do(alice, call("pay", fmt.Sprintf(`{"warm":%d}`, i)))
		}
		w.edit(v(0))
		w.do(alice, one)
		w.edit(v(17))
		w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
	})
}
