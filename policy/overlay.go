package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kept is a policy that is kept elsewhere than in the files, such as in a ledger.
type Kept struct {
	Pattern  string
	Versions []Version // at least one, the latest first
}

// place names a version in problems and in Rule.Source.
func (k *Kept) place(version int) string {
	if n := k.Versions[version].Number; n != 0 {
		return fmt.Sprintf("ledger:%s@%d", k.Pattern, n)
	}
	return draftName
}

// Version is one text of a kept policy: a policy file that holds this one tool and nothing else.
type Version struct {
	Number int64 // 0 for a draft
	Text   []byte
}

// KeptVariables begins the names of the environment variables that a kept policy may use. Whoever may write policies without a
// hold on the machine must not learn its other secrets by sending them somewhere.
const KeptVariables = "POLICY_"

// Laid is what became of a Kept.
type Laid struct {
	Rule  *Rule // that holds; of the files where they define the pattern
	Err   error // why the latest version does not hold, Problems as a rule; nil where it does or the files define the pattern
	Files bool  // the files define the pattern, and win
}

// mostFallbacks is how many versions are tried before a tool is refused.
const mostFallbacks = 10

// Overlay lays kept policies over those of the files that s was made of, as if each was one more file; their defaults, groups
// and endpoints hold for them. Of each the latest version that can be loaded holds. The tools of one of which none can be loaded have
// a rule with a Defect. What becomes of each is returned in the order of kept. The result depends on nothing but s and kept.
func (s *Set) Overlay(kept []Kept) (*Set, []Laid) {
	laid := make([]Laid, len(kept))
	o := overlay{base: s, kept: kept, laid: laid, read: make(map[choice]*file), set: s}
	var open []int
	for i, k := range kept {
		if rule := s.Find(k.Pattern); rule != nil {
			laid[i] = Laid{Rule: rule, Files: true}
			continue
		}
		open = append(open, i)
	}
	slices.SortFunc(open, func(a, b int) int { return cmp.Compare(kept[a].Pattern, kept[b].Pattern) })
	o.lay(open)
	set := o.finish()
	for i := range laid {
		laid[i].Rule = set.Find(kept[i].Pattern)
	}
	return set, laid
}

// Find returns the rule with exactly this pattern, nil where there is none.
func (s *Set) Find(pattern string) *Rule {
	at, ok := slices.BinarySearchFunc(s.rules, pattern, func(r *Rule, p string) int { return strings.Compare(r.Pattern, p) })
	if !ok {
		return nil
	}
	return s.rules[at]
}

// overlay is a set that is being made.
type overlay struct {
	base   *Set
	kept   []Kept
	laid   []Laid
	read   map[choice]*file
	chosen []choice // that load together
	set    *Set     // of base and chosen
}

// choice is a version of a kept policy, by their places.
type choice struct{ kept, version int }

// lay takes in the policies at the given places: all at once where they can be loaded, else in halves, so that a few defects
// among many policies cost few attempts.
func (o *overlay) lay(places []int) {
	if len(places) == 0 {
		return
	}
	latest := make([]choice, len(places))
	for i, at := range places {
		latest[i] = choice{at, 0}
	}
	err := o.try(latest)
	switch {
	case err == nil:
	case len(places) > 1:
		half := len(places) / 2
		o.lay(places[:half])
		o.lay(places[half:])
	default:
		at := places[0]
		o.laid[at].Err = err
		for version := 1; version < min(len(o.kept[at].Versions), mostFallbacks); version++ {
			if o.try([]choice{{at, version}}) == nil {
				return
			}
		}
	}
}

// try loads more beside what was chosen, and keeps it if there is nothing wrong.
func (o *overlay) try(more []choice) error {
	chosen := slices.Concat(o.chosen, more)
	files := slices.Clone(o.base.sources.files)
	for _, c := range chosen {
		files = append(files, o.file(c))
	}
	set, err := compileFiles(files, o.set)
	if err != nil {
		return err
	}
	o.chosen, o.set = chosen, set
	return nil
}

// file is the text of a choice, which is read once.
func (o *overlay) file(c choice) *file {
	f, ok := o.read[c]
	if !ok {
		k := &o.kept[c.kept]
		name := k.place(c.version)
		f = &file{name: name, label: name, text: k.Versions[c.version].Text, only: k.Pattern}
		o.read[c] = f
	}
	return f
}

// finish marks the rules with their versions, and adds those of the tools that are refused.
func (o *overlay) finish() *Set {
	used := make([]bool, len(o.kept))
	for _, c := range o.chosen {
		k := &o.kept[c.kept]
		rule := o.set.Find(k.Pattern)
		rule.Kept = k.Versions[c.version].Number
		rule.Digest = fmt.Sprintf("%s@%d", rule.Digest, rule.Kept)
		used[c.kept] = true
	}
	rules := o.set.Rules()
	for i, k := range o.kept {
		if !used[i] && !o.laid[i].Files {
			rules = append(rules, refusing(k, o.laid[i].Err))
		}
	}
	if len(rules) == len(o.set.rules) {
		return o.set
	}
	set := newSet(rules, o.set.unknown, o.set.unknownTools, o.set.endpoints)
	set.sources = o.base.sources
	return set
}

// refusing is the rule of tools whose policy cannot be used.
func refusing(k Kept, defect error) *Rule {
	c := compiler{reader: new(reader), shared: new(shared)}
	t := c.tool(&toolEntry{name: k.Pattern}, nil, nil)
	rule := c.rule(&t)
	rule.Defect, rule.Source = defect, k.place(0)
	return rule
}

var envAnywhere = regexp.MustCompile(`\$\{env:([^{}]*)\}`)

// checkKept holds a document against what a kept policy may be: one tool with the name, and no secrets of others.
func (d *document) checkKept(body *node, pattern string) {
	for _, e := range d.entries(body, "a policy file") {
		switch e.name {
		case "version", "tools":
		default:
			d.add(e.key, fmt.Sprintf("a policy that is kept in the ledger is about one tool, and %q is about several", e.name), "write it in a policy file")
		}
	}
	switch {
	case len(d.tools) != 1:
		d.add(body.at, fmt.Sprintf("the text defines %s", count(len(d.tools), "tool")), fmt.Sprintf("write one entry under tools, with the name %q", pattern))
	case d.tools[0].name != "" && d.tools[0].name != pattern:
		d.add(d.tools[0].at, fmt.Sprintf("the entry has the name %q, and this is the policy of %q", d.tools[0].name, pattern), "give it that name")
	}
	d.checkVariables(body)
}

// checkVariables looks at texts as YAML reads them, however they are spelled.
func (d *document) checkVariables(n *node) {
	d.checkVariable(n.text, n.at)
	for _, e := range n.entries {
		d.checkVariable(e.name, e.key)
		d.checkVariables(e.value)
	}
	for _, item := range n.items {
		d.checkVariables(item)
	}
}

func (d *document) checkVariable(text string, where place) {
	for _, m := range envAnywhere.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], KeptVariables) {
			d.add(where, fmt.Sprintf("a policy that is kept in the ledger cannot use the environment variable %q", m[1]),
				"use one whose name begins with "+KeptVariables+", or write the policy in a file")
		}
	}
}
