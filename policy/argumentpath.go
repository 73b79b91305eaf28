package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// pathDoc is the path of an argument, or of a value within one: names between dots, and * for every element of a list or member
// of an object.
type pathDoc struct {
	at    place
	text  string
	steps []string
}

// The limits of paths.
const (
	maxPaths = 100 // of one key
	maxSteps = 16
)

// path reads one path.
func (r *reader) path(n *node, what string) pathDoc {
	p := pathDoc{at: n.at, text: r.string(n, what)}
	if p.text == "" {
		return p
	}
	p.steps = strings.Split(p.text, ".")
	if slices.Contains(p.steps, "") || p.steps[0] == "*" || len(p.steps) > maxSteps {
		r.add(p.at, fmt.Sprintf("%s %q is no path of an argument", what, p.text), "write the argument's name, and after it, between dots, those of the values within: card.number, items.*.price")
		p.steps = nil
	}
	return p
}

// paths reads a list of paths.
func (r *reader) paths(n *node, what string) []pathDoc {
	items := r.items(n, what)
	if len(items) > maxPaths {
		r.add(n.at, fmt.Sprintf("%s has more than %d entries", what, maxPaths), "name the arguments as a whole")
		return nil
	}
	var list []pathDoc
	for _, item := range items {
		p := r.path(item, "an entry of "+what)
		if slices.ContainsFunc(list, func(q pathDoc) bool { return q.text == p.text && p.text != "" }) {
			r.add(p.at, fmt.Sprintf("%q is twice in %s", p.text, what), "keep one of them")
			continue
		}
		list = append(list, p)
	}
	return list
}

// checkPath notes a path that begins with an argument which neither arguments nor schema name.
func (c *compiler) checkPath(t *toolDoc, key string, p pathDoc, s *schema) {
	known := t.known(s)
	if _, own := t.own.place(key); own && p.steps != nil && known != nil && !slices.Contains(known, p.steps[0]) {
		c.add(p.at, fmt.Sprintf("%s names the argument %q, which neither arguments nor schema name", key, p.steps[0]), suggest(p.steps[0], known))
	}
}

// concealed are the arguments to redact and those to seal. What is inherited holds for arguments that the tool is not known to
// have as well: a password is one wherever it turns up.
func (c *compiler) concealed(t *toolDoc, s *schema) (redact, seal []string) {
	for _, p := range t.redact {
		c.checkPath(t, "redact", p, s)
		redact = append(redact, p.text)
	}
	for _, p := range t.seal {
		c.checkPath(t, "seal", p, s)
		_, own := t.own.place("seal")
		if !slices.Contains(redact, p.text) {
			seal = append(seal, p.text)
		} else if _, both := t.own.place("redact"); own && both {
			c.add(p.at, fmt.Sprintf("%q is both redacted and sealed", p.text), "keep it under redact if nobody may ever see it, else under seal")
		}
	}
	return redact, seal
}

// follow finds the value that a path without * leads to.
func follow(v fingerprint.Value, steps []string) (fingerprint.Value, bool) {
	for _, step := range steps {
		var ok bool
		if v, ok = v.Get(step); !ok {
			return fingerprint.Value{}, false
		}
	}
	return v, true
}
