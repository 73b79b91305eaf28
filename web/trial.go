package web

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// trialForm is one call, or two, that a person wants to see judged.
type trialForm struct {
	earlier, now trialCall
}

type trialCall struct {
	Name       string // of its field in the form, with which those of its other fields begin
	Arguments  string // JSON
	Run, Agent string
	Labels     string // name=value, with commas between
}

func readTrial(form url.Values) trialForm {
	call := func(name string) trialCall {
		field := func(of string) string { return strings.TrimSpace(form.Get(name + of)) }
		return trialCall{name, field(""), field("-run"), field("-agent"), field("-labels")}
	}
	return trialForm{call("earlier"), call("now")}
}

// call is the call as an agent would make it.
func (c *trialCall) call(tool string) guard.Call {
	call := guard.Call{Tool: tool, Arguments: []byte(c.Arguments), Run: c.Run, Agent: c.Agent}
	for label := range strings.SplitSeq(c.Labels, ",") {
		name, value, _ := strings.Cut(label, "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if call.Labels == nil {
			call.Labels = map[string]string{}
		}
		call.Labels[name] = strings.TrimSpace(value)
	}
	return call
}

// trialView is what is said of the calls of a form.
type trialView struct {
	Earlier, Now trialCall
	Done         bool
	ByDraft      bool   // judged by the editor's text, and not by the policy in force
	Source       string // file:line of the policy in force; "" where none names the tool
	judgement
	Broken  problems // of a draft that cannot be loaded, so that it judges nothing
	InForce string   // what the policy in force says, where the draft has judged
}

// judgement is what one policy says of the calls.
type judgement struct {
	Problem string // why they could not be judged

	Action    string // what the rule says of the later call by itself
	Why       string
	Rule      string // the condition that decided, file:line
	Against   []policy.Violation
	Verdict   string // what the two are to each other; "" for a single call
	Relation  guard.Relation
	Sentence  string
	Follows   string // what the policy does then
	Arguments comparison
}

// try judges the calls of a form by the draft, where it says something else than what is in force, and changes nothing. would are the
// policies with the draft among them, nil where it cannot be loaded.
func (w *Web) try(ctx context.Context, p guard.Principal, tool string, f trialForm, draft *draftView, would *policy.Set) (trialView, error) {
	v := trialView{Earlier: f.earlier, Now: f.now, ByDraft: draft.Differs}
	if f.now.Arguments == "" {
		return v, nil
	}
	v.Done = true
	current := w.policies.Current()
	inForce, err := w.judgement(ctx, p, current, tool, f)
	if err != nil {
		return v, err
	}
	switch {
	case !draft.Differs:
		v.judgement, v.Source = inForce, current.Match(tool).Source
	case !draft.Good:
		v.Broken = draft.Problems
	case !draft.Names:
		v.Problem = "The draft does not name this tool, so it judges none of its calls."
	default:
		v.judgement, err = w.judgement(ctx, p, would, tool, f)
		v.InForce = inForce.beside(&v.judgement)
	}
	return v, err
}

// judgement judges the calls of a form under policies.
func (w *Web) judgement(ctx context.Context, p guard.Principal, set *policy.Set, tool string, f trialForm) (judgement, error) {
	var j judgement
	rule := set.Match(tool)
	if rule.Defect != nil {
		j.Problem = "No version of the policy can be used, so calls of this tool are refused."
		return j, nil
	}
	call := f.now.call(tool)
	var other *guard.Call
	if f.earlier.Arguments != "" {
		other = new(f.earlier.call(tool))
	}
	x, err := w.guard.FingerprintUnder(ctx, p, set, call, other)
	if guard.CodeOf(err) == guard.CodeInvalid {
		j.Problem = trialProblem(err)
		return j, nil
	}
	if err != nil {
		return j, err
	}
	j.Arguments = compare("", x.Other, x.Terms, false)
	j.alone(ctx, w.now(), p, rule, call, x.Canonical)
	if other != nil {
		j.Relation, j.Sentence = x.Verdict.Relation, x.Verdict.Sentence
		j.Verdict, j.Follows = relationWords(x.Verdict.Relation, rule)
	}
	return j, nil
}

// beside says in a line what the policy in force says, beside what the draft says; "" where neither can judge, for the same reason.
func (j *judgement) beside(draft *judgement) string {
	switch {
	case j.Problem != "" && j.Problem == draft.Problem:
		return ""
	case j.Problem != "":
		return "Under the policy in force: " + j.Problem
	case j.Verdict == "" && j.Action == draft.Action:
		return "Under the policy in force the call is " + j.Action + " as well."
	case j.Verdict == "":
		return "Under the policy in force the call is " + j.Action + "."
	case j.Verdict == draft.Verdict && j.Follows == draft.Follows && j.Action == draft.Action:
		return "The policy in force says the same."
	}
	return "Under the policy in force: " + lowered(j.Verdict) + ". " + j.Follows + " The later call by itself: " + j.Action + "."
}

// lowered is a text that goes on in a sentence.
func lowered(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// trialProblem says which of the two texts cannot be read.
func trialProblem(err error) string {
	e, ok := errors.AsType[*guard.Error](err)
	if !ok {
		return err.Error()
	}
	which, field := "The later call", e.Field
	if of, earlier := strings.CutPrefix(field, "/other"); earlier {
		which, field = "The earlier call", of
	}
	return which + " cannot be judged for its " + strings.ReplaceAll(strings.TrimPrefix(field, "/"), "/", " ") + ": " + e.Message + "."
}

// alone asks the rule about the later call before any earlier one is looked at.
func (j *judgement) alone(ctx context.Context, now time.Time, p guard.Principal, r *policy.Rule, c guard.Call, canonical string) {
	args, err := fingerprint.Decode([]byte(canonical), fingerprint.Limits{})
	switch {
	case err != nil: // the guard has read it
		return
	case r.Kind == policy.Read:
		j.Action, j.Why = "let through", "The tool only reads, so its calls pass and are not recorded."
		return
	case r.Mode == policy.ModeOff:
		j.Action, j.Why = "let through", "The policy is off, so calls pass and are not recorded."
		return
	}
	if j.Against = r.Validate(args); len(j.Against) > 0 {
		j.Action, j.Why = "turned back", "The arguments break the schema of the tool."
		return
	}
	if r.NeedsHistory() {
		j.Action, j.Why = "judged by history", "A condition of the policy looks at earlier effects on the same thing."
		return
	}
	said := r.Check(ctx, policy.Facts{
		Tool: c.Tool, Tenant: p.Tenant, Subject: p.Subject, Run: c.Run, Agent: c.Agent, Labels: c.Labels, Args: args, Now: now,
	})
	j.Action, j.Why, j.Rule = actionWords[said.Action], said.Why, said.Rule
}

var actionWords = map[policy.Action]string{policy.ActAllow: "allowed", policy.ActHold: "held", policy.ActDeny: "denied"}

// relationWords says what a relation means and what the policy does about it.
func relationWords(relation guard.Relation, r *policy.Rule) (verdict, follows string) {
	verdict, follows = "Two different effects", "Both are sent."
	does := func(c policy.Choice) string { return "The policy says: " + string(c) + "." }
	switch relation {
	case guard.SameEffect:
		verdict, follows = "The same effect", "Once the earlier one is done, the policy says: "+string(r.On.Done)+"."
	case guard.NearEffect:
		verdict, follows = "Different in wording only", does(r.On.Near)
	case guard.OtherScope:
		verdict, follows = "Equal, in another scope", does(r.On.OtherScope)
	case guard.SameIdentity:
		verdict, follows = "Two effects on the same thing", does(r.On.SameIdentity)
	}
	switch {
	case r.Kind == policy.Read || r.Mode == policy.ModeOff:
		follows = "Both pass, because calls of this tool are not recorded."
	case r.Mode == policy.ModeWarn:
		follows += " It only warns, so both are sent."
	}
	return verdict, follows
}

// recorded is a call on record, whose labels are not. A run or an agent whose name cannot be shown in a field is left out.
func recorded(field string, e *guard.Effect) trialCall {
	plain := func(name string) string {
		if strings.ContainsFunc(name, hidden) {
			return ""
		}
		return name
	}
	return trialCall{Name: field, Arguments: escapeHidden(string(e.Arguments)), Run: plain(e.Run), Agent: plain(e.Agent)}
}

// trialOf fills the form with a call on record, and with the one that stood in its way.
func (w *Web) trialOf(ctx context.Context, p guard.Principal, e *guard.Effect) trialForm {
	f := readTrial(nil)
	f.now = recorded("now", e)
	if e.Related == "" {
		return f
	}
	// Without the earlier one the page still shows what the rule says of this one.
	if earlier, err := w.guard.Effect(ctx, p, e.Related); err == nil && earlier.Tool == e.Tool {
		f.earlier = recorded("earlier", &earlier)
	}
	return f
}
