package web

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// trialForm is one call, or two, that a person wants to see judged.
type trialForm struct {
	earlier, now trialCall
}

type trialCall struct {
	Arguments string // JSON
	Run       string
}

func readTrial(form url.Values) trialForm {
	call := func(name string) trialCall {
		return trialCall{strings.TrimSpace(form.Get(name)), strings.TrimSpace(form.Get(name + "-run"))}
	}
	return trialForm{call("earlier"), call("now")}
}

// trialView is what the policy in force says of the calls.
type trialView struct {
	Earlier, Now trialCall
	Done         bool
	Problem      string // why it could not be judged

	Action    string // what the rule says of the later call by itself
	Why       string
	Rule      string // the condition that decided, file:line
	Broken    []policy.Violation
	Verdict   string // what the two are to each other; "" for a single call
	Relation  guard.Relation
	Sentence  string
	Follows   string // what the policy does then
	Arguments comparison
}

// try judges the calls of a form under the policy in force. It changes nothing.
func (w *Web) try(ctx context.Context, p guard.Principal, tool string, f trialForm) (trialView, error) {
	v := trialView{Earlier: f.earlier, Now: f.now}
	if f.now.Arguments == "" {
		return v, nil
	}
	v.Done = true
	call := guard.Call{Tool: tool, Arguments: []byte(f.now.Arguments), Run: f.now.Run}
	var other *guard.Call
	if f.earlier.Arguments != "" {
		other = &guard.Call{Tool: tool, Arguments: []byte(f.earlier.Arguments), Run: f.earlier.Run}
	}
	x, err := w.guard.Fingerprint(ctx, p, call, other)
	if guard.CodeOf(err) == guard.CodeInvalid {
		v.Problem = trialProblem(err)
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Arguments = compare("", x.Other, x.Terms, false)
	v.judgeAlone(ctx, p, w.policies.Current().Match(tool), call, x.Canonical)
	if other != nil {
		v.Relation, v.Sentence = x.Verdict.Relation, x.Verdict.Sentence
		v.Verdict, v.Follows = relationWords(x.Verdict.Relation, w.policies.Current().Match(tool).On)
	}
	return v, nil
}

// trialProblem says which of the two texts cannot be read.
func trialProblem(err error) string {
	e, ok := errors.AsType[*guard.Error](err)
	if !ok {
		return err.Error()
	}
	which, message := "The later call", e.Message
	if strings.HasPrefix(e.Field, "/other") {
		which = "The earlier call"
	}
	return which + " cannot be judged: " + message + "."
}

// judgeAlone asks the rule about the later call before any earlier one is looked at.
func (v *trialView) judgeAlone(ctx context.Context, p guard.Principal, r *policy.Rule, c guard.Call, canonical string) {
	args, err := fingerprint.Decode([]byte(canonical), fingerprint.Limits{})
	switch {
	case err != nil: // the guard has read it
		return
	case r.Kind == policy.Read:
		v.Action, v.Why = "passes", "The tool only reads, so its calls pass and are not recorded."
		return
	case r.Mode == policy.ModeOff:
		v.Action, v.Why = "passes", "The policy is off, so calls pass and are not recorded."
		return
	}
	if v.Broken = r.Validate(args); len(v.Broken) > 0 {
		v.Action, v.Why = "turned back", "The arguments break the schema of the tool."
		return
	}
	if r.NeedsHistory() {
		v.Action, v.Why = "depends", "A condition of the policy looks at earlier effects on the same thing."
		return
	}
	said := r.Check(ctx, policy.Facts{Tool: c.Tool, Tenant: p.Tenant, Subject: p.Subject, Run: c.Run, Args: args})
	v.Action, v.Why, v.Rule = actionWords[said.Action], said.Why, said.Rule
}

var actionWords = map[policy.Action]string{policy.ActAllow: "allowed", policy.ActHold: "held", policy.ActDeny: "denied"}

// relationWords says what a relation means and what the policy does about it.
func relationWords(r guard.Relation, on policy.On) (verdict, follows string) {
	does := func(c policy.Choice) string { return "The policy says: " + string(c) + "." }
	switch r {
	case guard.SameEffect:
		return "The same effect", "Once the earlier one is done, the policy says: " + string(on.Done) + "."
	case guard.NearEffect:
		return "Different in wording only", does(on.Near)
	case guard.OtherScope:
		return "Equal, in another scope", does(on.OtherScope)
	case guard.SameIdentity:
		return "Two effects on the same thing", does(on.SameIdentity)
	}
	return "Two different effects", "Both are sent."
}

// recorded is a call on record. A run whose name cannot be shown in a field is left out.
func recorded(e *guard.Effect) trialCall {
	c := trialCall{escapeHidden(string(e.Arguments)), e.Run}
	if strings.ContainsFunc(e.Run, hidden) {
		c.Run = ""
	}
	return c
}

// trialOf fills the form with a call on record, and with the one that stood in its way.
func (w *Web) trialOf(ctx context.Context, p guard.Principal, e *guard.Effect) trialForm {
	f := trialForm{now: recorded(e)}
	if e.Related == "" {
		return f
	}
	// Without the earlier one the page still shows what the rule says of this one.
	if earlier, err := w.guard.Effect(ctx, p, e.Related); err == nil && earlier.Tool == e.Tool {
		f.earlier = recorded(&earlier)
	}
	return f
}
