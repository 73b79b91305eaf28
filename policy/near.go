package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// Near says when two wordings are the same, alike or different. Scores are those of fingerprint.Likeness.
type Near struct {
	Same      float64    // from here on: the same
	Near      float64    // from here on: alike
	Opposites [][]string // words of which two texts that differ in them are different, beside the built-in ones
}

// The limits of "opposites:".
const (
	maxOpposites = 100 // groups
	maxGroup     = 20  // words of one
)

func defaultNear() Near { return Near{Same: fingerprint.DefaultSame, Near: fingerprint.DefaultNear} }

var nearKeys = keys{now: []string{"same", "near", "opposites"}}

// near reads "near:".
func (r *reader) near(n *node, s *settings) {
	f := r.fields(n, "near", nearKeys)
	for key, score := range map[string]*float64{"same": &s.near.Same, "near": &s.near.Near} {
		if e, ok := f.get(key); ok {
			*score = r.score(e.value, "near."+key)
		}
	}
	if e, ok := f.get("opposites"); ok {
		s.near.Opposites = r.opposites(e.value)
	}
}

// score reads a number above 0 and up to 1; 0 stands for none.
func (r *reader) score(n *node, what string) float64 {
	if n.kind != numberNode {
		r.wrongType(n, what, "a number")
		return 0
	}
	score, err := strconv.ParseFloat(n.text, 64)
	if err != nil || !(score > 0 && score <= 1) {
		r.add(n.at, fmt.Sprintf("%s is %s", what, n.text), "choose a number above 0 and up to 1")
		return 0
	}
	return score
}

// opposites reads groups of words. The empty list is one that says that there are none.
func (r *reader) opposites(n *node) [][]string {
	groups := [][]string{}
	items := r.items(n, "opposites")
	if len(items) > maxOpposites {
		r.add(n.at, fmt.Sprintf("opposites has more than %d groups", maxOpposites), "keep the words that matter")
		return groups
	}
	for _, item := range items {
		if item.kind != listNode {
			r.wrongType(item, "a group of opposites", "a list of words such as [buy, sell]")
			continue
		}
		words := r.strings(item, "a group of opposites")
		if len(words) < 2 || len(words) > maxGroup {
			r.add(item.at, fmt.Sprintf("a group of opposites has %s", count(len(words), "word")), fmt.Sprintf("write from 2 to %d, such as [buy, sell]", maxGroup))
			continue
		}
		if i := slices.IndexFunc(words, func(w string) bool { return len(strings.Fields(w)) != 1 }); i >= 0 {
			r.add(item.at, fmt.Sprintf("%q in opposites is more than one word", words[i]), "texts are compared word by word; write the one word that differs")
			continue
		}
		groups = append(groups, words)
	}
	return groups
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// checkNear holds the thresholds of a tool, which can be written in several places, against each other and against what its
// texts are.
func (c *compiler) checkNear(t *toolDoc, rule *Rule) {
	if rule.Near.Near > rule.Near.Same && rule.Near.Same > 0 {
		where := place{}
		for _, key := range []string{"near.same", "near.near"} {
			if p, ok := t.said.place(key); ok {
				where = p
			}
		}
		for _, key := range []string{"near.same", "near.near"} {
			if p, ok := t.own.place(key); ok {
				where = p
			}
		}
		c.add(where, fmt.Sprintf("near.near is %v and near.same is %v, so that no wording could be alike without being the same", rule.Near.Near, rule.Near.Same),
			"make near.near the smaller one; what is not written here is what the defaults say")
	}
	if rule.Arguments.ComparesWording() {
		return
	}
	for _, key := range []string{"on.near", "near.near", "near.same", "near.opposites"} {
		if where, ok := t.own.place(key); ok {
			c.add(where, fmt.Sprintf("no argument of this tool is compared by its wording, so %s would not be enforced", key),
				"declare one of kind text, markdown or html, or remove it")
			return
		}
	}
}
