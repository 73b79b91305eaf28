package fingerprint

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
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
	b.begin(text, l)
	if err := b.read(); err != nil {
		return Value{}, err
	}
	return b.finish(), nil
}

// builder turns the tokens of one text into the nodes of a document.
type builder struct {
	limits Limits
	document
	input bytes.Buffer
	dec   jsontext.Decoder
	done  []int32 // finished values whose container is still open
	open  []container
	name  span // the member name that was read last
	named bool // whether name waits for its value
}

// container is an array or object that is being read.
type container struct {
	node int32
	mark int // length of done when it was opened
}

var builders = sync.Pool{New: func() any { return new(builder) }}

func (b *builder) begin(text []byte, l Limits) {
	b.limits, b.text, b.source = l, text, string(text)
	b.input = *bytes.NewBuffer(text) // A buffer is read in place, any other reader would be copied.
	b.dec.Reset(&b.input)
}

// maxKept is the most nodes of scratch space that a builder in the pool holds on to.
const maxKept = 1 << 12

func (b *builder) release() {
	if cap(b.nodes) > maxKept || cap(b.order) > 2*maxKept {
		b.nodes, b.order, b.done = nil, nil, nil
	}
	b.document = document{nodes: b.nodes[:0], order: b.order[:0]}
	b.done, b.open, b.named = b.done[:0], b.open[:0], false
	b.input = bytes.Buffer{}
	b.dec.Reset(&b.input)
	builders.Put(b)
}

// finish copies the nodes out of the scratch space into a document of exactly their size.
func (b *builder) finish() Value {
	d := b.document
	d.nodes, d.order = slices.Clone(d.nodes), slices.Clone(d.order)
	return Value{doc: &d}
}

func (b *builder) read() error {
	for first := true; first || len(b.open) > 0; first = false {
		if err := b.next(); err != nil {
			return err
		}
	}
	if _, err := b.dec.ReadToken(); err != io.EOF {
		return b.fail(TrailingData, "there is more text after the end of the JSON value")
	}
	return nil
}

// next reads one member name, one scalar, or the start or end of a container.
func (b *builder) next() error {
	switch kind := b.dec.PeekKind(); kind {
	case '}', ']':
		if _, err := b.dec.ReadToken(); err != nil {
			return b.syntax(err)
		}
		b.close()
		return nil
	case '{', '[':
		if _, err := b.dec.ReadToken(); err != nil {
			return b.syntax(err)
		}
		if len(b.open) >= b.limits.Depth {
			return b.fail(TooDeep, "more than %d arrays and objects are nested in each other", b.limits.Depth)
		}
		typ := Array
		if kind == '{' {
			typ = Object
		}
		end := b.dec.InputOffset()
		n, err := b.add(node{typ: typ, start: int32(end - 1)})
		b.open = append(b.open, container{n, len(b.done)})
		return err
	default:
		raw, err := b.dec.ReadValue()
		if err != nil {
			return b.syntax(err)
		}
		return b.scalar(kind, raw)
	}
}

func (b *builder) scalar(kind jsontext.Kind, raw []byte) error {
	end := int(b.dec.InputOffset())
	n := node{start: int32(end - len(raw)), end: int32(end)}
	switch kind {
	case 'n':
		n.typ = Null
	case 't', 'f':
		n.typ = Bool
	case '0':
		n.typ = Number
		if err := b.number(b.source[n.start:n.end]); err != nil {
			return err
		}
	case '"':
		n.typ = String
		text, err := b.unquote(raw, end)
		if err != nil {
			return err
		}
		if b.inObject() && !b.named {
			b.name, b.named = text, true
			return nil
		}
		n.text = text
	}
	i, err := b.add(n)
	b.done = append(b.done, i)
	return err
}

// number holds one number against the limits. jsontext has checked its grammar.
func (b *builder) number(raw string) error {
	digits := 0
	for _, c := range []byte(raw) {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if digits > b.limits.Digits {
		return b.fail(NumberTooLong, "a number has more than %d digits", b.limits.Digits)
	}
	if _, ok := scanDecimal(raw); !ok {
		return b.fail(NumberRange, "the exponent of a number is not within ±%d", maxExponent)
	}
	return nil
}

// unquote finds the text of a string; one without escapes is a part of the whole text.
func (b *builder) unquote(raw []byte, end int) (span, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return span{int32(end - len(raw) + 1), int32(end - 1)}, nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return span{}, b.syntax(err)
	}
	b.unescaped = append(b.unescaped, string(text))
	return span{start: -int32(len(b.unescaped))}, nil
}

func (b *builder) inObject() bool {
	return len(b.open) > 0 && b.nodes[b.open[len(b.open)-1].node].typ == Object
}

func (b *builder) add(n node) (int32, error) {
	if len(b.nodes) >= b.limits.Members {
		return 0, b.fail(TooManyValues, "there are more than %d values", b.limits.Members)
	}
	if b.named {
		n.name, b.named = b.name, false
	}
	b.nodes = append(b.nodes, n)
	return int32(len(b.nodes) - 1), nil
}

// close ends the innermost container: its values move from done to order, for an object a second time sorted by name.
func (b *builder) close() {
	c := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	values := b.done[c.mark:]
	n := &b.nodes[c.node]
	n.end, n.first, n.count = int32(b.dec.InputOffset()), int32(len(b.order)), int32(len(values))
	b.order = append(b.order, values...)
	if n.typ == Object {
		b.order = append(b.order, values...)
		slices.SortFunc(b.order[n.first+n.count:], func(x, y int32) int {
			return strings.Compare(b.string(b.nodes[x].name), b.string(b.nodes[y].name))
		})
	}
	b.done = append(b.done[:c.mark], c.node)
}
