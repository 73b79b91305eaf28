package fingerprint

import (
	"errors"
	"fmt"
	"strings"
)

// compileObject reads an object whose members are declared as arguments are, by Fields. An argument with fields whose kind
// is exact, list, set or map is an object, or a list, set or map of them.
//
// It joins what the kind of each member joins, and an object that was written into a string with the object itself.
// Commentary and volatile members contribute nothing, and defaults and null work for each member as for an argument. A
// member that nobody declared is material and compared exactly. Identity members count as material of the whole: the
// argument's own role says what the whole is to the effect. A currency is a member of the same object.
//
// It keeps apart a member that is absent from one that is null or blank. Other types are compared exactly.
func compileObject(a *declared) (reader, error) {
	fields := a.fields.orEmpty()
	return func(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
		if v, ok = asObject(v); !ok {
			return nil, "not an object", false
		}
		dst = append(dst, "object {"...)
		start := len(dst)
		var space [256]byte
		for m := range fields.visit(v) {
			if !m.Role.Decides() {
				continue
			}
			f, n := m.append(space[:0], call{fields, v})
			if note == "" && n != "" {
				note = fmt.Sprintf("member %.40q: %s", m.name, n)
			}
			if len(f) == 0 {
				continue // it contributes nothing
			}
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = appendQuoted(append(appendQuoted(dst, m.name), ':'), string(f))
		}
		return append(dst, '}'), note, true
	}, nil
}

// asObject returns the object that v is or that a string holds.
func asObject(v Value) (Value, bool) {
	switch v.Type() {
	case Object:
		return v, true
	case String:
		if !strings.HasPrefix(strings.TrimSpace(v.Text()), "{") {
			return Value{}, false
		}
		inner, err := Decode([]byte(v.Text()), Limits{})
		return inner, err == nil && inner.Type() == Object
	default:
		return Value{}, false
	}
}

// withFields makes the kind of an argument that has fields say so.
func (k Kind) withFields() Kind {
	if outer, exact := strings.CutSuffix(k.String(), "exact"); exact {
		return Kind{outer + "object"}
	}
	return k
}

// compileFields compiles the members of an object; nil when nothing is said of them.
func compileFields(fields []Argument) (*Spec, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	if fieldsDepth(fields) > maxKindDepth {
		return nil, fmt.Errorf("fields are nested more than %d deep", maxKindDepth)
	}
	s, err := NewSpec(fields)
	if err != nil {
		return nil, fmt.Errorf("fields: %w", err)
	}
	for _, f := range fields {
		if f.As != "" {
			return nil, errors.New("fields: a member has no common name; only an argument has")
		}
	}
	return s, nil
}

func fieldsDepth(fields []Argument) int {
	depth := 0
	for _, f := range fields {
		depth = max(depth, fieldsDepth(f.Fields))
	}
	if len(fields) == 0 {
		return 0
	}
	return depth + 1
}
