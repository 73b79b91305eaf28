package fingerprint

// Form returns the normal form of one argument of a call, a default included; false when it is absent or blank. Forms that
// are equal mean values that are equal, whichever spec, argument or tool they belong to: a form says how it was read.
// name is the argument's own name and not its common one.
func (s *Spec) Form(args Value, name string) (string, bool) {
	s = s.orEmpty()
	if !isObject(args) {
		return "", false
	}
	v, _ := args.Get(name)
	a := argument{name: name, declared: s.declaration(args, name), value: v}
	if counted, _ := a.counts(v); isBlank(counted) {
		return "", false
	}
	form, _ := a.append(nil, call{s, args})
	return string(form), true
}

// ComparesWording reports whether an argument of a call can be compared by its wording: whether Spec.Texts can return any.
func (s *Spec) ComparesWording() bool { return s.orEmpty().texts }
