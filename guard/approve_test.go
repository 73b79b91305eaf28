package guard_test

import (
	"slices"
	"sync"
	"testing"
	"time"

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
		if err != nil || people != 2 || len(by) != 1 || by[0].Choice != guard.Approve || !slices.Equal(by[0].By, []string{rita.Subject}) {
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

// What leads to another send of an unknown effect needs two people, too: the order, and the word that the first send did nothing.
func TestTwoPeopleSettleWhatIsThenSentAgain(t *testing.T) {
	for _, c := range []guard.Choice{guard.SendAgain, guard.DidNotHappen} {
		t.Run(string(c), func(t *testing.T) {
			underPolicies(t, twoPeoplePolicy, func(t *testing.T, w *world) {
				w.up.script(lost)
				modest := call("pay.refund", `{"order_id":"A","amount":5}`)
				id := w.do(alice, modest).Effect.ID
				until(time.Minute)
				for range 2 {
					if e, err := w.judge(rita, id, c); err != nil || e.State != guard.Unknown {
						t.Fatalf("%s, %v; want it unknown for another person", e.State, err)
					}
				}
				other := guard.DidNotHappen
				if c == guard.DidNotHappen {
					other = guard.SendAgain
				}
				if e, err := w.judge(robert, id, other); err != nil || e.State != guard.Unknown {
					t.Fatalf("%s, %v; two people who disagree decide nothing", e.State, err)
				}
				list, people, err := w.Endorsements(t.Context(), robert, id)
				if err != nil || people != 2 || len(list) != 2 || list[0].Choice != guard.DidNotHappen || list[1].Choice != guard.SendAgain {
					t.Errorf("%v of %d, %v", list, people, err)
				}
				w.executions(1)
				w.expect(alice, modest, guard.AnswerBlocked, guard.CodeUnknown)
				e := w.state(id)
				j := guard.Judgement{Effect: id, Choice: c, Fence: e.Fence, Reason: "seen"}
				if c == guard.SendAgain {
					j.Digest = e.ArgumentsDigest()
				}
				if e, err := w.Decide(t.Context(), robert, j); err != nil || e.State == guard.Unknown {
					t.Fatalf("%s, %v; want it decided", e.State, err)
				}
				w.do(alice, modest)
				w.executions(2)
			})
		})
	}
}

// One person is enough to say that it happened: nothing is sent after that.
func TestOnePersonSaysThatItHappened(t *testing.T) {
	underPolicies(t, twoPeoplePolicy, func(t *testing.T, w *world) {
		w.up.script(lost)
		id := w.do(alice, call("pay.refund", `{"order_id":"A","amount":5}`)).Effect.ID
		if e, err := w.judge(rita, id, guard.Happened); err != nil || e.State != guard.Done {
			t.Fatalf("%s, %v", e.State, err)
		}
	})
}
