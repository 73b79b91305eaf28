package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Argument declares the role and kind of one argument: a member of the arguments object, by its exact name.
type Argument struct {
	Name string
	Role Role
	Kind Kind
	// Currency, for kind money, is a constant of three capitals such as "EUR" (ISO 4217), or the name of a sibling
	// argument that holds the currency. A sibling that is not declared itself is then Material and an enum.
	Currency     string
	Minor        bool                // kind money: a whole number of the currency's minor units
	Aliases      map[string][]string // kind enum: canonical value -> other spellings
	Zone         string              // kind datetime: IANA zone of a value without an offset
	Round        string              // kind datetime: a Go duration such as "1m", dividing a day; the rest is dropped
	Default      []byte              // JSON: an absent argument equals this value
	NullIsAbsent bool                // null equals an absent argument
}

// Spec is a compiled, immutable list of argument declarations, safe for concurrent use. The nil Spec declares nothing.
type Spec struct {
	arguments []*declared // sorted by name
	digest    string
}

type declared struct {
	Argument
	read     reader
	standard Value // the decoded Default; zero when there is none
}

// NewSpec compiles declarations. All faults are reported, each with the name of its argument.
func NewSpec(args []Argument) (*Spec, error) {
	args = withSiblings(slices.Clone(args))
	slices.SortStableFunc(args, func(a, b Argument) int { return strings.Compare(a.Name, b.Name) })
	s := &Spec{arguments: make([]*declared, 0, len(args))}
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
		s.arguments = append(s.arguments, &d)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := s.checkSiblings(); err != nil {
		return nil, err
	}
	s.digest = digestSpec(s.arguments)
	return s, nil
}

// undeclared stands for the declaration of every argument that has none.
var undeclared = &declared{read: readExact}

// find returns the declaration of an argument.
func (s *Spec) find(name string) *declared {
	i, found := slices.BinarySearchFunc(s.arguments, name, func(d *declared, name string) int {
		return strings.Compare(d.Name, name)
	})
	if !found {
		return undeclared
	}
	return s.arguments[i]
}

// checkSiblings refuses currency arguments that are no words: they could not be read as a currency, and two amounts
// could each wait for the other.
func (s *Spec) checkSiblings() error {
	for _, d := range s.arguments {
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
	if err := checkOptions(a); err != nil {
		return declared{}, err
	}
	read, err := a.Kind.compile(a)
	if err != nil {
		return declared{}, err
	}
	d := declared{Argument: a, read: read}
	d.Aliases = maps.Clone(a.Aliases)
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
	list := make([]Argument, len(s.arguments))
	for i, d := range s.arguments {
		list[i] = d.Argument
		list[i].Aliases = maps.Clone(d.Aliases)
		list[i].Default = slices.Clone(d.Default)
	}
	return list
}

var emptySpec = &Spec{digest: digestSpec(nil)}

func (s *Spec) orEmpty() *Spec {
	if s == nil {
		return emptySpec
	}
	return s
}

// Digest identifies the spec and the version of the algorithm: 64 hexadecimal digits. It does not depend on the order
// of declaration or on spellings that mean the same ("60s" and "1m"), and changes with everything that can change a
// fingerprint. It is not secret.
func (s *Spec) Digest() string { return s.orEmpty().digest }

func digestSpec(arguments []*declared) string {
	m := message(nil).add(labelSpec).add(strconv.Itoa(len(arguments)))
	for _, d := range arguments {
		m = m.add(d.Name).add(d.Role.String()).add(d.Kind.String())
		options := d.options()
		m = m.add(strconv.Itoa(len(options)))
		for _, o := range options {
			m = m.add(o)
		}
	}
	sum := sha256.Sum256(m)
	return hex.EncodeToString(sum[:])
}

// options lists the options of an argument that are set, each as a name and its value or, for an alias, two values.
func (d *declared) options() []string {
	var list []string
	option := func(set bool, name, value string) {
		if set {
			list = append(list, name, value)
		}
	}
	option(d.Currency != "", "currency", d.Currency)
	option(d.Minor, "minor", "true")
	for _, value := range slices.Sorted(maps.Keys(d.Aliases)) {
		spellings := slices.Clone(d.Aliases[value])
		slices.Sort(spellings)
		for _, spelling := range append([]string{value}, spellings...) {
			list = append(list, "alias", foldEnum(spelling), foldEnum(value))
		}
	}
	option(d.Zone != "", "zone", d.Zone)
	round, _ := time.ParseDuration(d.Round)
	option(d.Round != "", "round", round.String())
	option(!d.standard.IsZero(), "default", string(d.standard.AppendCanonical(nil)))
	option(d.NullIsAbsent, "null", "absent")
	return list
}
