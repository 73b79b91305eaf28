package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// argumentDoc is one entry of "arguments:".
type argumentDoc struct {
	at        place
	decl      fingerprint.Argument
	inherited bool
}

var (
	argumentKeys = keys{now: append([]string{"as"}, fieldKeys.now...), later: fieldKeys.later}
	// Members of an object have no common names: only whole arguments are shared between tools.
	fieldKeys = keys{
		now:   []string{"role", "kind", "currency", "minor", "aliases", "zone", "round", "region", "providers", "fields", "default", "null_is_absent"},
		later: []string{"near", "same"},
	}
)

// maxFields bounds how deep "fields:" nest. Package fingerprint has a limit of its own, with an error that names no place.
const maxFields = 8

func (r *reader) arguments(n *node) []argumentDoc {
	entries := r.entries(n, "arguments")
	list := make([]argumentDoc, 0, len(entries))
	for _, e := range entries {
		list = append(list, r.argument(e, fmt.Sprintf("the argument %q", e.name), argumentKeys, 0))
	}
	return list
}

// members reads "fields:", whose entries are arguments of their own but for a common name.
func (r *reader) members(n *node, what string, depth int) []fingerprint.Argument {
	if depth > maxFields {
		r.add(n.at, fmt.Sprintf("%s has fields within fields more than %d deep", what, maxFields), "nest them less deeply, or compare the inner object exactly")
		return nil
	}
	list := []fingerprint.Argument{}
	for _, e := range r.entries(n, "the fields of "+what) {
		list = append(list, r.argument(e, fmt.Sprintf("the field %q of %s", e.name, what), fieldKeys, depth).decl)
	}
	if len(list) == 0 && n.kind == mappingNode {
		r.add(n.at, "the fields of "+what+" are empty", "declare a field, or remove the key")
	}
	return list
}

func (r *reader) argument(e entry, what string, valid keys, depth int) argumentDoc {
	a := argumentDoc{at: e.key, decl: fingerprint.Argument{Name: e.name, Role: fingerprint.Material}}
	f := r.fields(e.value, what, valid)
	a.decl.Kind = exactKind
	if v, ok := f.get("as"); ok {
		a.decl.As = r.string(v.value, "as")
	}
	if v, ok := f.get("role"); ok {
		a.decl.Role = r.role(v.value)
	}
	if v, ok := f.get("kind"); ok {
		if s := r.string(v.value, "kind"); s != "" {
			kind, err := fingerprint.ParseKind(s)
			if err != nil {
				r.add(v.value.at, err.Error(), "choose another kind, or remove the key to compare the argument exactly")
			}
			a.decl.Kind = kind
		}
	}
	if v, ok := f.get("currency"); ok {
		a.decl.Currency = r.string(v.value, "currency")
	}
	if v, ok := f.get("minor"); ok {
		a.decl.Minor = r.truth(v.value, "minor")
	}
	if v, ok := f.get("aliases"); ok {
		a.decl.Aliases = r.aliases(v.value)
	}
	if v, ok := f.get("zone"); ok {
		a.decl.Zone = r.string(v.value, "zone")
	}
	if v, ok := f.get("round"); ok {
		a.decl.Round = r.string(v.value, "round")
	}
	if v, ok := f.get("region"); ok {
		a.decl.Region = r.string(v.value, "region")
	}
	if v, ok := f.get("providers"); ok {
		a.decl.Providers = r.strings(v.value, "providers")
	}
	if v, ok := f.get("fields"); ok {
		a.decl.Fields = r.members(v.value, what, depth+1)
		if _, named := f.get("kind"); !named {
			a.decl.Kind = objectKind
		}
	}
	if v, ok := f.get("default"); ok {
		a.decl.Default = r.json(v.value, "default")
	}
	if v, ok := f.get("null_is_absent"); ok {
		a.decl.NullIsAbsent = r.truth(v.value, "null_is_absent")
	}
	return a
}

func (r *reader) role(n *node) fingerprint.Role {
	word := r.choice(n, "role", []string{"identity", "material", "commentary", "volatile"}, nil)
	if word == "" {
		return fingerprint.Material
	}
	role, err := fingerprint.ParseRole(word)
	if err != nil {
		r.add(n.at, err.Error(), "")
	}
	return role
}

func (r *reader) aliases(n *node) map[string][]string {
	aliases := make(map[string][]string)
	for _, e := range r.entries(n, "aliases") {
		aliases[e.name] = r.strings(e.value, fmt.Sprintf("the aliases of %q", e.name))
	}
	return aliases
}

// The kinds that stand where a policy names none: exactKind in general, objectKind beside fields, enumKind for a currency and
// idKind for what tells occurrences apart.
var exactKind, objectKind, enumKind, idKind = mustKind("exact"), mustKind("object"), mustKind("enum"), mustKind("id")

func mustKind(name string) fingerprint.Kind {
	kind, err := fingerprint.ParseKind(name)
	if err != nil {
		// The kinds named here are part of the language; without them no policy could be read.
		panic("policy: " + err.Error())
	}
	return kind
}

// spec compiles the arguments of a tool. What the schema declares as default counts where the policy declares none. A policy
// that says nothing about arguments leaves them to inference; one that says anything, if only "{}", is what it says. What is
// inherited only adds to that.
func (t *toolDoc) spec(r *report, s *schema) *fingerprint.Spec {
	t.dropForeign(s)
	if t.argumentAt == (place{}) {
		return t.inferredSpec(r, s)
	}
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
	}
	if more := t.occurrenceArgument(r, s); more != nil {
		declared[more[0].Name] = true
		if s != nil {
			more[0].Default = s.defaults[more[0].Name]
		}
		decls = append(decls, more...)
	}
	if s != nil {
		decls = append(decls, t.schemaDefaults(s, declared)...)
	}
	return t.compiled(r, fingerprint.NewSpec, decls)
}

// dropForeign leaves out inherited declarations of arguments that the tool cannot have, by its schema.
func (t *toolDoc) dropForeign(s *schema) {
	if s == nil || !s.closed {
		return
	}
	t.arguments = slices.DeleteFunc(t.arguments, func(a argumentDoc) bool {
		return a.inherited && !slices.Contains(s.properties, a.decl.Name)
	})
}

// inferredSpec is the spec of a tool whose policy says nothing about arguments.
func (t *toolDoc) inferredSpec(r *report, s *schema) *fingerprint.Spec {
	var decls []fingerprint.Argument
	if s != nil {
		decls = inferFromSchema(s.root)
	}
	find := func(name string) int {
		return slices.IndexFunc(decls, func(d fingerprint.Argument) bool { return d.Name == name })
	}
	for _, a := range t.arguments {
		if s != nil && a.decl.Default == nil {
			a.decl.Default = s.defaults[a.decl.Name]
		}
		if i := find(a.decl.Name); i >= 0 {
			decls[i] = a.decl
		} else {
			decls = append(decls, a.decl)
		}
	}
	for _, a := range t.occurrenceArgument(r, s) {
		i := find(a.Name)
		if i < 0 {
			decls = append(decls, a)
			continue
		}
		decls[i].Role, decls[i].Kind, decls[i].Fields = a.Role, a.Kind, nil
	}
	return t.compiled(r, fingerprint.NewInferringSpec, decls)
}

// compiled makes a spec; nil when that is not possible, with the reasons noted.
func (t *toolDoc) compiled(r *report, compile func([]fingerprint.Argument) (*fingerprint.Spec, error), decls []fingerprint.Argument) *fingerprint.Spec {
	spec, err := compile(decls)
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
		if a.inherited || c == "" || currencyCode.MatchString(c) || declared[c] || len(s.properties) == 0 || slices.Contains(s.properties, c) {
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

// known lists the arguments that the policy or its schema names; nil when neither does. What is inherited names none by itself.
func (t *toolDoc) known(s *schema) []string {
	if t.argumentAt == (place{}) && (s == nil || len(s.properties) == 0) {
		return nil
	}
	var names []string
	for _, a := range t.arguments {
		names = append(names, a.decl.Name)
	}
	if s != nil {
		names = append(names, s.properties...)
	}
	return names
}
