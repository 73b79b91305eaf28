package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// comparisonReport tells what a second call is to a first one.
type comparisonReport struct {
	Same bool `json:"same"`
	// Relation is "same", "near", "other_scope", "same_identity" or "different".
	Relation string `json:"relation"`
	Sentence string `json:"sentence"` // for a person who reviews the two
	Follows  string `json:"follows"`  // what the policy makes of it
	// Terms are the arguments of both, side by side.
	Terms    []fingerprint.TermPair `json:"terms"`
	Nearness *nearnessShown         `json:"nearness,omitzero"`
	Because  []string               `json:"because"`
	Differs  []difference           `json:"differs"`
}

// difference is one way in which two calls differ: an argument, or something of the call around them.
type difference struct {
	What    string `json:"what"` // name of the argument, "the run", "the effect type" …
	Role    string `json:"role,omitzero"`
	First   string `json:"first"`
	Second  string `json:"second"`
	Decides bool   `json:"decides"`
}

// compare tells what the second call is to the first, as the guard sees it, and what decides.
func (e explainer) compare(calls []guard.Call, x guard.Explained) *comparisonReport {
	r := &comparisonReport{
		Same: x.Comparison.Same, Relation: string(x.Verdict.Relation), Sentence: x.Verdict.Sentence, Because: x.Comparison.Because,
		Terms: fingerprint.Align(x.Other, x.Terms), Nearness: showNearness(x.Verdict.Nearness), Differs: []difference{},
	}
	if r.Relation == "" {
		r.Relation = "different"
	}
	if !r.Same {
		r.Differs = e.around(calls[0], calls[1])
		if len(r.Differs) == 0 && x.Comparison.Same != sameTerms(r.Terms) {
			r.Differs = append(r.Differs, difference{What: "the declared arguments", First: "those of " + calls[0].Tool, Second: "those of " + calls[1].Tool, Decides: true})
			r.Sentence = declarationsSentence
		} else if len(r.Differs) > 0 && x.Verdict.Relation != guard.OtherScope {
			r.Sentence = aroundSentence(r.Differs)
		}
	}
	for _, d := range x.Comparison.Differs {
		r.Differs = append(r.Differs, difference{d.Argument, d.Role.String(), d.Earlier, d.Now, d.Decides})
	}
	r.Follows = follows(x.Verdict.Relation, e.policies.Current().Match(calls[1].Tool))
	return r
}

// declarationsSentence says why two tools of one effect type do not share an effect whose values are equal.
const declarationsSentence = "Another effect: the values are equal, but the policies of the two tools do not declare the same of them. " +
	"Tools share effects where the arguments that decide have the same common names, roles and kinds."

func sameTerms(pairs []fingerprint.TermPair) bool {
	return !slices.ContainsFunc(pairs, func(p fingerprint.TermPair) bool { return p.Standing == fingerprint.Differs })
}

// aroundSentence says what tells two calls apart whatever their arguments are.
func aroundSentence(around []difference) string {
	phrases := make([]string, len(around))
	for i, d := range around {
		phrases[i] = fmt.Sprintf("%s is %s instead of %s", show(d.What), orAbsent(d.Second), orAbsent(d.First))
	}
	return "Another effect: " + strings.Join(phrases, "; ") + "."
}

// follows says what the second call gets after the first was carried out.
func follows(relation guard.Relation, rule *policy.Rule) string {
	key, choice := "", policy.Choice("")
	switch relation {
	case guard.SameEffect:
		key, choice = "done", rule.On.Done
	case guard.NearEffect:
		key, choice = "near", rule.On.Near
	case guard.OtherScope:
		key, choice = "other_scope", rule.On.OtherScope
	case guard.SameIdentity:
		key, choice = "same_identity", rule.On.SameIdentity
	}
	if rule.Kind == policy.Read {
		return "The tool only reads, so both calls pass."
	}
	what, known := map[policy.Choice]string{
		policy.Replay: "it gets the result of the first, and nothing is sent",
		policy.Block:  "it is blocked",
		policy.Hold:   "it is held for a person",
		policy.Allow:  "it is sent",
	}[choice]
	switch {
	case key == "":
		what = "it is sent"
	case choice == policy.Confirm && relation == guard.SameEffect:
		what = "it gets the result of the first, and the agent is told how to declare that one more is meant"
	case choice == policy.Confirm:
		what = "the agent is asked whether one more is meant"
	case !known:
		what = string(choice)
	}
	if key != "" {
		what += fmt.Sprintf(" (on.%s: %s)", key, choice)
	}
	return "After the first is done, " + what + "."
}

// around finds what tells two calls apart beside their arguments. The order and the rules are those of the
// guard.
func (e explainer) around(first, second guard.Call) []difference {
	one, two := e.policies.Current().Match(first.Tool), e.policies.Current().Match(second.Tool)
	list := []difference{}
	add := func(what, a, b string) {
		if a != b {
			list = append(list, difference{What: what, First: quoted(a), Second: quoted(b), Decides: true})
		}
	}
	add("the effect type", one.Effect, two.Effect)
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
	if label := one.Occurrence.Label; label != "" {
		add("the label "+label, first.Labels[label], second.Labels[label])
	}
	add("the occurrence", occurrence(first), occurrence(second))
	if one.Keys == policy.KeysTrusted || two.Keys == policy.KeysTrusted {
		add("the idempotency key", first.IdempotencyKey, second.IdempotencyKey)
	}
	return list
}

// occurrence is which of several equal calls a call says that it is; the first says nothing.
func occurrence(c guard.Call) string {
	if c.Occurrence <= 1 {
		return ""
	}
	return fmt.Sprint(c.Occurrence)
}

// write puts the arguments side by side, and below what decides.
func (r *comparisonReport) write(b *strings.Builder) error {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  ARGUMENT\tROLE\tKIND\tTHE TWO\tFIRST\tSECOND\tNORMAL FORM")
	for _, p := range r.Terms {
		first, second := fingerprint.Excerpts(p.Earlier.Raw, p.Now.Raw)
		normal, other := fingerprint.Excerpts(p.Earlier.Normal, p.Now.Normal)
		if p.Earlier.Normal != p.Now.Normal {
			normal = orDash(normal) + " | " + orDash(other)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", show(p.Argument), p.Role, p.Now.Kind, p.Standing, orDash(first), orDash(second), orDash(normal))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(b, "\n%s\n", r.Sentence)
	var decides []string
	for _, d := range r.Differs {
		if d.Decides {
			decides = append(decides, show(d.What))
		}
	}
	if len(decides) > 0 {
		fmt.Fprintf(b, "What decides: %s.\n", strings.Join(decides, ", "))
	}
	fmt.Fprintln(b, r.Follows)
	return nil
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
