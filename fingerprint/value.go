package fingerprint

import (
	"encoding/json"
	"strings"
)

// Type is the JSON type of a Value.
type Type uint8

// The JSON types.
const (
	Null Type = iota
	Bool
	Number
	String
	Array
	Object
)

var typeNames = [...]string{"null", "boolean", "number", "string", "array", "object"}

// String returns the name of the type as JSON Schema writes it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown type"
}

// Value is one decoded JSON value: a reference into an immutable document, cheap to copy and safe for concurrent use.
// Accessors of another type return the zero of theirs. The zero Value stands for no value at all; it reads as null,
// with no raw text, and Maker.Sum takes it for an empty list of arguments.
type Value struct {
	doc *document
	n   int32
}

// document holds the values of one text in the order in which they begin.
type document struct {
	text   []byte
	source string
	nodes  []node
	// order lists the values of each array in turn, and those of each object twice: as written and sorted by name.
	order []int32
	// unescaped holds the texts of strings that were written with escapes; the others are parts of source.
	unescaped string
}

// node has no pointers, so that the garbage collector need not look at a document's nodes.
type node struct {
	start, end   int32 // the raw text
	first, count int32 // an array's or object's part of document.order
	name, text   span  // of an object's member, of a string
	typ          Type
}

func (d *document) string(s span) string {
	if s.start < 0 {
		return d.unescaped[^s.start:s.end]
	}
	return d.source[s.start:s.end]
}

var nothing node

func (v Value) node() *node {
	if v.doc == nil {
		return &nothing
	}
	return &v.doc.nodes[v.n]
}

// IsZero reports whether v stands for no value at all.
func (v Value) IsZero() bool { return v.doc == nil }

// Type returns the JSON type of v.
func (v Value) Type() Type { return v.node().typ }

// Raw returns the bytes as they came, without surrounding white space. The caller must not change them.
func (v Value) Raw() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.node()
	return v.doc.text[n.start:n.end:n.end]
}

// raw is Raw without the risk of being changed.
func (v Value) raw() string {
	if v.doc == nil {
		return ""
	}
	n := v.node()
	return v.doc.source[n.start:n.end]
}

// Text returns the decoded text of a string.
func (v Value) Text() string {
	if v.Type() != String {
		return ""
	}
	return v.doc.string(v.node().text)
}

// name returns the name of an object's member.
func (v Value) name() string {
	if v.doc == nil {
		return ""
	}
	return v.doc.string(v.node().name)
}

// Bool returns the value of a boolean.
func (v Value) Bool() bool { return v.Type() == Bool && v.raw() == "true" }

// Number returns the exact value of a number.
func (v Value) Number() Decimal {
	if v.Type() != Number {
		return Decimal{}
	}
	d, _ := scanDecimal(v.raw())
	return d
}

// Len returns the number of values in an array or object.
func (v Value) Len() int { return int(v.node().count) }

// Elem returns the i-th value of an array or object in the order of the text; the zero Value when i is out of range.
func (v Value) Elem(i int) Value {
	n := v.node()
	if i < 0 || i >= int(n.count) {
		return Value{}
	}
	return Value{v.doc, v.doc.order[int(n.first)+i]}
}

// Member returns the name and value of the i-th member of an object in the order of the text.
func (v Value) Member(i int) (string, Value) {
	if v.Type() != Object {
		return "", Value{}
	}
	m := v.Elem(i)
	return m.name(), m
}

// sorted returns the i-th member of an object in the order of names, which is that of their UTF-8 bytes.
func (v Value) sorted(i int) Value {
	n := v.node()
	return Value{v.doc, v.doc.order[int(n.first+n.count)+i]}
}

// Get returns the member of an object with this name.
func (v Value) Get(name string) (Value, bool) {
	if v.Type() != Object {
		return Value{}, false
	}
	low, high := 0, v.Len()
	for low < high {
		mid := (low + high) / 2
		m := v.sorted(mid)
		switch c := strings.Compare(m.name(), name); {
		case c == 0:
			return m, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return Value{}, false
}

// Any returns the value as schema validators take it: map[string]any, []any, string, bool, nil, or json.Number with
// the digits as they came. The result shares nothing that could change v.
func (v Value) Any() any {
	switch v.Type() {
	case Bool:
		return v.Bool()
	case Number:
		return json.Number(v.raw())
	case String:
		return v.Text()
	case Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Elem(i).Any()
		}
		return list
	case Object:
		members := make(map[string]any, v.Len())
		for i := range v.Len() {
			name, m := v.Member(i)
			members[name] = m.Any()
		}
		return members
	default:
		return nil
	}
}
