package main

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// difference is one way in which two calls differ: an argument, or something of the call around them.
type difference struct {
	What    string `json:"what"` // name of the argument, "run", "effect" …
	Role    string `json:"role,omitzero"`
	First   string `json:"first"`
	Second  string `json:"second"`
	Decides bool   `json:"decides"`
}

func (d difference) String() string {
	what := show(d.What)
	if d.Role != "" {
		what += " (" + d.Role + ")"
	}
	return fmt.Sprintf("%s is %s in the first and %s in the second", what, orAbsent(d.First), orAbsent(d.Second))
}

// compare tells whether two calls are the same effect, and what decides it.
func (e explainer) compare(r *explainReport, calls []guard.Call, c fingerprint.Comparison) {
	r.Same, r.Because = &c.Same, c.Because
	for _, d := range c.Differs {
		r.Differs = append(r.Differs, difference{d.Argument, d.Role.String(), d.Earlier, d.Now, d.Decides})
	}
	if !c.Same {
		r.Differs = append(e.around(calls[0], calls[1]), r.Differs...)
	}
	var deciding, idle []string
	for _, d := range r.Differs {
		if d.Decides {
			deciding = append(deciding, d.String())
		} else {
			idle = append(idle, show(d.What)+" ("+d.Role+")")
		}
	}
	switch {
	case !c.Same:
		r.Message = "Different effects: " + strings.Join(deciding, "; ") + "."
	case len(c.Because) == 0:
		r.Message = "The same effect: everything that decides is written alike."
	default:
		phrases := make([]string, len(c.Because))
		for i, b := range c.Because {
			phrases[i] = show(b)
		}
		r.Message = "The same effect. " + strings.Join(phrases, "; ") + "."
	}
	if len(idle) > 0 {
		r.Message += " They also differ in " + strings.Join(idle, ", ") + ", which never decides."
	}
}

// around finds what tells two calls apart beside their arguments. The order and the rules are those of the
// guard.
func (e explainer) around(first, second guard.Call) []difference {
	one, two := e.policies.Current().Match(first.Tool), e.policies.Current().Match(second.Tool)
	var list []difference
	add := func(what, a, b string) {
		if a != b {
			list = append(list, difference{What: what, First: quoted(a), Second: quoted(b), Decides: true})
		}
	}
	add("the effect type", one.Effect, two.Effect)
	if one.Effect == two.Effect {
		add("what the policy declares about the arguments", one.Arguments.Digest(), two.Arguments.Digest())
	}
	scope := one.Scope
	if scope == nil {
		scope = []string{policy.ScopeRun}
	}
	for _, part := range scope {
		switch part {
		case policy.ScopeRun:
			add("the run", first.Run, second.Run)
		case policy.ScopeAgent:
			add("the agent", first.Agent, second.Agent)
		case policy.ScopeSubject, policy.ScopeTenant:
			// One caller makes both calls.
		default:
			name := strings.TrimPrefix(part, policy.ScopeLabel)
			add("the label "+name, first.Labels[name], second.Labels[name])
		}
	}
	if one.Keys == policy.KeysTrusted || two.Keys == policy.KeysTrusted {
		add("the idempotency key", first.IdempotencyKey, second.IdempotencyKey)
	}
	return list
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%q", s)
}

func orAbsent(s string) string {
	if s == "" {
		return "absent"
	}
	return show(s)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// show makes a text fit for a line of a terminal: it is cut, and what cannot be seen is written as an escape.
func show(s string) string {
	const most = 100
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		if unprintable(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unprintable reports whether a character would not be seen, or would change how others are seen.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }
