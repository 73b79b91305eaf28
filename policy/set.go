package policy

import (
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// The choices of defaults.unknown_tools.
const (
	unknownGuard = "guard" // record and compare their calls like those of a write tool whose policy says nothing of arguments
	unknownDeny  = "deny"  // Check denies every call
	unknownPass  = "pass"  // treat them as read tools
)

var unknownChoices = []string{unknownGuard, unknownDeny, unknownPass}

// Set is an immutable, compiled set of rules, safe for concurrent use.
type Set struct {
	exact        map[string]*Rule
	globs        index
	rules        []*Rule // by pattern
	unknown      *Rule
	unknownTools string
	cache        cache
}

// newSet makes a set of sealed rules with different patterns.
func newSet(rules []*Rule, unknownTools string, defaults settings) *Set {
	s := &Set{exact: make(map[string]*Rule), rules: rules, unknownTools: unknownTools, unknown: unknownRule(unknownTools, defaults)}
	slices.SortFunc(s.rules, func(a, b *Rule) int { return strings.Compare(a.Pattern, b.Pattern) })
	var globs []*Rule
	for _, rule := range s.rules {
		if isGlob(rule.Pattern) {
			globs = append(globs, rule)
		} else {
			s.exact[rule.Pattern] = rule
		}
	}
	s.globs = newIndex(globs)
	return s
}

func isGlob(pattern string) bool { return strings.Contains(pattern, "*") }

// unknownRule is the rule of the tools that no policy names.
func unknownRule(choice string, defaults settings) *Rule {
	rule := &Rule{Kind: Write, Unknown: true, Arguments: inferringSpec()}
	switch choice {
	case unknownPass:
		rule.Kind = Read
	case unknownDeny:
		rule.refused = true
	}
	rule.apply(defaults)
	rule.seal()
	return rule
}

// inferringSpec declares nothing, so that every argument is inferred.
func inferringSpec() *fingerprint.Spec {
	spec, err := fingerprint.NewInferringSpec(nil)
	if err != nil {
		// A spec without declarations has nothing that could be wrong.
		panic("policy: " + err.Error())
	}
	return spec
}

// emptySpec declares nothing, so every argument is compared exactly.
func emptySpec() *fingerprint.Spec {
	spec, err := fingerprint.NewSpec(nil)
	if err != nil {
		// A spec without declarations has nothing that could be wrong.
		panic("policy: " + err.Error())
	}
	return spec
}

// Empty is the set without a policy: every tool is unknown and guarded.
func Empty() *Set { return newSet(nil, unknownGuard, builtin()) }

// Match returns the rule of a tool: the rule with exactly its name; else that of the glob with the most literal characters, of
// those with the longest literal prefix, of those first by name; else the rule for unknown tools. It is never nil, its
// Effect is filled, and names are compared byte by byte.
func (s *Set) Match(tool string) *Rule {
	if rule, ok := s.exact[tool]; ok {
		return rule
	}
	if rule, ok := s.cache.get(tool); ok {
		return rule
	}
	rule := s.globs.find(tool)
	if rule == nil {
		rule = s.unknown
	}
	rule = rule.forTool(tool)
	s.cache.put(tool, rule)
	return rule
}

// UnknownTools is what defaults.unknown_tools says: "guard", "deny" or "pass".
func (s *Set) UnknownTools() string { return s.unknownTools }

// Rules lists the rules of the policies in order of their patterns. The Effect of a glob that names none is empty.
func (s *Set) Rules() []*Rule { return slices.Clone(s.rules) }
