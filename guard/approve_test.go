package guard_test

import (
	"sync"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

const twoPeoplePolicy = `version: 1
tools:
  - name: pay.refund
    upstream: {http: {url: "https://pay.example/refunds"}}
    rules: [{if: "args.amount > 500", then: hold}]
    approvals: {people: 2, when: "reviewer.subject != 'mallory' || args.amount < 600"}
`

var (
	robert  = guard.Principal{Tenant: rita.Tenant, Subject: "robert", Role: guard.RoleReviewer}
	mallory = guard.Principal{Tenant: rita.Tenant, Subject: "mallory", Role: guard.RoleReviewer}
)

// judge decides on what is shown now.
func (w *world) judge(p guard.Principal, id string, c guard.Choice) (guard.Effect, error) {
	e := w.state(id)
	return w.Decide(w.t.Context(), p, guard.Judgement{Effect: id, Choice: c, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: "seen"})
}

func TestTwoDifferentPeopleApprove(t *testing.T) {
	underPolicies(t, twoPeoplePolicy, func(t *testing.T, w *world) {
		id := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		_, err := w.judge(mallory, id, guard.Approve)
		expectError(t, err, guard.CodeForbidden)
		for range 3 { // however often the same person says it
			if e, err := w.judge(rita, id, guard.Approve); err != nil || e.State != guard.Held {
				t.Fatalf("%s, %v; want it held for another person", e.State, err)
			}
		}
		by, people, err := w.Endorsements(t.Context(), robert, id)
		if err != nil || people != 2 || len(by) != 1 || by[0] != rita.Subject {
			t.Errorf("approved by %v of %d, %v", by, people, err)
		}
		w.executions(0)
		w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld)
		if e, err := w.judge(robert, id, guard.Approve); err != nil || e.State == guard.Held {
			t.Fatalf("%s, %v; want it approved", e.State, err)
		}
		w.expect(alice, big, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
	})
}

func TestAnApprovalCountsForWhatWasShownOnly(t *testing.T) {
	underPolicies(t, twoPeoplePolicy, func(t *testing.T, w *world) {
		id := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		e := w.state(id)
		for _, j := range []guard.Judgement{
			{Effect: id, Choice: guard.Approve, Fence: e.Fence + 1, Digest: e.ArgumentsDigest()},
			{Effect: id, Choice: guard.Approve, Fence: e.Fence, Digest: [32]byte{1}},
		} {
			_, err := w.Decide(t.Context(), rita, j)
			expectError(t, err, guard.CodeStaleFence)
		}
		_, err := w.Decide(t.Context(), rita, guard.Judgement{Effect: id, Choice: guard.Approve, Fence: e.Fence, Digest: e.ArgumentsDigest(),
			Arguments: []byte(`{"order_id":"big","amount":800}`)})
		expectError(t, err, guard.CodeConflict)
		if by, _, _ := w.Endorsements(t.Context(), rita, id); len(by) != 0 {
			t.Errorf("approved by %v", by)
		}
		if _, err := w.judge(robert, id, guard.Reject); err != nil { // one is enough to refuse
			t.Fatal(err)
		}
		w.executions(0)
	})
}

func TestTwoWhoApproveAtOneMomentAreEnough(t *testing.T) {
	underPolicies(t, twoPeoplePolicy, func(t *testing.T, w *world) {
		id := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		e := w.state(id)
		var both sync.WaitGroup
		for _, p := range []guard.Principal{rita, robert} {
			both.Go(func() {
				_, err := w.Decide(w.t.Context(), p, guard.Judgement{Effect: id, Choice: guard.Approve, Fence: e.Fence, Digest: e.ArgumentsDigest()})
				if c := guard.CodeOf(err); c != "" && c != guard.CodeStaleFence && c != guard.CodeConflict {
					t.Errorf("%s: %v", p.Subject, err)
				}
			})
		}
		both.Wait()
		w.expect(alice, big, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(1)
	})
}
