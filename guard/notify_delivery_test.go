package guard_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
	"github.com/onceguard/onceguard/policy"
)

func TestAttemptsAreBoundedAndSpreadOut(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		n.answer = func(int, message) guard.Delivery { return down }
		id := w.do(alice, big).Effect.ID
		until(7 * 24 * time.Hour)
		list := n.expect(t, 9)
		pauses := []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour}
		for i, want := range pauses {
			if got := list[i+1].at.Sub(list[i].at); got < want || got > want+want/5 {
				t.Errorf("pause %d was %s, want %s and up to a fifth more", i+1, got, want)
			}
			if list[i+1].ID != list[0].ID {
				t.Error("an attempt has another id than the first")
			}
		}
		log := w.log(id)
		if len(log) != 9 || log[8] != guard.CodeNotifyFailed || slices.Contains(log[:8], guard.CodeNotifyFailed) {
			t.Errorf("the delivery log is %v", log)
		}
	})
}

func TestAnEndpointThatComesBackIsTold(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		n.answer = func(i int, _ message) guard.Delivery {
			if i == 1 {
				return guard.Delivery{Detail: "it answered 429", After: 10 * time.Minute}
			}
			return delivered
		}
		id := w.do(alice, big).Effect.ID
		until(time.Hour)
		if list := n.expect(t, 2); list[1].at.Sub(list[0].at) < 10*time.Minute {
			t.Errorf("tried again after %s although it asked for ten minutes", list[1].at.Sub(list[0].at))
		}
		w.expectLog(id, guard.CodeNotifyDelayed, guard.CodeNotified)
	})
}

func TestAnEndpointThatIsGoneIsLeftAlone(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		n.answer = func(int, message) guard.Delivery { return guard.Delivery{Gone: true, Detail: "it answered 410"} }
		id := w.do(alice, big).Effect.ID
		until(7 * 24 * time.Hour)
		n.expect(t, 1)
		w.expectLog(id, guard.CodeNotifyFailed)
	})
}

func TestADecidedReviewIsNoLongerTold(t *testing.T) {
	for name, end := range map[string]func(w *world, id string){
		"decided": func(w *world, id string) { w.mustDecide(id, guard.Reject) },
		"expired": func(w *world, id string) { until(301 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			telling(t, heldTold, func(t *testing.T, w *world, n *told) {
				var open atomic.Bool
				open.Store(true)
				n.answer = func(int, message) guard.Delivery {
					if !open.Load() {
						t.Error("an endpoint was told of a review that is closed")
					}
					return down
				}
				id := w.do(alice, big).Effect.ID
				until(time.Second)
				end(w, id)
				open.Store(false)
				until(7 * 24 * time.Hour)
			})
		})
	}
}

// A process that dies between a delivery and its note leaves a review that seems untold. The next one tells it again, with the same id.
func TestACrashBetweenDeliveryAndNoteTellsTwiceWithOneID(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		dead := func(verb string) storetest.Fault {
			if verb == "note" {
				return storetest.NotApplied
			}
			return storetest.None
		}
		w.fail.Store(&dead)
		ctx, die := context.WithCancel(t.Context())
		first := w.replica(heldTold)
		first.notifier = n
		first.open()
		ended := make(chan error, 1)
		go func() { ended <- first.Run(ctx) }()
		id := first.do(alice, big).Effect.ID
		synctest.Wait()
		n.expect(t, 1)
		w.expectLog(id)
		die()
		<-ended
		w.fail.Store(nil)
		until(10 * time.Minute)
		list := n.expect(t, 2)
		if list[0].ID != list[1].ID || list[0].Review != list[1].Review {
			t.Errorf("the second message cannot be known as the first: %+v", list)
		}
		w.expectLog(id, guard.CodeNotified)
		until(24 * time.Hour)
		n.expect(t, 2)
	})
}

// A note whose write was not confirmed counts as written, and one that fails for a while is repeated: neither tells twice.
func TestADeliveryIsNotedInSpiteOfFaults(t *testing.T) {
	for name, faults := range map[string][]storetest.Fault{
		"not confirmed":         {storetest.Applied},
		"not written at first":  {storetest.NotApplied, storetest.NotApplied, storetest.NotApplied},
		"not written, then not": {storetest.NotApplied, storetest.Applied},
	} {
		t.Run(name, func(t *testing.T) {
			telling(t, heldTold, func(t *testing.T, w *world, n *told) {
				script := storetest.Script("note", faults...)
				w.fail.Store(&script)
				id := w.do(alice, big).Effect.ID
				until(24 * time.Hour)
				n.expect(t, 1)
				w.expectLog(id, guard.CodeNotified)
			})
		})
	}
}

func TestAnotherReplicaStepsInForADeadOneOnly(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		alive := w.replica(heldTold)
		alive.notifier = n
		alive.open()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- alive.Run(ctx) }()
		w.do(alice, big)
		until(time.Hour)
		n.expect(t, 1) // two replicas live, and one has told

		dead := w.replica(heldTold) // nothing of it runs but the call
		id := dead.do(alice, call("pay.refund", `{"order_id":"big2","amount":900}`)).Effect.ID
		opened := time.Now()
		until(time.Hour)
		list := n.all()[1:]
		if len(list) == 0 || len(list) > 2 || list[0].Effect != id {
			t.Fatalf("told %+v", list)
		}
		if took := list[0].at.Sub(opened); took < 2*time.Minute || took > 6*time.Minute {
			t.Errorf("stepped in after %s", took)
		}
		stop()
		<-ended
	})
}

// stuck is a Notifier of which one endpoint never answers.
type stuck struct {
	told
	flying, most atomic.Int64
}

func (n *stuck) Deliver(ctx context.Context, to *policy.Endpoint, notice guard.Notice) guard.Delivery {
	if to.Name != "ops" {
		return n.told.Deliver(ctx, to, notice)
	}
	now := n.flying.Add(1)
	defer n.flying.Add(-1)
	for most := n.most.Load(); now > most && !n.most.CompareAndSwap(most, now); most = n.most.Load() {
	}
	<-ctx.Done()
	return guard.Delivery{Detail: "there was no answer in time"}
}

func TestASlowEndpointDelaysNeitherCallsNorOthers(t *testing.T) {
	text := strings.Replace(heldTold, "notify: [ops]", "notify: [ops, audit]", 1)
	synctest.Test(t, func(t *testing.T) {
		w, n := newWorld(t, text), &stuck{}
		w.notifier = n
		w.open()
		w.live(t, func(t *testing.T, w *world) {
			began := time.Now()
			for i := range 40 {
				w.do(alice, call("pay.refund", fmt.Sprintf(`{"order_id":"o%d","amount":900}`, i)))
			}
			synctest.Wait()
			if time.Since(began) > 0 {
				t.Errorf("the calls took %s", time.Since(began))
			}
			n.expect(t, 40) // of the other endpoint
			if most := n.most.Load(); most != 4 {
				t.Errorf("%d attempts at the slow endpoint at one time, want 4", most)
			}
			until(10 * time.Second)
			n.expect(t, 40)
		})
	})
}

func TestAnEndpointThatThePolicyNamesNoMoreIsLeftAlone(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		n.answer = func(int, message) guard.Delivery { return down }
		id := w.do(alice, big).Effect.ID
		until(10 * time.Second)
		n.expect(t, 2)
		w.edit(strings.Replace(strings.Replace(heldTold, "approvals: {notify: [ops]}", "approvals: {people: 1}", 1), endpoints, "", 1))
		until(24 * time.Hour)
		n.expect(t, 2)
		w.edit(heldTold)
		n.mu.Lock()
		n.answer = nil
		n.mu.Unlock()
		until(time.Hour)
		n.expect(t, 3)
		w.expectLog(id, guard.CodeNotifyDelayed, guard.CodeNotifyDelayed, guard.CodeNotified)
	})
}

// What is under way when the process ends may end; what does not is no attempt, and the next start makes it.
func TestTheEndOfAProcessCutsSlowDeliveriesOnly(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		first := w.replica(heldTold)
		s := &stuck{}
		first.notifier = s
		first.open()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- first.Run(ctx) }()
		id := first.do(alice, big).Effect.ID
		synctest.Wait()
		began := time.Now()
		stop()
		<-ended
		if took := time.Since(began); took < time.Second || took > 5*time.Second {
			t.Errorf("the end took %s, want some seconds", took)
		}
		w.expectLog(id)
		until(10 * time.Minute)
		n.expect(t, 1)
		w.expectLog(id, guard.CodeNotified)
	})
}

// Notes about deliveries come between the two approvals, and count for nothing.
func TestDeliveriesDoNotDisturbTheTwoPersonRule(t *testing.T) {
	text := strings.Replace(heldTold, "notify: [ops]", "notify: [ops, audit], people: 2", 1)
	telling(t, text, func(t *testing.T, w *world, n *told) {
		n.answer = func(i int, _ message) guard.Delivery {
			if i < 6 {
				return down
			}
			return delivered
		}
		id := w.do(alice, big).Effect.ID
		shown := w.state(id)
		if _, err := w.judge(rita, id, guard.Approve); err != nil {
			t.Fatal(err)
		}
		until(time.Hour)
		e, err := w.Decide(t.Context(), robert, guard.Judgement{Effect: id, Choice: guard.Approve, Fence: shown.Fence, Digest: shown.ArgumentsDigest()})
		if err != nil || e.State == guard.Held {
			t.Fatalf("%s, %v; want it approved", e.State, err)
		}
		synctest.Wait()
		w.executions(1)
	})
}

// Two tenants, of which one has no key of its own on this server but the same endpoint: what each is told names the right one.
func TestEveryTenantIsLookedThrough(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		dead := w.replica(heldTold)
		var tenants []string
		for _, p := range []guard.Principal{alice, eve} {
			dead.do(p, big)
		}
		until(time.Hour)
		for _, m := range n.expect(t, 2) {
			tenants = append(tenants, m.Tenant)
		}
		slices.Sort(tenants)
		if !slices.Equal(tenants, []string{alice.Tenant, eve.Tenant}) {
			t.Errorf("told of %v", tenants)
		}
	})
}

func TestTellingNeedsTheTenants(t *testing.T) {
	_, err := guard.New(guard.Config{
		Store: storetest.NewReference(time.Now), Policies: policy.Fixed(policy.Empty()), Forward: &upstream{}, Key: []byte(strings.Repeat("k", 32)), Notify: &told{},
	})
	if err == nil {
		t.Error("a guard that cannot find what is untold was made")
	}
}

// More reviews than the memory of the outbox holds: those that did not fit in are found in the ledger.
func TestWhatTheOutboxHasNoRoomForIsToldLater(t *testing.T) {
	telling(t, heldTold, func(t *testing.T, w *world, n *told) {
		silent := w.replica(heldTold) // so that all of them come from the ledger, at one look
		const many = 1010
		for i := range many {
			silent.do(alice, call("pay.refund", fmt.Sprintf(`{"order_id":"o%d","amount":900}`, i)))
		}
		until(12 * time.Minute)
		told := map[string]bool{}
		for _, m := range n.expect(t, many) {
			told[m.Effect] = true
		}
		if len(told) != many {
			t.Errorf("%d reviews were told, want %d", len(told), many)
		}
	})
}
