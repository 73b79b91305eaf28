package policy

import (
	"maps"
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
	endpoints    map[string]*Endpoint // by name
	sources      sources
	cache        cache
}

// newSet makes a set of sealed rules with different patterns.
func newSet(rules []*Rule, unknown *Rule, unknownTools string, endpoints map[string]*Endpoint) *Set {
	s := &Set{exact: make(map[string]*Rule), rules: rules, unknownTools: unknownTools, unknown: unknown, endpoints: endpoints}
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
func Empty() *Set {
	set, err := compileFiles(nil, nil)
	if err != nil {
		// Where nothing was written, nothing can be wrong.
		panic("policy: " + err.Error())
	}
	return set
}

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

// Endpoint finds an endpoint by its name, as Approvals.Notify has it; nil when there is none.
func (s *Set) Endpoint(name string) *Endpoint { return s.endpoints[name] }

// Endpoints lists the endpoints of the policies in order of their names.
func (s *Set) Endpoints() []*Endpoint {
	list := slices.Collect(maps.Values(s.endpoints))
	slices.SortFunc(list, func(a, b *Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return list
}
