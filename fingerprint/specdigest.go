package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

var emptySpec = func() *Spec {
	s := new(Spec)
	s.seal()
	return s
}()

func (s *Spec) orEmpty() *Spec {
	if s == nil {
		return emptySpec
	}
	return s
}

// Digest identifies the spec and the version of the algorithm: 64 hexadecimal digits. It does not depend on the order
// of declaration or on spellings that mean the same ("60s" and "1m"), and changes with everything that can change a
// fingerprint but one: arguments are named by their common names, so that tools which differ in nothing but their own
// names have one digest. It is not secret.
func (s *Spec) Digest() string { return s.orEmpty().digest }

// seal computes what is known of a spec once its arguments are.
func (s *Spec) seal() {
	var deciding []*declared
	for _, d := range s.arguments {
		if d.Role.Decides() {
			deciding = append(deciding, d)
		}
		s.texts = s.texts || d.isText()
	}
	s.digest, s.deciding = s.digestOf(labelSpec, s.arguments), s.digestOf(labelDeciding, deciding)
}

func (s *Spec) digestOf(label string, arguments []*declared) string {
	m := message(nil).add(label).add(strconv.Itoa(len(arguments)))
	for _, d := range arguments {
		m = m.add(d.common).add(d.Role.String()).add(d.Kind.String())
		var options []string
		switch {
		case label == labelDeciding:
			options = decidingOptions(d)
		case d.fields != nil:
			options = append(s.options(d), "fields", d.fields.digest)
		default:
			options = s.options(d)
		}
		m = m.add(strconv.Itoa(len(options)))
		for _, o := range options {
			m = m.add(o)
		}
	}
	sum := sha256.Sum256(m)
	return hex.EncodeToString(sum[:])
}

// decidingOptions lists the options that are part of keys. The others are not: whatever they make of a value stands in its
// form, so that 2500 cents and 25 euros of two tools are one amount; and what could not be read is kept apart by apart.
// Rounding loses what it drops, and is therefore told.
func decidingOptions(d *declared) []string {
	var list []string
	if round, err := time.ParseDuration(d.Round); err == nil {
		list = append(list, "round", round.String())
	}
	if d.fields != nil {
		list = append(list, "fields", d.fields.deciding)
	}
	return list
}

// options lists the options of an argument that are set, each as a name and its value or, for an alias, two values.
func (s *Spec) options(d *declared) []string {
	var list []string
	option := func(set bool, name, value string) {
		if set {
			list = append(list, name, value)
		}
	}
	if _, constant := constantCurrency(d.Currency); constant {
		option(true, "currency", d.Currency)
	} else {
		option(d.Currency != "", "currency_of", s.find(d.Currency).common)
	}
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
	option(d.Region != "", "region", strings.ToUpper(d.Region))
	providers, _ := parseProviders(d.Providers)
	for _, domain := range slices.Sorted(maps.Keys(providers)) {
		option(true, "provider", domain)
	}
	option(!d.standard.IsZero(), "default", string(d.standard.AppendCanonical(nil)))
	option(d.NullIsAbsent, "null", "absent")
	return list
}
