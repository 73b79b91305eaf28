package policy

import (
	"errors"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// Reasons why an amount cannot be read. None contains a value.
var (
	errNoAmount  = errors.New("is missing")
	errNotAmount = errors.New("is no number or amount of money that can be read in one way only")
)

// amount reads the argument that a path leads to. An argument as a whole is read as its kind says, so that "25,00" and 2500 with
// minor: true are amounts as well; a value within one is a number, or a text that JSON would take for one.
func (r *Rule) amount(steps []string, args fingerprint.Value) (Amount, error) {
	if len(steps) == 1 {
		form, ok := r.Arguments.Form(args, steps[0])
		if !ok {
			return Amount{}, errNoAmount
		}
		if amount, ok := formAmount(form); ok {
			return amount, nil
		}
		if r.hasKind(steps[0]) {
			// What its kind cannot read is no amount of it: 25.5 is no whole number of cents.
			return Amount{}, errNotAmount
		}
	}
	v, ok := follow(args, steps)
	switch {
	case !ok || v.Type() == fingerprint.Null:
		return Amount{}, errNoAmount
	case v.Type() == fingerprint.Number:
		return Amount{Value: v.Number()}, nil
	case v.Type() == fingerprint.String && len(steps) > 1:
		if d, err := fingerprint.ParseDecimal(strings.TrimSpace(v.Text())); err == nil {
			return Amount{Value: d}, nil
		}
	}
	return Amount{}, errNotAmount
}

// hasKind reports whether an argument is declared to be of a kind.
func (r *Rule) hasKind(name string) bool {
	for _, a := range r.Arguments.Arguments() {
		if a.Name == name {
			return a.Kind != exactKind && a.Kind != autoKind
		}
	}
	return false
}

// formAmount reads the normal form of an amount of money or a number: "money 25 EUR", "number 7".
func formAmount(form string) (Amount, bool) {
	kind, rest, _ := strings.Cut(form, " ")
	if kind != "money" && kind != "number" && kind != "percent" {
		return Amount{}, false
	}
	digits, unit, _ := strings.Cut(rest, " ")
	d, err := fingerprint.ParseDecimal(digits)
	return Amount{Value: d, Unit: unit}, err == nil
}
