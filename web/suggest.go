package web

import (
	"encoding/json"
	"slices"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// suggestion is a change of a policy that would have spared a person the decision on an effect.
type suggestion struct {
	path    []string
	value   string
	says    string // what it does
	comment string // the other choices
}

// suggestions are by why an effect was held or left open.
var suggestions = map[guard.Code]suggestion{
	guard.CodeNear: {
		[]string{"on", "near"}, "confirm", "A call that differs in wording only is given back to the agent, which may declare that one more is meant.",
		"near: confirm asks the agent; replay takes it for the same; allow takes it for a new one; hold asks a person.",
	},
	guard.CodeSameIdentity: {
		[]string{"on", "same_identity"}, "allow", "Several effects on one thing are allowed, as long as their material differs.",
		"same_identity: allow lets them pass; hold asks a person; block refuses them.",
	},
	guard.CodeOtherScope: {
		[]string{"on", "other_scope"}, "confirm", "An equal call of another run is given back to the agent, which may declare that one more is meant.",
		"other_scope: confirm asks the agent; replay gives it the earlier result; allow lets it pass.",
	},
	guard.CodeUnknown: {
		[]string{"on", "unknown"}, "block", "Equal calls after an unknown outcome are refused. The outcome itself still needs a person.",
		"unknown: block refuses; hold asks a person; retry sends again, and needs \"idempotent: true\" and a tool that honours it.",
	},
}

// suggest drafts the policy of a name that an effect speaks for, and says what the change does.
func (w *Web) suggest(e *guard.Effect, r *policy.Rule, name string) (draft, says string) {
	code := e.Review
	if code == "" {
		code = e.Code
	}
	if e.State == guard.Unknown {
		code = guard.CodeUnknown
	}
	lines, comments := written(r), []string(nil)
	if r.Unknown {
		name = e.Tool
		lines = w.declared(e)
		comments = append(comments, "Mark with \"role: identity\" what names the thing acted on, and with \"role: commentary\" what changes nothing about it.")
		says = "A first policy for this tool, with the arguments of this call."
	}
	s, known := suggestions[code]
	switch {
	case known:
		lines = with(lines, s.path, s.value)
		comments = append(comments, s.comment)
		says = s.says
	case code == guard.CodeHeld && !r.Unknown:
		says = "A condition under \"rules:\" or a limit held this call. Change it, or put a narrower one with \"then: allow\" before it."
	case says == "":
		says = "The policy as it is."
	}
	return document(name, yamlOf(lines), comments), says
}

// written is what the files say of a tool, without what the language adds.
func written(r *policy.Rule) []policy.Line {
	return slices.DeleteFunc(r.Lines(), func(l policy.Line) bool { return l.Origin == "" || l.Path[0] == "name" })
}

// with sets one value, beside the others of its mapping.
func with(lines []policy.Line, path []string, value string) []policy.Line {
	text, err := json.Marshal(value)
	if err != nil {
		return lines // no string fails
	}
	set := policy.Line{Path: path, Value: text, Origin: draftName}
	if i := slices.IndexFunc(lines, func(l policy.Line) bool { return slices.Equal(l.Path, path) }); i >= 0 {
		lines[i] = set
		return lines
	}
	last := len(lines)
	for i, l := range lines {
		if l.Path[0] == path[0] {
			last = i + 1
		}
	}
	return slices.Insert(lines, last, set)
}

// declared declares the arguments of a call as they are read now.
func (w *Web) declared(e *guard.Effect) []policy.Line {
	list, err := terms(w.policies, e)
	if err != nil {
		return nil
	}
	var lines []policy.Line
	for _, t := range list {
		if t.Argument == "" || len(lines) == mostRows {
			continue // the arguments are no object
		}
		text, err := json.Marshal(map[string]string{"role": t.Role.String(), "kind": t.Kind})
		if err != nil {
			continue // no strings fail
		}
		lines = append(lines, policy.Line{Path: []string{"arguments", t.Argument}, Value: text, Origin: draftName})
	}
	return lines
}
