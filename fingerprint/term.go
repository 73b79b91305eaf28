package fingerprint

// Term explains what one argument contributed.
type Term struct {
	Argument string `json:"argument"`
	Raw      string `json:"raw"`    // the JSON text as it came, "" when absent
	Normal   string `json:"normal"` // the normal form with its tag, "" when the argument contributes nothing
	Kind     string `json:"kind"`
	Role     Role   `json:"role"`
	Note     string `json:"note,omitempty"` // why it fell back, or that a default stands in
}

// term reads one declared argument. v is its value, zero when absent; the value returned is the one that counts.
func (d declared) term(in call, v Value) (Term, Value) {
	t := Term{Argument: d.Name, Raw: v.raw(), Kind: d.Kind.String(), Role: d.Role}
	absence := "absent"
	if !v.IsZero() && v.Type() == Null && d.NullIsAbsent {
		v, absence = Value{}, "null counts as absent"
	}
	if !v.IsZero() {
		t.Normal, t.Note = d.read.normalise(in, v)
		return t, v
	}
	if d.standard.IsZero() {
		if t.Raw != "" {
			t.Note = absence
		}
		return t, v
	}
	t.Normal, t.Note = d.read.normalise(in, d.standard)
	stands := absence + "; the default stands in"
	if t.Note != "" {
		stands += ", " + t.Note
	}
	t.Note = stands
	return t, d.standard
}

// undeclaredTerm reads an argument that no declaration names.
func undeclaredTerm(v Value) Term {
	return Term{Argument: v.name(), Raw: v.raw(), Normal: exactForm(v), Kind: Kind{}.String()}
}

// wholeTerm reads arguments that are not an object. Its tag keeps 5 and {"": 5} apart.
func wholeTerm(v Value) Term {
	return Term{Raw: v.raw(), Normal: "whole " + string(v.AppendCanonical(nil)), Kind: Kind{}.String(),
		Note: "the arguments are not an object and are compared as one value"}
}
