package fingerprint

import (
	"iter"
	"strings"
)

// argument is one argument of a call: its declaration, undeclared for one that no declaration names, and its value, zero
// for one that is absent.
type argument struct {
	name string
	*declared
	value Value
}

// isObject reports whether args is an object of named arguments. The zero Value is an empty one.
func isObject(args Value) bool { return args.IsZero() || args.Type() == Object }

// visit gives the declared and the present arguments together in the order of their names.
func (s *Spec) visit(args Value) iter.Seq[argument] {
	return func(yield func(argument) bool) {
		rest := s.arguments
		for i := 0; i < args.Len() || len(rest) > 0; {
			order := -1 // of the next declared argument and the next present one
			if i < args.Len() {
				order = 1
				if len(rest) > 0 {
					order = strings.Compare(rest[0].Name, args.sorted(i).name())
				}
			}
			a := argument{declared: undeclared}
			if order >= 0 {
				a.value = args.sorted(i)
				a.name = a.value.name()
				i++
			}
			if order <= 0 {
				a.declared, a.name = rest[0], rest[0].Name
				rest = rest[1:]
			}
			if !yield(a) {
				return
			}
		}
	}
}

// counts returns the value that v stands for, v being zero when absent: a default where there is one, zero when it
// contributes nothing. note says what was joined with what.
func (d *declared) counts(v Value) (counted Value, note string) {
	switch null := !v.IsZero() && v.Type() == Null && d.NullIsAbsent; {
	case !v.IsZero() && !null:
		return v, ""
	case null && d.standard.IsZero():
		return Value{}, "null counts as absent"
	case null:
		return d.standard, "null counts as absent; the default stands in"
	case d.standard.IsZero():
		return Value{}, ""
	default:
		return d.standard, "absent; the default stands in"
	}
}

// append appends the normal form of the argument; nothing when it contributes nothing.
func (a argument) append(dst []byte, in call) (form []byte, note string) {
	v, stands := a.counts(a.value)
	if v.IsZero() {
		return dst, stands
	}
	form, note = a.read.normalise(dst, in, v)
	if stands == "" || note == "" {
		return form, stands + note
	}
	return form, stands + ", " + note
}

// appendWhole appends the form of arguments that are not an object. Its tag keeps 5 and {"": 5} apart.
func appendWhole(dst []byte, args Value) []byte {
	return args.AppendCanonical(append(dst, "whole "...))
}
