package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// coverage is what of a set of policies the cases have touched: tools, conditions, limits and choices of "on" that somebody wrote.
type coverage struct {
	parts      []coveredPart
	touched    map[string]bool // by key
	conditions []coveredRules
	met        map[string]map[string]bool // by the tool's pattern, the conditions that decided, file:line
}

// coveredRules are the conditions of one tool. An answer tells on which line the one stands that decided.
type coveredRules struct {
	pattern, origin string
	count           int
}

// coveredPart is one thing that a case may touch.
type coveredPart struct {
	key  string
	What string `json:"what"`
	At   string `json:"at,omitzero"`
}

func newCoverage(set *policy.Set) *coverage {
	c := &coverage{touched: map[string]bool{}, met: map[string]map[string]bool{}}
	for _, rule := range set.Rules() {
		c.parts = append(c.parts, coveredPart{"tool " + rule.Pattern, "the tool " + rule.Pattern, rule.Source})
		for _, line := range rule.Lines() {
			switch {
			case line.Origin == "":
			case line.Path[0] == "rules":
				c.addConditions(rule, line)
			case line.Path[0] == "on" && len(line.Path) == 2:
				key := "on " + rule.Pattern + " " + line.Path[1]
				c.parts = append(c.parts, coveredPart{key, rule.Pattern + ": " + line.String(), line.Origin})
			}
		}
		for _, l := range rule.Limits {
			c.parts = append(c.parts, coveredPart{limitKey(rule, l), fmt.Sprintf("%s: the limit in %s", rule.Pattern, policy.ShowDuration(l.Per)), l.Source})
		}
	}
	return c
}

// addConditions adds the conditions of a tool.
func (c *coverage) addConditions(rule *policy.Rule, line policy.Line) {
	var conditions []json.RawMessage
	if json.Unmarshal(line.Value, &conditions) == nil {
		c.conditions = append(c.conditions, coveredRules{rule.Pattern, line.Origin, len(conditions)})
	}
}

func limitKey(rule *policy.Rule, l policy.Limit) string {
	return fmt.Sprintf("limit %s %s %d %s", rule.Pattern, l.Counter, l.Count, l.Max)
}

// codesOn tell which choice an answer has come from.
var codesOn = map[guard.Code]string{
	guard.CodeReplayed: "done", guard.CodeDone: "done", guard.CodeNotShared: "done", guard.CodePending: "pending",
	guard.CodeFailedAlready: "failed", guard.CodePartial: "partial", guard.CodeUnknown: "unknown",
	guard.CodeSameIdentity: "same_identity", guard.CodeOtherScope: "other_scope", guard.CodeNear: "near",
}

// touch notes what a call has met.
func (c *coverage) touch(rule *policy.Rule, v policy.Verdict, a *guard.Answer) {
	c.touched["tool "+rule.Pattern] = true
	if v.Rule != "" {
		if c.met[rule.Pattern] == nil {
			c.met[rule.Pattern] = map[string]bool{}
		}
		c.met[rule.Pattern][v.Rule] = true
	}
	if on := codesOn[a.Explanation.Code]; on != "" {
		c.touched["on "+rule.Pattern+" "+on] = true
	}
	if e := a.Effect; e != nil && e.Attempts > 1 {
		c.touched["on "+rule.Pattern+" failed"] = true
	}
	if a.Explanation.Code != guard.CodeOverLimit && (a.Effect == nil || a.Effect.Code != guard.CodeOverLimit) {
		return
	}
	for _, l := range rule.Limits {
		if len(rule.Limits) == 1 || a.Effect != nil && strings.Contains(a.Effect.Reason, " in "+l.Per.String()) {
			c.touched[limitKey(rule, l)] = true
		}
	}
}

// touchPair notes what a pair has met.
func (c *coverage) touchPair(rule *policy.Rule, relation guard.Relation) {
	c.touched["tool "+rule.Pattern] = true
	key := string(relation)
	if relation == guard.SameEffect {
		key = "done"
	}
	c.touched["on "+rule.Pattern+" "+key] = true
}

// count is how many things could be met.
func (c *coverage) count() int {
	n := len(c.parts)
	for _, k := range c.conditions {
		n += k.count
	}
	return n
}

// missed lists what no case has met, and how much that is.
func (c *coverage) missed() (list []coveredPart, n int) {
	list = slices.DeleteFunc(slices.Clone(c.parts), func(p coveredPart) bool { return c.touched[p.key] })
	n = len(list)
	for _, k := range c.conditions {
		met := slices.Sorted(maps.Keys(c.met[k.pattern]))
		left := k.count - len(met)
		if left <= 0 {
			continue
		}
		n += left
		what := fmt.Sprintf("%s: %d of its %s", k.pattern, left, plural(k.count, "condition"))
		if len(met) > 0 {
			what += "; met were those at " + strings.Join(met, ", ")
		}
		list = append(list, coveredPart{What: what, At: k.origin})
	}
	return list, n
}
