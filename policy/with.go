package policy

import (
	"maps"
	"slices"
	"strings"
)

// With returns a set in which each of the named tools has the given rule, and every other tool the one that s gives it. The
// rules are copied; their Pattern and Digest are set anew. It is for rehearsals: recorded calls meet the policies, but
// their upstreams are simulated.
func (s *Set) With(rules map[string]Rule) *Set {
	changed := &Set{exact: maps.Clone(s.exact), globs: s.globs, unknown: s.unknown, unknownTools: s.unknownTools, endpoints: s.endpoints}
	changed.rules = slices.DeleteFunc(slices.Clone(s.rules), func(r *Rule) bool {
		_, replaced := rules[r.Pattern]
		return replaced
	})
	for tool, rule := range rules {
		rule.Pattern = tool
		rule.seal()
		changed.exact[tool] = &rule
		changed.rules = append(changed.rules, &rule)
	}
	slices.SortFunc(changed.rules, func(a, b *Rule) int { return strings.Compare(a.Pattern, b.Pattern) })
	return changed
}
