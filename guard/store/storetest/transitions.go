package storetest

import (
	"fmt"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// runTransitions tries every event in every state towards every state, through the verb that makes such events, and
// expects exactly what guard.Transitions lists.
func runTransitions(t *testing.T, open Open) {
	s := newTest(t, open)
	verbs := map[guard.EventKind]func(*test, guard.Effect, guard.ClaimRequest, guard.State) error{
		guard.EventClaimed: func(t *test, e guard.Effect, r guard.ClaimRequest, to guard.State) error {
			again := Again(r, e)
			again.Effect.State = to
			_, err := t.store.Claim(t.ctx, again)
			return err
		},
		guard.EventSettled: func(t *test, e guard.Effect, _ guard.ClaimRequest, to guard.State) error {
			in := Outcome(e, to)
			in.Result = &guard.Result{Status: 299, Source: guard.FromUpstream} // not a repetition
			_, err := t.store.Settle(t.ctx, in)
			return err
		},
	}
	for _, by := range []guard.EventKind{guard.EventApproved, guard.EventRejected, guard.EventResolved, guard.EventOrdered} {
		verbs[by] = func(t *test, e guard.Effect, _ guard.ClaimRequest, to guard.State) error {
			_, err := t.store.Decide(t.ctx, Verdict(e, by, to))
			return err
		}
	}
	for by, do := range verbs {
		for _, from := range guard.States {
			for _, to := range guard.States {
				t.Run(fmt.Sprintf("%s %s %s", from, by, to), func(t *testing.T) {
					sub := &test{T: t, store: s.store, clock: s.clock, ctx: s.ctx}
					e, r := sub.in(from)
					err := do(sub, e, r, to)
					sub.transition(e, guard.Transition{From: from, By: by, To: to}, err)
				})
			}
		}
	}
	Check(t, s.store, tenant)
}

func (t *test) transition(before guard.Effect, tr guard.Transition, err error) {
	t.Helper()
	after := t.get(before.ID)
	if !guard.Legal(tr.From, tr.By, tr.To) {
		if c := guard.CodeOf(err); c != guard.CodeConflict && c != guard.CodeInvalid {
			t.Errorf("an illegal transition gave %v", err)
		}
		t.same(after, before)
		return
	}
	fence := before.Fence
	if tr.By.Raises() {
		fence++
	}
	if err != nil || after.State != tr.To || after.Fence != fence || after.Events != before.Events+1 {
		t.Errorf("a legal transition gave %v and left %s with fence %d", err, after.State, after.Fence)
	}
}
