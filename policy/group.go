package policy

import (
	"fmt"
	"slices"
	"strings"
)

// group is one entry of "groups:": keys for all tools under "tools:" whose names one of its globs matches.
type group struct {
	at    place
	globs []applied
	said  layer
}

// applied is one entry of "apply_to:".
type applied struct {
	at      place
	pattern string
	matches func(name string) bool
}

// maxGlobs is the most entries of "apply_to:".
const maxGlobs = 100

// group reads one entry of "groups:". What its keys hold is read with each tool, and once by checkGroups.
func (r *reader) group(n *node) group {
	g := group{at: n.at, said: layer(r.fields(n, "a group", groupKeys))}
	e, ok := g.said.get("apply_to")
	if !ok {
		r.add(g.at, "the group applies to no tool", "add \"apply_to:\" with a list of names or globs such as [\"github__*\"]")
		return g
	}
	g.said = slices.DeleteFunc(slices.Clone(g.said), func(e entry) bool { return e.name == "apply_to" })
	list := r.items(e.value, "apply_to")
	if e.value.kind == listNode && (len(list) == 0 || len(list) > maxGlobs) {
		r.add(e.value.at, "apply_to has "+count(len(list), "name"), fmt.Sprintf("write from 1 to %d names or globs", maxGlobs))
		return g
	}
	for _, item := range list {
		name := r.name(item, "an entry of apply_to")
		switch {
		case name == "":
		case strings.Contains(name, "**"):
			r.add(item.at, fmt.Sprintf("the glob %q has two stars in a row", name), "write one *")
		default:
			g.globs = append(g.globs, applied{item.at, name, Matcher(name)})
		}
	}
	return g
}

// assignGroups gives each tool the groups that apply to it, in the order of the files. A tool that is a glob has a group when the
// group is for all of its names; where it is only for some, the policies would say one thing and the guard do another.
func assignGroups(r *report, docs []*document) map[*toolEntry][]*group {
	groups := make(map[*toolEntry][]*group)
	var tools []*toolEntry
	for _, d := range docs {
		for i := range d.tools {
			if d.tools[i].name != "" {
				tools = append(tools, &d.tools[i])
			}
		}
	}
	for _, d := range docs {
		for i := range d.groups {
			g := &d.groups[i]
			for _, a := range g.globs {
				assign(r, groups, g, a, tools)
			}
		}
	}
	return groups
}

func assign(r *report, groups map[*toolEntry][]*group, g *group, a applied, tools []*toolEntry) {
	used := false
	for _, t := range tools {
		switch {
		case a.matches(t.name):
			used = true
			if !slices.Contains(groups[t], g) {
				groups[t] = append(groups[t], g)
			}
		case isGlob(t.name) && overlap(a.pattern, t.name) && !isTaken(a.pattern, t.name, tools):
			used = true
			r.add(a.at, fmt.Sprintf("the group applies to %q, which is for some of the tools of %q and not for others", a.pattern, t.name),
				fmt.Sprintf("add an entry %q under tools, or let the group apply to %q", a.pattern, t.name))
		}
	}
	if !used {
		r.add(a.at, fmt.Sprintf("no entry of tools is matched by %q, and a group only adds to tools that have one", a.pattern),
			fmt.Sprintf("add an entry %q under tools, or remove this", a.pattern))
	}
}

// isTaken reports whether all names that a group is for have an entry that goes before the one of the glob at hand.
func isTaken(applied, pattern string, tools []*toolEntry) bool {
	this := newGlob(&Rule{Pattern: pattern})
	return slices.ContainsFunc(tools, func(t *toolEntry) bool {
		if t.name == applied || !isGlob(t.name) {
			return t.name == applied
		}
		other := newGlob(&Rule{Pattern: t.name})
		return moreSpecific(&other, &this) < 0 && other.matches(applied)
	})
}

// overlap reports whether some name is matched by both globs.
func overlap(a, b string) bool {
	// row[j] tells whether what is left of a and b[j:] have a name in common.
	row := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		next := slices.Clone(row)
		for j := len(b); j >= 0; j-- {
			starA, starB := i < len(a) && a[i] == '*', j < len(b) && b[j] == '*'
			switch {
			case i == len(a) && j == len(b):
				row[j] = true
			case starA && starB:
				row[j] = next[j] || row[j+1]
			case starA:
				row[j] = next[j] || j < len(b) && row[j+1]
			case starB:
				row[j] = row[j+1] || i < len(a) && next[j]
			default:
				row[j] = i < len(a) && j < len(b) && a[i] == b[j] && next[j+1]
			}
		}
	}
	return row[0]
}
