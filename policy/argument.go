package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/onceguard/onceguard/fingerprint"
)

// argumentDoc is one entry of "arguments:".
type argumentDoc struct {
	at   place
	decl fingerprint.Argument
}

var argumentKeys = keys{
	now:   []string{"role", "kind", "currency", "minor", "aliases", "zone", "round", "default", "null_is_absent"},
	later: []string{"region", "near", "same", "redact"},
}

func (r *reader) arguments(n ast.Node) []argumentDoc {
	var list []argumentDoc
	for _, e := range r.entries(n, "arguments") {
		list = append(list, r.argument(e))
	}
	return list
}

func (r *reader) argument(e entry) argumentDoc {
	what := fmt.Sprintf("the argument %q", e.name)
	a := argumentDoc{at: e.key, decl: fingerprint.Argument{Name: e.name, Role: fingerprint.Material}}
	f := r.fields(e.value, what, argumentKeys)
	a.decl.Kind = exactKind
	if v, ok := f["role"]; ok {
		a.decl.Role = r.role(v.value)
	}
	if v, ok := f["kind"]; ok {
		if s := r.string(v.value, "kind"); s != "" {
			kind, err := fingerprint.ParseKind(s)
			if err != nil {
				r.add(at(v.value), err.Error(), "choose another kind, or remove the key to compare the argument exactly")
			}
			a.decl.Kind = kind
		}
	}
	if v, ok := f["currency"]; ok {
		a.decl.Currency = r.string(v.value, "currency")
	}
	if v, ok := f["minor"]; ok {
		a.decl.Minor = r.truth(v.value, "minor")
	}
	if v, ok := f["aliases"]; ok {
		a.decl.Aliases = r.aliases(v.value)
	}
	if v, ok := f["zone"]; ok {
		a.decl.Zone = r.string(v.value, "zone")
	}
	if v, ok := f["round"]; ok {
		a.decl.Round = r.string(v.value, "round")
	}
	if v, ok := f["default"]; ok {
		a.decl.Default = r.json(v.value, "default")
	}
	if v, ok := f["null_is_absent"]; ok {
		a.decl.NullIsAbsent = r.truth(v.value, "null_is_absent")
	}
	return a
}

func (r *reader) role(n ast.Node) fingerprint.Role {
	word := r.choice(n, "role", []string{"identity", "material", "commentary", "volatile"}, nil)
	if word == "" {
		return fingerprint.Material
	}
	role, err := fingerprint.ParseRole(word)
	if err != nil {
		r.add(at(n), err.Error(), "")
	}
	return role
}

func (r *reader) aliases(n ast.Node) map[string][]string {
	aliases := make(map[string][]string)
	for _, e := range r.entries(n, "aliases") {
		aliases[e.name] = r.strings(e.value, fmt.Sprintf("the aliases of %q", e.name))
	}
	return aliases
}

// exactKind is the kind of an argument that names none; enumKind that of a currency.
var exactKind, enumKind = mustKind("exact"), mustKind("enum")

func mustKind(name string) fingerprint.Kind {
	kind, err := fingerprint.ParseKind(name)
	if err != nil {
		// The kinds named here are part of the language; without them no policy could be read.
		panic("policy: " + err.Error())
	}
	return kind
}

// spec compiles the arguments of a tool. What the schema declares as default counts where the policy declares none.
func (t *toolDoc) spec(r *report, s *schema) *fingerprint.Spec {
	decls := make([]fingerprint.Argument, len(t.arguments))
	declared := make(map[string]bool)
	for i, a := range t.arguments {
		decls[i] = a.decl
		declared[a.decl.Name] = true
		if s == nil {
			continue
		}
		if a.decl.Default == nil {
			decls[i].Default = s.defaults[a.decl.Name]
		}
		if s.closed && !slices.Contains(s.properties, a.decl.Name) {
			r.add(a.at, fmt.Sprintf("the schema allows no argument %q", a.decl.Name), suggest(a.decl.Name, s.properties))
		}
	}
	if s != nil {
		t.checkCurrencies(r, s, declared)
		decls = append(decls, t.schemaDefaults(s, declared)...)
	}
	spec, err := fingerprint.NewSpec(decls)
	if err == nil {
		return spec
	}
	faults := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		faults = joined.Unwrap()
	}
	for _, fault := range faults {
		r.add(t.argumentPlace(fault.Error()), fault.Error(), "mend the declaration of the argument")
	}
	return nil
}

// schemaDefaults declares the arguments that only the schema names and has a default for.
func (t *toolDoc) schemaDefaults(s *schema, declared map[string]bool) []fingerprint.Argument {
	var decls []fingerprint.Argument
	for _, name := range s.properties {
		value, ok := s.defaults[name]
		if !ok || declared[name] {
			continue
		}
		kind := exactKind
		// A currency that an amount refers to is compared as one although it is not declared.
		if slices.ContainsFunc(t.arguments, func(a argumentDoc) bool { return a.decl.Currency == name }) {
			kind = enumKind
		}
		decls = append(decls, fingerprint.Argument{Name: name, Role: fingerprint.Material, Kind: kind, Default: value})
	}
	return decls
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// checkCurrencies notes amounts whose currency is an argument that the schema does not have.
func (t *toolDoc) checkCurrencies(r *report, s *schema, declared map[string]bool) {
	for _, a := range t.arguments {
		c := a.decl.Currency
		if c == "" || currencyCode.MatchString(c) || declared[c] || len(s.properties) == 0 || slices.Contains(s.properties, c) {
			continue
		}
		r.add(a.at, fmt.Sprintf("the currency of %q is the argument %q, which neither arguments nor schema name", a.decl.Name, c),
			"name an argument, or write a code of three capitals such as \"EUR\"")
	}
}

// argumentPlace finds the argument that an error of fingerprint.NewSpec begins with.
func (t *toolDoc) argumentPlace(message string) place {
	for _, a := range t.arguments {
		if strings.HasPrefix(message, fmt.Sprintf("argument %q", a.decl.Name)) {
			return a.at
		}
	}
	if t.argumentAt == (place{}) {
		return t.at
	}
	return t.argumentAt
}

// known lists the arguments that the policy or its schema names; nil when neither does.
func (t *toolDoc) known(s *schema) []string {
	var names []string
	for _, a := range t.arguments {
		names = append(names, a.decl.Name)
	}
	if s != nil {
		names = append(names, s.properties...)
	}
	return names
}
