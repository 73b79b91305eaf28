package fingerprint

import "slices"

// Term explains what one argument contributed.
type Term struct {
	Argument string `json:"argument"` // its common name
	Raw      string `json:"raw"`      // the JSON text as it came, "" when absent
	Normal   string `json:"normal"`   // the normal form with its tag, "" when the argument contributes nothing
	Kind     string `json:"kind"`
	Role     Role   `json:"role"`
	Note     string `json:"note,omitempty"` // why it fell back, or that a default stands in
}

// Terms explains the fingerprint of arguments under this spec: what each of them contributes to Maker.Sum, sorted by
// role (identity, material, commentary, volatile), then by name. A nil spec declares nothing.
func (s *Spec) Terms(args Value) []Term {
	s = s.orEmpty()
	if !isObject(args) {
		return []Term{{Raw: args.raw(), Normal: string(appendWhole(nil, args)), Kind: Kind{}.String(),
			Note: "the arguments are not an object and are compared as one value"}}
	}
	terms := make([]Term, 0, len(s.arguments)+args.Len())
	for a := range s.visit(args) {
		form, note := a.append(nil, call{s, args})
		terms = append(terms, Term{a.name, a.value.raw(), string(form), a.Kind.String(), a.Role, note})
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return a.Role.rank() - b.Role.rank() })
	return terms
}
