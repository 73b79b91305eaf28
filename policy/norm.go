package policy

import (
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// norm gives the members of the variable norm that are read: arguments as they are compared. One of kind money, number or
// percent is a number there ("600" and 600.00 are 600), any other the text of its normal form. What is compared exactly, because its
// kind is exact or cannot read it, is missing.
func (r *Rule) norm(args fingerprint.Value, names []string) map[string]any {
	members := make(map[string]any, len(names))
	for _, name := range names {
		form, ok := r.Arguments.Form(args, name)
		if !ok {
			continue
		}
		kind, text, _ := strings.Cut(form, " ")
		switch kind {
		case "exact":
		case "money", "number", "percent":
			if amount, ok := formAmount(form); ok {
				members[name] = celNumber(amount.Value)
			}
		default:
			members[name] = text
		}
	}
	return members
}

// celNumber is an int where the number is whole and fits, else the nearest double.
func celNumber(d fingerprint.Decimal) any {
	if i, ok := d.Int64(); ok {
		return i
	}
	return d.Float64()
}

// argumentTypes are the types of the tool's arguments, nil where its schema names none.
func (t *toolDoc) argumentTypes(s *schema) *schemaTypes {
	if t.types == nil && s != nil {
		var names []string
		for _, a := range t.arguments {
			names = append(names, a.decl.Name)
		}
		if t.types = argumentTypes(s.root, names); t.types != nil && s.closed {
			t.types.open[typeArgs] = false
		}
	}
	return t.types
}
