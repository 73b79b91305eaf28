package fingerprint

import (
	"slices"
	"sync"
	"unicode/utf8"
)

// Limits bounds what Decode accepts. A zero or negative field means the default.
type Limits struct {
	Bytes   int // bytes of the text; default 1 MiB
	Depth   int // nested arrays and objects; default 64
	Members int // values in all, the outermost one included; default 10,000
	Digits  int // digits of one number, those of its exponent included; default 1,000
}

// DefaultLimits are the limits that stand in for zero fields.
var DefaultLimits = Limits{Bytes: 1 << 20, Depth: 64, Members: 10_000, Digits: 1_000}

// maxLimit keeps byte offsets and node indices within 32 bits.
const maxLimit = 1 << 30

func (l Limits) withDefaults() Limits {
	set := func(field *int, standard int) {
		if *field <= 0 {
			*field = standard
		}
		*field = min(*field, maxLimit)
	}
	set(&l.Bytes, DefaultLimits.Bytes)
	set(&l.Depth, DefaultLimits.Depth)
	set(&l.Members, DefaultLimits.Members)
	set(&l.Digits, DefaultLimits.Digits)
	return l
}

// Decode reads one JSON text (RFC 8259, with the restrictions of I-JSON, RFC 7493, on names and text) strictly and
// exactly. It fails with a *DecodeError. The Value refers to text, which must not be changed afterwards.
//
// Work and memory are bounded by the limits whatever the text holds: it is refused at the first byte that breaks one.
func Decode(text []byte, l Limits) (Value, error) {
	l = l.withDefaults()
	if len(text) > l.Bytes {
		return Value{}, tooLarge(len(text), l.Bytes)
	}
	b := builders.Get().(*builder)
	defer b.release()
	b.scanner = scanner{text: text, unescaped: b.unescaped}
	b.limits = l
	if !utf8.Valid(text) || !b.read() {
		return Value{}, diagnose(text, l)
	}
	return b.finish(), nil
}

// builder turns one text into the nodes of a document. Every call pays for it, so it only tells good texts from bad
// ones and leaves it to diagnose, which reads with a library, to say what is wrong with a bad one. The fuzz target of
// Decode holds the two to the same judgement.
type builder struct {
	scanner
	limits Limits
	nodes  []node
	order  []int32
	done   []int32 // finished values whose container is still open
	open   []container
}

// container is an array or object that is being read.
type container struct {
	node int32
	mark int  // length of done when it was opened
	end  byte // the byte that closes it
}

var builders = sync.Pool{New: func() any { return new(builder) }}

// The most scratch space that a builder in the pool holds on to.
const (
	maxKeptNodes = 1 << 12
	maxKeptBytes = 1 << 16
)

func (b *builder) release() {
	if cap(b.nodes) > maxKeptNodes || cap(b.order) > 2*maxKeptNodes || cap(b.unescaped) > maxKeptBytes {
		*b = builder{}
	}
	b.scanner = scanner{unescaped: b.unescaped[:0]}
	b.nodes, b.order, b.done, b.open = b.nodes[:0], b.order[:0], b.done[:0], b.open[:0]
	builders.Put(b)
}

// finish copies what was read out of the scratch space into a document of exactly its size.
func (b *builder) finish() Value {
	return Value{doc: &document{
		text: b.text, source: string(b.text), unescaped: string(b.unescaped),
		nodes: slices.Clone(b.nodes), order: slices.Clone(b.order),
	}}
}

// read reads the whole text.
func (b *builder) read() bool {
	var name span
	b.skip()
	for more := true; more; {
		before := len(b.open)
		if !b.value(name) {
			return false
		}
		var ok bool
		if name, more, ok = b.next(len(b.open) > before); !ok {
			return false
		}
	}
	b.skip()
	return b.at == len(b.text)
}

// value reads one scalar, or the start of a container.
func (b *builder) value(name span) bool {
	if b.at == len(b.text) || len(b.nodes) >= b.limits.Members {
		return false
	}
	n := node{start: int32(b.at), name: name}
	ok := true
	switch c := b.text[b.at]; c {
	case '{', '[':
		return b.enter(n, c)
	case '"':
		n.typ = String
		n.text, ok = b.string()
	case 't':
		n.typ, ok = Bool, b.literal("true")
	case 'f':
		n.typ, ok = Bool, b.literal("false")
	case 'n':
		n.typ, ok = Null, b.literal("null")
	default:
		n.typ, ok = Number, b.number(b.limits.Digits)
	}
	n.end = int32(b.at)
	b.done = append(b.done, int32(len(b.nodes)))
	b.nodes = append(b.nodes, n)
	return ok
}

func (b *builder) enter(n node, c byte) bool {
	if len(b.open) >= b.limits.Depth {
		return false
	}
	inner := container{node: int32(len(b.nodes)), mark: len(b.done), end: ']'}
	n.typ = Array
	if c == '{' {
		n.typ, inner.end = Object, '}'
	}
	b.open = append(b.open, inner)
	b.nodes = append(b.nodes, n)
	b.at++
	return true
}

// next goes on from the end of a value, or from the start of a container, to the next value and reads the name before
// it. more is false when the outermost value has ended.
func (b *builder) next(opened bool) (name span, more, ok bool) {
	for ; len(b.open) > 0; opened = false {
		c, inner := b.skip(), b.open[len(b.open)-1]
		if c == inner.end {
			b.at++
			if !b.close(inner) {
				return name, false, false
			}
			continue
		}
		if !opened {
			if c != ',' {
				return name, false, false
			}
			b.at++
			c = b.skip()
		}
		if inner.end == '}' {
			if c != '"' {
				return name, false, false
			}
			if name, ok = b.string(); !ok || b.skip() != ':' {
				return name, false, false
			}
			b.at++
			b.skip()
		}
		return name, true, true
	}
	return name, false, true
}

// close ends the innermost container: its values move from done to order, for an object a second time sorted by name.
// It fails when a name is there twice.
func (b *builder) close(c container) bool {
	b.open = b.open[:len(b.open)-1]
	values := b.done[c.mark:]
	n := &b.nodes[c.node]
	n.end, n.first, n.count = int32(b.at), int32(len(b.order)), int32(len(values))
	b.order = append(b.order, values...)
	if n.typ == Object {
		b.order = append(b.order, values...)
		if !b.sort(b.order[len(b.order)-len(values):]) {
			return false
		}
	}
	b.done = append(b.done[:c.mark], c.node)
	return true
}

// sort orders the members of an object by name and reports whether all names differ.
func (b *builder) sort(members []int32) bool {
	compare := func(x, y int32) int { return b.compare(b.nodes[x].name, b.nodes[y].name) }
	slices.SortFunc(members, compare)
	for i := 1; i < len(members); i++ {
		if compare(members[i-1], members[i]) == 0 {
			return false
		}
	}
	return true
}
