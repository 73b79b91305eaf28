package policy

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// glob is a pattern in which each * stands for any characters, also none.
type glob struct {
	pattern  string
	prefix   string   // literal text before the first *
	middle   []string // literal texts between stars
	suffix   string   // literal text after the last *
	literals int      // literal bytes in all
	rule     *Rule
}

func newGlob(rule *Rule) glob {
	pieces := strings.Split(rule.Pattern, "*")
	last := len(pieces) - 1
	return glob{
		pattern: rule.Pattern, prefix: pieces[0], middle: pieces[1:last], suffix: pieces[last],
		literals: len(rule.Pattern) - last, rule: rule,
	}
}

// matches takes the leftmost place for each literal text, which finds a match whenever there is one. Its work is linear in the
// name for each text.
func (g *glob) matches(name string) bool {
	if len(name) < g.literals || !strings.HasPrefix(name, g.prefix) || !strings.HasSuffix(name, g.suffix) {
		return false
	}
	rest := name[len(g.prefix) : len(name)-len(g.suffix)]
	for _, text := range g.middle {
		i := strings.Index(rest, text)
		if i < 0 {
			return false
		}
		rest = rest[i+len(text):]
	}
	return true
}

// Matcher tells of which tools a pattern is, as Rule.Pattern has it. That of unknown tools, "", is about all.
func Matcher(pattern string) func(tool string) bool {
	if pattern == "" {
		pattern = "*"
	}
	if !isGlob(pattern) {
		return func(tool string) bool { return tool == pattern }
	}
	g := newGlob(&Rule{Pattern: pattern})
	return g.matches
}

// moreSpecific orders globs by precedence: the most literal characters, then the longest literal prefix, then the name.
func moreSpecific(a, b *glob) int {
	return cmp.Or(cmp.Compare(b.literals, a.literals), cmp.Compare(len(b.prefix), len(a.prefix)), cmp.Compare(a.pattern, b.pattern))
}

// index finds the most specific glob for a name. Globs are grouped by their literal prefix, so that a name is only held against
// those that begin like it.
type index struct {
	groups  map[string][]glob // in order of precedence
	lengths []int             // of the prefixes, ascending
}

func newIndex(rules []*Rule) index {
	x := index{groups: make(map[string][]glob)}
	for _, rule := range rules {
		g := newGlob(rule)
		if _, ok := x.groups[g.prefix]; !ok && !slices.Contains(x.lengths, len(g.prefix)) {
			x.lengths = append(x.lengths, len(g.prefix))
		}
		x.groups[g.prefix] = append(x.groups[g.prefix], g)
	}
	slices.Sort(x.lengths)
	for _, group := range x.groups {
		slices.SortFunc(group, func(a, b glob) int { return moreSpecific(&a, &b) })
	}
	return x
}

func (x *index) find(name string) *Rule {
	var best *glob
	for _, length := range x.lengths {
		if length > len(name) {
			break
		}
		group := x.groups[name[:length]]
		for i := range group {
			g := &group[i]
			if best != nil && moreSpecific(best, g) < 0 {
				break
			}
			if g.matches(name) {
				best = g
				break
			}
		}
	}
	if best == nil {
		return nil
	}
	return best.rule
}

// cache remembers the rules of names that no exact rule has. Names come from callers, so it is bounded in entries and bytes: a
// full cache is dropped whole and begins anew.
type cache struct {
	present atomic.Pointer[generation]
}

type generation struct {
	rules sync.Map // string -> *Rule
	size  atomic.Int64
}

const (
	maxCached     = 4096 // names
	maxCachedName = 256  // bytes of one
)

func (c *cache) get(name string) (*Rule, bool) {
	g := c.present.Load()
	if g == nil {
		return nil, false
	}
	rule, ok := g.rules.Load(name)
	if !ok {
		return nil, false
	}
	return rule.(*Rule), true
}

func (c *cache) put(name string, rule *Rule) {
	if len(name) > maxCachedName {
		return
	}
	g := c.present.Load()
	if g == nil || g.size.Load() >= maxCached {
		fresh := new(generation)
		if !c.present.CompareAndSwap(g, fresh) {
			return
		}
		g = fresh
	}
	if _, there := g.rules.LoadOrStore(strings.Clone(name), rule); !there {
		g.size.Add(1)
	}
}
