package fingerprint

import (
	"strings"
	"unicode"
)

// A reader reads a value as one kind. It appends the tagged normal form to dst, or returns false and the reason, a
// clause that does not quote the value, why the value cannot be read that way. With a form, note is something worth
// telling a person. Without one, what it returns for dst means nothing.
//
// Tags keep forms of different readings apart: each reader starts its forms with a word of its own and a space.
type reader func(dst []byte, in call, v Value) (form []byte, note string, ok bool)

// call is what a reader may look at beside its own value: a money argument needs its currency.
type call struct {
	spec *Spec
	args Value
}

// sibling returns another argument: its declaration, and the value that counts, a default included (zero when there is
// none).
func (in call) sibling(name string) (*declared, Value) {
	v, _ := in.args.Get(name)
	d := in.spec.find(name)
	counted, _ := d.counts(v)
	return d, counted
}

// normalise appends the form of v, the exact one where its kind cannot read it.
func (read reader) normalise(dst []byte, in call, v Value) (form []byte, note string) {
	form, note, ok := read(dst, in, v)
	if ok {
		return form, note
	}
	return appendExact(dst, v), note + "; compared exactly"
}

// apart keeps values that a kind cannot read apart from equal ones under other options: "1,234" cents are not "1,234" euros.
func apart(read reader, d *declared) reader {
	var under []string
	for _, o := range []struct{ name, value string }{{"currency", d.Currency}, {"zone", d.Zone}, {"region", d.Region}} {
		if o.value != "" {
			under = append(under, o.name+" "+o.value)
		}
	}
	if d.Minor {
		under = append(under, "minor")
	}
	if under == nil {
		return read
	}
	options := strings.Join(under, ", ")
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		start := len(dst)
		if form, note, ok = read(dst, in, v); ok {
			return form, note, true
		}
		form = appendQuoted(append(appendExact(dst[:start], v), " under "...), options)
		return form, note + "; compared exactly", true
	}
}

// plain is the compiler of a kind without options.
func plain(read reader) func(*declared) (reader, error) {
	return func(*declared) (reader, error) { return read, nil }
}

// readExact joins what is equal as JSON under exact arithmetic: white space, escapes, the order of members and the
// spelling of numbers do not count. It keeps apart 1 and "1", null and "", and any two different strings.
func readExact(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	return appendExact(dst, v), "", true
}

func appendExact(dst []byte, v Value) []byte { return v.AppendCanonical(append(dst, "exact "...)) }

// scalarText returns the text of a string or the digits of a whole number, which models write for each other.
func scalarText(v Value) (string, bool) {
	switch v.Type() {
	case String:
		return v.Text(), true
	case Number:
		d := v.Number()
		if d.IsInt() && d.exponent <= maxPadding {
			return d.String(), true
		}
	}
	return "", false
}

// isBlank reports whether v names nothing: null, a string of white space, an empty array or object, or no value.
func isBlank(v Value) bool {
	switch v.Type() {
	case Null:
		return true
	case String:
		for _, r := range v.Text() {
			if !unicode.IsSpace(r) {
				return false
			}
		}
		return true
	case Array, Object:
		return v.Len() == 0
	default:
		return false
	}
}
