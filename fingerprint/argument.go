package fingerprint

import "iter"

// argument is one argument of a call: its declaration, undeclared for one that no declaration names, and its value, zero
// for one that is absent.
type argument struct {
	name string // its common name
	*declared
	value Value
	// shadowed says that another argument is declared under the common name that is this undeclared one's own name.
	shadowed bool
}

// isObject reports whether args is an object of named arguments. The zero Value is an empty one.
func isObject(args Value) bool { return args.IsZero() || args.Type() == Object }

// visit gives the declared and the present arguments together in the order of their common names. Of two with one name
// the declared one comes first.
func (s *Spec) visit(args Value) iter.Seq[argument] {
	return func(yield func(argument) bool) {
		rest := s.arguments
		for i := range args.Len() {
			m := args.sorted(i)
			name := m.name()
			if s.find(name) != undeclared {
				continue
			}
			for len(rest) > 0 && rest[0].common <= name {
				if !yield(s.argument(rest[0], args)) {
					return
				}
				rest = rest[1:]
			}
			if !yield(argument{name, s.undeclared(args, name), m, s.isCommon(name)}) {
				return
			}
		}
		for _, d := range rest {
			if !yield(s.argument(d, args)) {
				return
			}
		}
	}
}

func (s *Spec) argument(d *declared, args Value) argument {
	v, _ := args.Get(d.Name)
	return argument{name: d.common, declared: d, value: v}
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

// shadowTag begins the form of an undeclared argument whose name is the common name of another one. No reader uses it, so
// that the two never have the same form under their name.
const shadowTag = "undeclared "

// append appends the normal form of the argument; nothing when it contributes nothing.
func (a argument) append(dst []byte, in call) (form []byte, note string) {
	v, stands := a.counts(a.value)
	if v.IsZero() {
		return dst, stands
	}
	if a.shadowed {
		form, _ = a.read.normalise(append(dst, shadowTag...), in, v)
		return form, "not declared, and another argument is compared under this name; kept apart from it"
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
