package policy

import (
	"fmt"
	"slices"
)

// node is a value of a policy file.
type node struct {
	kind    nodeKind
	style   style // of a text
	at      place
	text    string  // of a scalar: the value of a text, anything else as it is written
	entries []entry // of a mapping, in the order of the file
	items   []*node // of a list
}

// entry is one key of a mapping with its value.
type entry struct {
	name  string
	key   place
	value *node
	odd   bool // the key is no scalar, and name is empty
}

// nodeKind is the type of a value, by the rules of YAML 1.2: yes, no, on and off are texts.
type nodeKind uint8

const (
	mappingNode nodeKind = iota
	listNode
	textNode
	numberNode
	truthNode
	nullNode
)

// style is how a text is written.
type style uint8

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	literal
	folded
)

// String names the type in messages.
func (k nodeKind) String() string {
	return [...]string{"a mapping", "a list", "a text", "a number", "true or false", "nothing"}[k]
}

// find returns the value of a key, nil where there is none.
func (n *node) find(key string) *node {
	for i := range n.entries {
		if n.entries[i].name == key && !n.entries[i].odd {
			return n.entries[i].value
		}
	}
	return nil
}

// isBlank reports whether a mapping says nothing.
func (n *node) isBlank() bool {
	return n.kind == mappingNode && !slices.ContainsFunc(n.entries, func(e entry) bool { return !e.value.isBlank() })
}

// reader reads the values of a file and notes what is wrong with them. Its methods return the zero value for what they cannot read: a
// document with problems is never used.
type reader struct{ report }

// entries reads a mapping with any keys, in the order of the file.
func (r *reader) entries(n *node, what string) []entry {
	if n.kind != mappingNode {
		r.wrongType(n, what, "a mapping")
		return nil
	}
	twin := twins(n.entries)
	var bad []int
	for i, e := range n.entries {
		switch first := twin(i); {
		case e.odd:
			r.add(e.key, "a key of "+what+" is not plain text", "use a text as the key")
		case first != nil:
			r.add(e.key, fmt.Sprintf("the key %q of %s is written twice, first on line %d", e.name, what, first.key.line), "keep one of them")
		default:
			continue
		}
		bad = append(bad, i)
	}
	return without(n.entries, bad)
}

// without leaves out the entries at some places, which are in ascending order.
func without(list []entry, places []int) []entry {
	if len(places) == 0 {
		return list
	}
	var rest []entry
	for i, e := range list {
		if len(places) > 0 && places[0] == i {
			places = places[1:]
			continue
		}
		rest = append(rest, e)
	}
	return rest
}

// twins returns a search for an entry before the i-th that has the same name. Most mappings are too small for a map to pay.
func twins(entries []entry) func(i int) *entry {
	const few = 16
	if len(entries) <= few {
		return func(i int) *entry {
			for j := range entries[:i] {
				if entries[j].name == entries[i].name && !entries[j].odd {
					return &entries[j]
				}
			}
			return nil
		}
	}
	first := make(map[string]int, len(entries))
	for i, e := range entries {
		if _, ok := first[e.name]; !ok && !e.odd {
			first[e.name] = i
		}
	}
	return func(i int) *entry {
		if j, ok := first[entries[i].name]; ok && j < i {
			return &entries[j]
		}
		return nil
	}
}

// keys are the keys that a mapping may have: those of this version, and those that the language will have later.
type keys struct{ now, later []string }

// fields reads a mapping with a fixed set of keys.
func (r *reader) fields(n *node, what string, valid keys) layer {
	found := r.entries(n, what)
	var bad []int
	for i, e := range found {
		switch {
		case slices.Contains(valid.now, e.name):
			continue
		case slices.Contains(valid.later, e.name):
			r.add(e.key, fmt.Sprintf("this version does not have %q yet, and ignoring it would promise what is not enforced", e.name), "remove it")
		default:
			r.add(e.key, fmt.Sprintf("unknown key %q in %s", e.name, what), suggest(e.name, valid.now))
		}
		bad = append(bad, i)
	}
	return without(found, bad)
}

// wrongType notes that n is not of the wanted type.
func (r *reader) wrongType(n *node, what, wanted string) {
	if n.kind == nullNode {
		r.add(n.at, what+" has no value", "give it "+wanted+", or remove the key")
		return
	}
	remedy := "write " + wanted
	switch {
	case wanted != "a text":
	case n.kind == mappingNode || n.kind == listNode:
		remedy = "write one text"
	default:
		remedy = "put it in quotes"
	}
	r.add(n.at, fmt.Sprintf("%s is %s where %s is needed", what, n.kind, wanted), remedy)
}
