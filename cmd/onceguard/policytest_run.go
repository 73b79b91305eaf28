package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// run runs the cases of a file whose names match, each in a world of its own. An error means that a world could not be made.
func (f *testFile) run(ctx context.Context, set *policy.Set, only *regexp.Regexp, r *testReport) error {
	each := func(kind, name string, line int, now time.Time, do func(*testRun) error) error {
		if !only.MatchString(name) {
			return nil
		}
		began := time.Now()
		if now.IsZero() {
			now = f.Now
		}
		w, err := newTestWorld(ctx, set, now)
		if err != nil {
			return err
		}
		run := &testRun{testWorld: w, file: f, set: set, coverage: r.coverage}
		failed := do(run)
		if err := w.close(ctx); err != nil {
			return err
		}
		result := testResult{Kind: kind, Name: name, File: f.name, Line: line, OK: failed == nil, Seconds: time.Since(began).Seconds()}
		if failed != nil {
			result.Failure = failed.Error()
		}
		r.Cases = append(r.Cases, result)
		return ctx.Err()
	}
	for _, c := range f.Cases {
		err := each("case", c.Name, c.line, c.Now, func(run *testRun) error {
			return run.step(ctx, testStep{Call: &c.Call, Expect: c.Expect})
		})
		if err != nil {
			return err
		}
	}
	for _, p := range f.Pairs {
		if err := each("pair", p.Name, p.line, time.Time{}, func(run *testRun) error { return run.pair(ctx, p) }); err != nil {
			return err
		}
	}
	for _, s := range f.Sequences {
		err := each("sequence", s.Name, s.line, s.Now, func(run *testRun) error {
			for i, step := range s.Steps {
				if err := run.step(ctx, step); err != nil {
					return fmt.Errorf("step %d at line %d: %w", i+1, step.line, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// testRun is one case under way.
type testRun struct {
	*testWorld
	file     *testFile
	set      *policy.Set
	coverage *coverage
	effects  []string // by step; "" where nothing was recorded
	token    string   // of the latest answer that offered one
}

// step does one thing and compares what came of it with what was expected.
func (t *testRun) step(ctx context.Context, s testStep) error {
	if s.After != 0 {
		t.clock.move(time.Duration(s.After))
	}
	t.tools.tell(s.Outcome)
	if s.Review != "" {
		return t.review(ctx, s)
	}
	p, call := t.callOf(*s.Call)
	rule := t.set.Match(call.Tool)
	if rule.Upstream == nil {
		call.Wait = -1 // nobody would settle what it waits for
	} else if s.Outcome.word == "lapse" || s.Outcome.word == "none" {
		return fmt.Errorf("the outcome %q is for tools that the caller runs; the guard itself sends this one", s.Outcome.word)
	}
	if s.Confirm != "" {
		if t.token == "" {
			return errors.New("no answer before has offered a token that could confirm this call")
		}
		call.Confirm = guard.Confirm{Token: t.token, Reason: s.Confirm}
	}
	a, err := t.guard.Do(ctx, p, call)
	if err != nil {
		t.effects = append(t.effects, "")
		return fmt.Errorf("the guard refuses the call: %w", callError(call.Tool, err))
	}
	t.coverage.touch(rule, t.verdict(ctx, rule, p, call), &a)
	if a.Explanation.Confirm != nil {
		t.token = a.Explanation.Confirm.Token
	}
	failed := t.expect(s.Expect, a)
	id := ""
	if a.Effect != nil {
		id = a.Effect.ID
	}
	t.effects = append(t.effects, id)
	if failed == nil && a.Kind == guard.AnswerProceed && a.Lease != nil {
		return t.carryOut(ctx, p, &a, s.Outcome)
	}
	return failed
}

func (t *testRun) callOf(c testCall) (guard.Principal, guard.Call) {
	d := t.file.Principal
	p := guard.Principal{
		Tenant: cmp.Or(c.Tenant, d.Tenant, defaultTenant), Subject: cmp.Or(c.Subject, d.Subject, "someone"),
		Agent: cmp.Or(c.Agent, d.Agent), Role: guard.RoleAgent,
	}
	arguments := json.RawMessage(c.Arguments)
	if arguments == nil {
		arguments = json.RawMessage("{}")
	}
	return p, guard.Call{
		Tool: c.Tool, Arguments: arguments, Run: c.Run, Agent: p.Agent, Labels: c.Labels, IdempotencyKey: c.IdempotencyKey, Occurrence: c.Occurrence,
	}
}

func (t *testRun) facts(p guard.Principal, c guard.Call) (policy.Facts, bool) {
	args, err := fingerprint.Decode(c.Arguments, fingerprint.Limits{})
	return policy.Facts{
		Tool: c.Tool, Tenant: p.Tenant, Subject: p.Subject, Agent: c.Agent, Run: c.Run, Labels: c.Labels, Args: args, Now: t.clock.Now(),
	}, err == nil
}

// verdict is what the conditions say of a call, for what they cover.
func (t *testRun) verdict(ctx context.Context, rule *policy.Rule, p guard.Principal, c guard.Call) policy.Verdict {
	f, ok := t.facts(p, c)
	if !ok {
		return policy.Verdict{}
	}
	return rule.Check(ctx, f)
}

// expect compares an answer with what a step says of it, and tells why the answer is as it is.
func (t *testRun) expect(want testExpect, a guard.Answer) error {
	got := testExpect{Decision: a.Kind, Code: a.Explanation.Code}
	reason := ""
	if a.Effect != nil {
		got.State, reason = a.Effect.State, a.Effect.Reason
	}
	if want.matches(got) {
		return nil
	}
	text := fmt.Sprintf("expected %s, got %s\n%s", want, got, a.Explanation.Message)
	if reason != "" {
		text += "\n" + reason
	}
	for _, because := range a.Explanation.SameBecause {
		text += "\n  equal: " + because
	}
	for _, d := range a.Explanation.Differs {
		text += fmt.Sprintf("\n  %s (%s): %s, earlier %s", d.Argument, d.Role, orAbsent(d.Now), orAbsent(d.Earlier))
	}
	return errors.New(text)
}

func (e testExpect) matches(got testExpect) bool {
	return (e.Decision == "" || e.Decision == got.Decision) && (e.Code == "" || e.Code == got.Code) && (e.State == "" || e.State == got.State)
}

// String names what is not empty.
func (e testExpect) String() string {
	text := ""
	for _, part := range [][2]string{{"decision", string(e.Decision)}, {"code", string(e.Code)}, {"state", string(e.State)}} {
		if part[1] != "" {
			text += fmt.Sprintf(", %s %s", part[0], part[1])
		}
	}
	if text == "" {
		return "anything"
	}
	return text[2:]
}

// review records a decision of a person on the effect of an earlier step: the latest one, unless the step names another.
func (t *testRun) review(ctx context.Context, s testStep) error {
	id := ""
	if s.Of > 0 && s.Of <= len(t.effects) {
		id = t.effects[s.Of-1]
	}
	for i := len(t.effects) - 1; i >= 0 && s.Of == 0 && id == ""; i-- {
		id = t.effects[i]
	}
	t.effects = append(t.effects, id)
	if id == "" {
		return errors.New("there is no effect to decide on")
	}
	p := guard.Principal{Tenant: cmp.Or(t.file.Principal.Tenant, defaultTenant), Subject: cmp.Or(s.By, "reviewer"), Role: guard.RoleReviewer}
	e, err := t.guard.Effect(ctx, p, id)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changed, err := t.guard.Changes(ctx, p)
	if err != nil {
		return err
	}
	decided, err := t.guard.Decide(ctx, p, guard.Judgement{Effect: id, Choice: s.Review, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: "a test"})
	got := testExpect{State: decided.State, Code: decided.Code}
	if err != nil {
		got = testExpect{Code: guard.Code(guard.CodeOf(err))}
		if s.Expect == (testExpect{}) || !s.Expect.matches(got) {
			return fmt.Errorf("the guard refuses the decision: %w", err)
		}
		return nil
	}
	if !s.Expect.matches(got) {
		return fmt.Errorf("expected %s, got %s", s.Expect, got)
	}
	if decided.State == guard.Approved && decided.Execute == guard.ByGuard {
		return t.landed(ctx, p, id, changed)
	}
	return nil
}

// landed waits until a send that a decision has started is recorded, so that the next step finds what came of it.
func (t *testRun) landed(ctx context.Context, p guard.Principal, id string, changed <-chan string) error {
	for {
		e, err := t.guard.Effect(ctx, p, id)
		if err != nil || e.State != guard.Approved && e.State != guard.Pending {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pair compares two calls.
func (t *testRun) pair(ctx context.Context, p testPair) error {
	who, first := t.callOf(testCall{Tool: p.Tool, Run: cmp.Or(p.Run, "run"), Arguments: p.A})
	_, second := t.callOf(testCall{Tool: cmp.Or(p.BTool, p.Tool), Run: cmp.Or(p.BRun, p.Run, "run"), Arguments: p.B})
	x, err := t.guard.Fingerprint(ctx, who, second, &first)
	if err != nil {
		return callError("the pair", err)
	}
	rule := t.set.Match(second.Tool)
	t.coverage.touchPair(rule, x.Verdict.Relation)
	got := cmp.Or(string(x.Verdict.Relation), "different")
	if got == p.Expect {
		return nil
	}
	text := fmt.Sprintf("expected %s, got %s\n%s", p.Expect, got, x.Verdict.Sentence)
	for _, d := range x.Comparison.Differs {
		decides := ""
		if d.Decides {
			decides = ", decides"
		}
		text += fmt.Sprintf("\n  %s (%s%s): %s and %s", d.Argument, d.Role, decides, orAbsent(d.Earlier), orAbsent(d.Now))
	}
	return errors.New(text)
}
