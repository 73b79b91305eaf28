package policy

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/onceguard/onceguard/fingerprint"
)

// Facts is what conditions may look at. The principal comes from the credential, never from the arguments.
type Facts struct {
	Tool, Tenant, Subject, Agent, Run string
	Labels                            map[string]string
	Args                              fingerprint.Value
	Now                               time.Time
	// History is needed where Rule.NeedsHistory says so. Without it a condition that looks at it holds the call.
	History *History
}

// History is what the ledger knows of earlier effects on the same thing: those of the tenant with the identity of the call
// (fingerprint.Sum.Identity), of whatever scope, that were sent or may have been. The zero History is that of a thing
// without any, and of a call that names none.
type History struct {
	Count int       // effects, without the call's own
	Last  time.Time // when the latest was claimed; for expressions the beginning of 1970 where there is none
}

// NeedsHistory reports whether a condition of the rule looks at Facts.History.
func (r *Rule) NeedsHistory() bool {
	return r.reads.history || r.Approvals.when != nil && r.Approvals.when.reads.history
}

// Action is what a condition says of a call.
type Action string

// The actions.
const (
	ActAllow Action = "allow"
	ActHold  Action = "hold"
	ActDeny  Action = "deny"
)

// Verdict is what the conditions say of a call. It contains no value of an argument.
type Verdict struct {
	Action Action
	Why    string // one sentence: the policy's, or one about the condition that could not be evaluated; "" when no condition matched
	Rule   string // the condition's source, file:line
	Err    error  // a condition that could not be evaluated: Action is hold
}

// condition is one entry of "rules:".
type condition struct {
	expression *expression
	then       Action
	why        string
}

// Check evaluates the conditions in order; the first that matches decides. Without a match the call is allowed. A condition
// that cannot be evaluated holds the call, whatever the conditions after it say.
func (r *Rule) Check(ctx context.Context, f Facts) Verdict {
	if r.refused {
		return Verdict{Action: ActDeny, Why: "No policy names this tool, and tools without a policy are denied here."}
	}
	if len(r.conditions) == 0 {
		return Verdict{Action: ActAllow}
	}
	vars := &variables{Facts: f, rule: r, reads: r.reads}
	for _, c := range r.conditions {
		yes, err := c.expression.holds(ctx, vars)
		switch {
		case err != nil:
			return Verdict{
				Action: ActHold, Rule: c.expression.source,
				Why: fmt.Sprintf("The policy's condition at %s could not be evaluated (%s), so a person has to decide.", c.expression.source, err),
				Err: fmt.Errorf("policy: condition at %s: %w", c.expression.source, err),
			}
		case yes:
			why := c.why
			if why == "" {
				why = fmt.Sprintf("The policy's condition at %s says %s.", c.expression.source, c.then)
			}
			return Verdict{Action: c.then, Why: why, Rule: c.expression.source}
		}
	}
	return Verdict{Action: ActAllow}
}

// variables gives conditions the facts of one call under the names of their dialect, each made when it is first asked for.
type variables struct {
	Facts
	rule     *Rule
	reads    reads
	args     map[string]any
	norm     map[string]any
	reviewer *Reviewer // nil but for approvals.when
}

// ResolveName returns the value of a variable.
func (v *variables) ResolveName(name string) (value any, ok bool) {
	switch name {
	case "tool":
		return v.Tool, true
	case "tenant":
		return v.Tenant, true
	case "subject":
		return v.Subject, true
	case "agent":
		return v.Agent, true
	case "run":
		return v.Run, true
	case "labels":
		if v.Labels == nil {
			v.Labels = map[string]string{}
		}
		return v.Labels, true
	case "args":
		if v.args == nil {
			v.args = v.reads.of(v.Args)
		}
		return v.args, true
	case "now":
		return v.Now.UTC(), true
	case "norm":
		if v.norm == nil {
			v.norm = v.rule.norm(v.Args, v.reads.norm)
		}
		return v.norm, true
	case "annotations":
		return v.rule.Annotations.cel(), true
	case "history":
		return v.history(), true
	case "reviewer":
		if v.reviewer != nil {
			return map[string]any{"subject": v.reviewer.Subject, "roles": v.reviewer.Roles}, true
		}
	}
	return nil, false
}

func (v *variables) history() any {
	if v.History == nil {
		return types.WrapErr(errHistory)
	}
	last := v.History.Last
	if last.IsZero() {
		last = time.Unix(0, 0)
	}
	return map[string]any{"count": int64(v.History.Count), "last": last.UTC()}
}

// Parent returns nil: there are no variables beside these.
func (v *variables) Parent() cel.Activation { return nil }

// celValue converts a JSON value. A whole number that an int64 holds is an int however it is spelled (1, 1.0, 1e0), any other
// number the nearest double, and one beyond every double an error where a condition looks at it.
func celValue(v fingerprint.Value) any {
	switch v.Type() {
	case fingerprint.Bool:
		return v.Bool()
	case fingerprint.Number:
		raw := v.Raw()
		if !bytes.ContainsAny(raw, ".eE") {
			if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
				return i
			}
		} else if i, ok := v.Number().Int64(); ok {
			return i
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return types.NewErr("a number is out of range")
		}
		return f
	case fingerprint.String:
		return v.Text()
	case fingerprint.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = celValue(v.Elem(i))
		}
		return list
	case fingerprint.Object:
		object := make(map[string]any, v.Len())
		for i := range v.Len() {
			name, member := v.Member(i)
			object[name] = celValue(member)
		}
		return object
	}
	return nil
}
