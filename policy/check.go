package policy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"

	"github.com/onceguard/onceguard/fingerprint"
)

// Facts is what conditions may look at. The principal comes from the credential, never from the arguments.
type Facts struct {
	Tool, Tenant, Subject, Agent, Run string
	Labels                            map[string]string
	Args                              fingerprint.Value
	Now                               time.Time
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
	if f.Labels == nil {
		f.Labels = map[string]string{}
	}
	vars := map[string]any{
		"tool": f.Tool, "tenant": f.Tenant, "subject": f.Subject, "agent": f.Agent, "run": f.Run,
		"labels": f.Labels, "args": celObject(f.Args), "now": f.Now.UTC(),
	}
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

// celObject gives the arguments as the map that CEL sees. Arguments that are no JSON object have no members there, so that a
// condition on one holds the call.
func celObject(v fingerprint.Value) map[string]any {
	object, _ := celValue(v).(map[string]any)
	if object == nil {
		return map[string]any{}
	}
	return object
}

// celValue converts a JSON value. A whole number that an int64 holds is an int however it is spelled (1, 1.0, 1e0), any other
// number the nearest double, and one beyond every double an error where a condition looks at it.
func celValue(v fingerprint.Value) any {
	switch v.Type() {
	case fingerprint.Bool:
		return v.Bool()
	case fingerprint.Number:
		if i, ok := v.Number().Int64(); ok {
			return i
		}
		f, err := strconv.ParseFloat(string(v.Raw()), 64)
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
