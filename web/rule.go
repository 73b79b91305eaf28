package web

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// policyView is what the policy of a tool says.
type policyView struct {
	Pattern string // "" where no policy names the tool
	Source  string // file:line
	Lines   []policyLine
}

type policyLine struct {
	Name, Value string
	Cause       bool // why the effect waits for a person
}

// policyOf says in a few lines what the policy of a tool decides, and which of them opened a review.
func policyOf(r *policy.Rule, review guard.Code) policyView {
	v := policyView{Pattern: r.Pattern, Source: r.Source}
	add := func(name, value string, causes ...guard.Code) {
		if value != "" {
			v.Lines = append(v.Lines, policyLine{name, value, slices.Contains(causes, review)})
		}
	}
	scope := strings.Join(r.Scope, ", ")
	if scope == "" {
		scope = "the run, where the call names one, else the subject"
	}
	add("effect", r.Effect)
	add("scope", scope)
	lines := r.Lines()
	add("window", said(lines, "window"))
	add("held for", cmp.Or(said(lines, "approvals", "expires"), said(lines, "hold")))
	on := r.On
	add("when done", string(on.Done))
	add("when failed", string(on.Failed))
	add("when unknown", string(on.Unknown), guard.CodeUnknown, guard.CodeLapsed)
	add("when near", string(on.Near), guard.CodeNear)
	add("same identity", string(on.SameIdentity), guard.CodeSameIdentity)
	add("other scope", string(on.OtherScope), guard.CodeOtherScope)
	return v
}

// said is a value of a rule as a policy says it, such as a duration; "" where the rule has none.
func said(lines []policy.Line, path ...string) string {
	i := slices.IndexFunc(lines, func(l policy.Line) bool { return slices.Equal(l.Path, path) })
	if i < 0 {
		return ""
	}
	var text string
	if err := json.Unmarshal(lines[i].Value, &text); err != nil {
		return string(lines[i].Value) // it is no text
	}
	return text
}
