package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

var oona = guard.Principal{Tenant: operators, Subject: "oona", Role: guard.RoleAdmin}

const noFiles = "version: 1\ndefaults: {unknown_tools: guard}\n"

// write brings a version of a policy into the ledger.
func (w *world) write(tool, text string, onto int64) guard.PolicyVersion {
	w.t.Helper()
	v, err := w.EditPolicy(w.t.Context(), oona, guard.PolicyEdit{Tool: tool, Text: text, Reason: "tried", Onto: onto})
	if err != nil {
		w.t.Fatalf("%s onto %d: %v", tool, onto, err)
	}
	return v
}

func TestAPolicyOfTheLedgerHoldsOnAllReplicasAtOnce(t *testing.T) {
	underPolicies(t, noFiles, func(t *testing.T, w *world) {
		other := w.replica(noFiles)
		other.expect(alice, one, guard.AnswerProceed, guard.CodeProceed)
		v := w.write("pay", file(tool("pay", holds, sent)), 0)
		two := call("pay", `{"n":2}`)
		a := other.expect(alice, two, guard.AnswerBlocked, guard.CodeHeld)
		if !v.InForce || !strings.HasSuffix(v.Digest, fmt.Sprintf("@%d", v.Number)) || a.Effect.Policy != v.Digest {
			t.Errorf("effect under %q, version %+v", a.Effect.Policy, v)
		}
		v = w.write("pay", file(tool("pay", denies, sent)), v.Number)
		other.expect(alice, call("pay", `{"n":3}`), guard.AnswerBlocked, guard.CodeDenied)
		v = w.write("pay", file(tool("pay", holds, sent)), v.Number)
		other.expect(alice, call("pay", `{"n":4}`), guard.AnswerBlocked, guard.CodeHeld)
		w.write("pay", "", v.Number)
		other.expect(alice, call("pay", `{"n":5}`), guard.AnswerProceed, guard.CodeProceed)
		all, err := w.PolicyVersions(t.Context(), oona, "pay")
		if err != nil || len(all) != 4 || all[0].Text != "" || all[0].InForce || all[0].Onto != all[1].Number || all[3].Author != "oona" || all[3].Reason != "tried" {
			t.Errorf("%+v %v", all, err)
		}
		if c, ok := other.PolicyChanged("pay"); !ok || c != (guard.PolicyChange{Number: all[0].Number, Author: "oona", At: all[0].At}) {
			t.Errorf("the last change is %+v, %v", c, ok)
		}
		if c, ok := other.PolicyChanged("ship"); ok {
			t.Errorf("nobody wrote a policy for ship, and it was changed: %+v", c)
		}
	})
}

func TestReadsFollowTheLedgerWithinASecond(t *testing.T) {
	read := strings.Replace(sent, "idempotency_header: Idempotency-Key, ", "", 1)
	underPolicies(t, noFiles, func(t *testing.T, w *world) {
		v := w.write("pay", file(tool("pay", "kind: read", read)), 0)
		// A process that has just begun must not let pass what the ledger forbids.
		w.replica("version: 1\ndefaults: {unknown_tools: pass}\n").expect(alice, one, guard.AnswerForwarded, guard.CodePassed)
		w.replica(noFiles).write("pay", file(tool("pay", holds)), v.Number)
		until(time.Second)
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld)
	})
}

func TestWhoMayEditPolicies(t *testing.T) {
	good := guard.PolicyEdit{Tool: "pay", Text: file(tool("pay")), Reason: "why"}
	with := func(f func(*guard.PolicyEdit)) guard.PolicyEdit { e := good; f(&e); return e }
	underPolicies(t, file(tool("filed")), func(t *testing.T, w *world) {
		for _, p := range []guard.Principal{alice, rita, {Tenant: "acme", Role: guard.RoleAdmin}, {Tenant: operators, Role: guard.RoleReviewer}} {
			_, err := w.EditPolicy(t.Context(), p, good)
			expectError(t, err, guard.CodeForbidden)
			_, err = w.PolicyVersions(t.Context(), p, "pay")
			expectError(t, err, guard.CodeForbidden)
		}
		for i, c := range []struct {
			edit guard.PolicyEdit
			code guard.ErrorCode
			says string
		}{
			{with(func(e *guard.PolicyEdit) { e.Reason = " " }), guard.CodeInvalid, "sentence why"},
			{with(func(e *guard.PolicyEdit) { e.Tool = "" }), guard.CodeInvalid, "tool"},
			{with(func(e *guard.PolicyEdit) { e.Tool = "a\nb" }), guard.CodeInvalid, "control"},
			{with(func(e *guard.PolicyEdit) { e.Text = " \n" }), guard.CodeInvalid, "nothing"},
			{with(func(e *guard.PolicyEdit) { e.Text = strings.Repeat("#", guard.MaxPolicy+1) }), guard.CodeInvalid, "longer"},
			{with(func(e *guard.PolicyEdit) { e.Text = "" }), guard.CodeNotFound, "no policy"},
			{with(func(e *guard.PolicyEdit) { e.Onto = 7 }), guard.CodeConflict, "another version"},
			{with(func(e *guard.PolicyEdit) { e.Tool = "filed" }), guard.CodeConflict, "world.yaml:3"},
			{with(func(e *guard.PolicyEdit) { e.Text = file(tool("pay", "windw: 3h")) }), guard.CodeInvalid, `draft:4:5: unknown key "windw"`},
		} {
			_, err := w.EditPolicy(t.Context(), oona, c.edit)
			if guard.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%d: %v", i, err)
			}
		}
		if all, _ := w.store.Book(t.Context(), 0); len(all) != 0 {
			t.Errorf("refused edits are in the book: %+v", all)
		}
		v := w.write("pay", good.Text, 0)
		if again := w.write("pay", good.Text, 0); again.Number != v.Number {
			t.Errorf("the same edit again made version %d beside %d", again.Number, v.Number)
		}
	})
}

func TestTwoAdminsDoNotOverwriteEachOther(t *testing.T) {
	underPolicies(t, noFiles, func(t *testing.T, w *world) {
		other := w.replica(noFiles)
		codes := make(chan guard.ErrorCode, 2)
		for i, at := range []*world{w, other} {
			go func() {
				_, err := at.EditPolicy(t.Context(), oona, guard.PolicyEdit{Tool: "pay", Text: file(tool("pay", fmt.Sprintf("window: %dh", i+1))), Reason: "r"})
				codes <- guard.CodeOf(err)
			}()
		}
		if a, b := <-codes, <-codes; a == b || a != "" && a != guard.CodeConflict || b != "" && b != guard.CodeConflict {
			t.Errorf("%q and %q", a, b)
		}
	})
}

func TestAPolicyThatCannotBeUsed(t *testing.T) {
	enter := func(w *world, text string, onto int64) int64 {
		e, err := w.store.Enter(w.t.Context(), guard.Entry{Kind: guard.EntryPolicy, Name: "pay", Text: []byte(text), Onto: onto})
		if err != nil {
			w.t.Fatal(err)
		}
		return e.Number
	}
	t.Run("the last good version holds", func(t *testing.T) {
		underPolicies(t, noFiles, func(t *testing.T, w *world) {
			v := w.write("pay", file(tool("pay", denies)), 0)
			newer := enter(w, file(tool("pay", "century: 21")), v.Number)
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeDenied)
			if err := w.Policies().LastError(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("version %d stays in force", v.Number)) {
				t.Errorf("%v", err)
			}
			w.write("pay", file(tool("pay", holds)), newer)
			w.expect(alice, call("pay", `{"n":2}`), guard.AnswerBlocked, guard.CodeHeld)
			if err := w.Policies().LastError(); err != nil {
				t.Errorf("mended: %v", err)
			}
		})
	})
	t.Run("without one calls are refused", func(t *testing.T) {
		underPolicies(t, noFiles, func(t *testing.T, w *world) {
			enter(w, file(tool("pay", "century: 21")), 0)
			_, err := w.Do(t.Context(), alice, one)
			expectError(t, err, guard.CodeUnavailable)
			if problems := w.Policies().LastError(); !errors.As(problems, new(policy.Problems)) || !strings.Contains(problems.Error(), "calls of this tool are refused") {
				t.Errorf("%v", problems)
			}
			w.expect(alice, call("other", `{}`), guard.AnswerProceed, guard.CodeProceed)
		})
	})
	t.Run("a file takes the tool over", func(t *testing.T) {
		underPolicies(t, noFiles, func(t *testing.T, w *world) {
			v := w.write("pay", file(tool("pay", denies)), 0)
			w.expect(alice, one, guard.AnswerBlocked, guard.CodeDenied)
			w.edit(file(tool("pay", holds)))
			w.expect(alice, call("pay", `{"n":2}`), guard.AnswerBlocked, guard.CodeHeld)
			all, err := w.PolicyVersions(t.Context(), oona, "pay")
			if err != nil || len(all) != 1 || all[0].InForce || all[0].Number != v.Number {
				t.Errorf("%+v %v", all, err)
			}
		})
	})
}

// TestAnApprovalMeetsAPolicyThatChanged: what a person approved under one version is not sent by itself under another.
func TestAnApprovalMeetsAPolicyThatChanged(t *testing.T) {
	underPolicies(t, noFiles, func(t *testing.T, w *world) {
		v := w.write("pay", file(tool("pay", holds, sent)), 0)
		w.approveByHand(w.expect(alice, one, guard.AnswerBlocked, guard.CodeHeld).Effect)
		w.replica(noFiles).write("pay", file(tool("pay", denies, sent)), v.Number)
		until(time.Minute)
		w.executions(0)
		w.expect(alice, one, guard.AnswerBlocked, guard.CodeDenied)
	})
}

// claims watches which policy each claim was made under.
type claims struct {
	guard.Store
	t     *testing.T
	mu    sync.Mutex
	made  int
	under map[string]int
}

func (c *claims) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	won, err := c.Store.Claim(ctx, r)
	if err != nil || !won.Won {
		return won, err
	}
	entries, err := c.Store.Book(ctx, 0)
	if err != nil {
		return won, err
	}
	var latest int64 // of the policy that the claim's book has, which is the ledger's at that moment
	for _, e := range entries {
		if e.Kind == guard.EntryPolicy && e.Number <= r.Book {
			latest = e.Number
		}
	}
	_, number, _ := strings.Cut(r.Effect.Policy, "@")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	c.under[number]++
	if number != strconv.FormatInt(latest, 10) {
		c.t.Errorf("a claim of %s under version %q, and the ledger has %d", r.Effect.Tool, number, latest)
	}
	return won, err
}

// TestNoClaimMixesTwoVersions flips a policy between replicas under load. A claim is made under the version that the ledger has
// at that moment, or not at all; and each call is sent once, whatever the versions make its key.
func TestNoClaimMixesTwoVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, noFiles)
		watched := &claims{Store: w.store.Store, t: t, under: map[string]int{}}
		w.store.Store = watched
		w.open()
		at := []*world{w, w.replica(noFiles), w.replica(noFiles)}
		last := w.write("pay", versions[0], 0).Number
		const calls, callers = 60, 9
		var load sync.WaitGroup
		for c := range callers {
			load.Go(func() {
				for n := range calls {
					for kind := guard.AnswerPending; kind == guard.AnswerPending; {
						kind = at[c%len(at)].do(alice, call("pay", fmt.Sprintf(`{"n":%d}`, n))).Kind
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		texts := []string{versions[1], versions[2], versions[3], versions[4], versions[0]}
		for i := range calls {
			last = at[i%len(at)].write("pay", texts[i%len(texts)], last).Number
			time.Sleep(time.Duration(1+i%2) * time.Millisecond)
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
		if watched.made < calls || len(watched.under) < 10 {
			t.Errorf("%d claims under %d versions", watched.made, len(watched.under))
		}
		for _, w := range at {
			if err := w.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}
