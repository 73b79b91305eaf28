package fingerprint

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Argument declares the role and kind of one argument: a member of the arguments object, by its exact name.
type Argument struct {
	Name string
	// As is the common name under which tools that share an effect type compare this argument; "" is Name.
	As   string
	Role Role
	Kind Kind
	// Currency, for kind money, is a constant of three capitals such as "EUR" (ISO 4217), or the name of a sibling
	// argument that holds the currency. A sibling that is not declared itself is then Material and an enum.
	Currency     string
	Minor        bool                // kind money: a whole number of the currency's minor units
	Aliases      map[string][]string // kind enum: canonical value -> other spellings
	Zone         string              // kind datetime: IANA zone of a value without an offset
	Round        string              // kind datetime: a Go duration such as "1m", dividing a day; the rest is dropped
	Region       string              // kind phone: ISO 3166-1 alpha-2 region of numbers without a country code
	Providers    []string            // kind email: domains whose mailboxes ignore dots and what follows a plus sign
	Fields       []Argument          // kind object: the members, each with a role and kind of its own
	Default      []byte              // JSON: an absent argument equals this value
	NullIsAbsent bool                // null equals an absent argument
}

// Spec is a compiled, immutable list of argument declarations, safe for concurrent use. The nil Spec declares nothing.
type Spec struct {
	arguments []*declared // sorted by common name
	byName    []*declared // the same, sorted by their own name
	digest    string
	deciding  string // the digest of the arguments that decide, which is a part of keys
	texts     bool   // whether an argument is compared by its wording
	infers    bool   // whether undeclared arguments are read as Infer says
}

type declared struct {
	Argument
	common   string // the name in forms, terms and digests
	read     reader
	standard Value // the decoded Default; zero when there is none
	fields   *Spec // the compiled Fields; nil when there are none
}

// NewSpec compiles declarations. All faults are reported, each with the name of its argument.
func NewSpec(args []Argument) (*Spec, error) {
	args = withSiblings(slices.Clone(args))
	slices.SortStableFunc(args, func(a, b Argument) int { return strings.Compare(a.Name, b.Name) })
	s := &Spec{byName: make([]*declared, 0, len(args))}
	var faults []error
	for i, a := range args {
		if i > 0 && args[i-1].Name == a.Name {
			faults = append(faults, fmt.Errorf("argument %q is declared twice", a.Name))
			continue
		}
		d, err := declare(a)
		if err != nil {
			faults = append(faults, fmt.Errorf("argument %q: %w", a.Name, err))
			continue
		}
		s.byName = append(s.byName, &d)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := errors.Join(s.checkSiblings(), s.order()); err != nil {
		return nil, err
	}
	s.seal()
	return s, nil
}

// order sorts the arguments by common name.
func (s *Spec) order() error {
	s.arguments = slices.Clone(s.byName)
	slices.SortFunc(s.arguments, func(a, b *declared) int { return strings.Compare(a.common, b.common) })
	for i, d := range s.arguments {
		if i > 0 && s.arguments[i-1].common == d.common {
			return fmt.Errorf("arguments %q and %q have the same common name %q; two arguments cannot be one", s.arguments[i-1].Name, d.Name, d.common)
		}
	}
	return nil
}

// undeclared stands for the declaration of every argument that has none.
var undeclared = &declared{read: readExact}

// find returns the declaration of an argument by its own name.
func (s *Spec) find(name string) *declared {
	i, found := slices.BinarySearchFunc(s.byName, name, func(d *declared, name string) int {
		return strings.Compare(d.Name, name)
	})
	if !found {
		return undeclared
	}
	return s.byName[i]
}

// isCommon reports whether a declared argument has this common name.
func (s *Spec) isCommon(name string) bool {
	_, found := slices.BinarySearchFunc(s.arguments, name, func(d *declared, name string) int {
		return strings.Compare(d.common, name)
	})
	return found
}

// checkSiblings refuses currency arguments that are no words: they could not be read as a currency, and two amounts
// could each wait for the other.
func (s *Spec) checkSiblings() error {
	for _, d := range s.byName {
		sibling := s.find(d.Currency)
		if d.Currency == "" || sibling == undeclared {
			continue
		}
		switch kind := sibling.Kind.String(); kind {
		case "exact", "id", "name", "enum":
		default:
			return fmt.Errorf("argument %q: currency: argument %q is of kind %s; declare it as an enum", d.Name, d.Currency, kind)
		}
	}
	return nil
}

// withSiblings declares the currency arguments that money refers to. Without this "eur" and "EUR" would be two effects
// although the rule says that the argument is a currency.
func withSiblings(args []Argument) []Argument {
	names := make(map[string]bool, len(args))
	for _, a := range args {
		names[a.Name] = true
	}
	for _, a := range args {
		_, constant := constantCurrency(a.Currency)
		if a.Kind.base() == "money" && a.Currency != "" && !constant && !names[a.Currency] {
			names[a.Currency] = true
			args = append(args, Argument{Name: a.Currency, Kind: Kind{"enum"}})
		}
	}
	return args
}

func declare(a Argument) (declared, error) {
	if a.Name == "" {
		return declared{}, errors.New("an argument needs a name")
	}
	if int(a.Role) >= len(roleNames) {
		return declared{}, fmt.Errorf("there is no %s", a.Role)
	}
	if len(a.Fields) > 0 {
		a.Kind = a.Kind.withFields()
	}
	if err := checkOptions(a); err != nil {
		return declared{}, err
	}
	d := declared{Argument: a, common: cmp.Or(a.As, a.Name)}
	var err error
	if d.fields, err = compileFields(a.Fields); err != nil {
		return declared{}, err
	}
	if d.read, err = a.Kind.compile(&d); err != nil {
		return declared{}, err
	}
	d.Aliases = maps.Clone(a.Aliases)
	d.Providers = slices.Clone(a.Providers)
	d.Fields = d.fields.Arguments()
	if a.Default != nil {
		if d.standard, err = Decode(slices.Clone(a.Default), Limits{}); err != nil {
			return declared{}, fmt.Errorf("default: %w", err)
		}
	}
	return d, nil
}

// checkOptions refuses options that the kind does not have: they would be ignored in silence.
func checkOptions(a Argument) error {
	options := []struct {
		name, kind string
		set        bool
	}{
		{"currency", "money", a.Currency != ""},
		{"minor", "money", a.Minor},
		{"aliases", "enum", len(a.Aliases) > 0},
		{"zone", "datetime", a.Zone != ""},
		{"round", "datetime", a.Round != ""},
		{"region", "phone", a.Region != ""},
		{"providers", "email", len(a.Providers) > 0},
		{"fields", "object", len(a.Fields) > 0},
	}
	for _, o := range options {
		if o.set && a.Kind.base() != o.kind {
			return fmt.Errorf("%s is an option of kind %s, not of %s", o.name, o.kind, a.Kind)
		}
	}
	if a.Currency == a.Name && a.Currency != "" {
		return errors.New("currency: an amount cannot be its own currency")
	}
	return checkCurrency(a.Currency)
}

// Arguments returns the declarations sorted by name, with the currency arguments that were declared by reference.
func (s *Spec) Arguments() []Argument {
	if s == nil {
		return nil
	}
	list := make([]Argument, len(s.byName))
	for i, d := range s.byName {
		list[i] = d.Argument
		list[i].Aliases = maps.Clone(d.Aliases)
		list[i].Providers = slices.Clone(d.Providers)
		list[i].Fields = d.fields.Arguments()
		list[i].Default = slices.Clone(d.Default)
	}
	return list
}
