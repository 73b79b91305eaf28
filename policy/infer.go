package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// Tool is what a tool says about itself, or what its calls show.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON Schema of its arguments; nil where there is none
	Recorded    bool            // Schema is what recorded calls show, and not the tool's own
	Method      string          // of HTTP, for a tool that is an operation of an HTTP API; else ""
	// The hints of an MCP tool (annotations of the protocol's revision 2025-03-26); nil where it gives none. A hint is the
	// word of the tool's own server.
	ReadOnly, Destructive, Idempotent *bool
}

// Inferred is what can be taken to be true of a tool that nobody described in a policy.
type Inferred struct {
	Kind     Kind
	KindWhy  string // a clause; "" where nothing speaks for the kind, which is then write
	KindSure bool
	// Arguments are those of the schema, what is acted on first.
	Arguments []InferredArgument
	// Remarks are sentences that a person who writes the policy should know.
	Remarks []string
}

// InferredArgument is one argument with the reason for its declaration.
type InferredArgument struct {
	fingerprint.Argument
	Why      string // a clause
	Sure     bool   // false where a person should look
	bySchema bool   // the schema says more than the name
}

// Infer says how calls of a tool should be compared, from its schema, its description, its hints and its names. It is
// conservative: it takes no argument for commentary, and nothing but a plain idempotency key for volatile, because those
// mistakes merge different effects. A schema that is not an object, or no JSON, says nothing; Remarks tells.
func Infer(t Tool) Inferred {
	var in Inferred
	in.Kind, in.KindWhy, in.KindSure = InferKind(t)
	if len(t.Schema) > 0 {
		d := json.NewDecoder(bytes.NewReader(t.Schema))
		d.UseNumber()
		var root any
		if err := d.Decode(&root); err != nil {
			in.Remarks = append(in.Remarks, "Its schema is no JSON and was not looked at.")
		} else if object, ok := root.(map[string]any); !ok {
			in.Remarks = append(in.Remarks, "Its schema is no object and was not looked at.")
		} else {
			in.Arguments = newInference(object, t.Recorded).arguments()
		}
	}
	if t.Idempotent != nil && *t.Idempotent && in.Kind == Write {
		in.Remarks = append(in.Remarks, "Its server says that a repeat changes nothing (idempotentHint). That is no promise about our key, so idempotent is not set.")
	}
	if t.Destructive != nil && *t.Destructive && in.Kind == Write {
		in.Remarks = append(in.Remarks, "Its server says that it destroys (destructiveHint).")
	}
	if of := in.resource(); of != "" && setsState(t) {
		in.Remarks = append(in.Remarks, fmt.Sprintf("It may set what it set before: where A, then B, then A again are three effects, add resource: %q", of))
	}
	return in
}

// inferFromSchema declares the arguments of which a schema says more than their names do. The others are left to the
// inference of package fingerprint, which sees their values.
func inferFromSchema(root any) []fingerprint.Argument {
	object, ok := root.(map[string]any)
	if !ok {
		return nil
	}
	var list []fingerprint.Argument
	for _, a := range newInference(object, false).arguments() {
		if a.bySchema {
			list = append(list, a.Argument)
		}
	}
	return list
}

// inference reads the properties of one object.
type inference struct {
	root       map[string]any // the whole schema, for references
	properties map[string]any
	names      []string
	depth      int    // 0 for the arguments themselves
	source     string // ends a clause about what the schema says
}

func newInference(root map[string]any, recorded bool) *inference {
	in := &inference{root: root, source: ", by its schema"}
	if recorded {
		in.source = ", by its recorded values"
	}
	in.properties, _ = in.resolve(root)["properties"].(map[string]any)
	in.names = slices.Sorted(maps.Keys(in.properties))
	return in
}

// arguments are the declarations of all properties, ordered by role and name.
func (in *inference) arguments() []InferredArgument {
	var list []InferredArgument
	for _, name := range in.names {
		property, _ := in.properties[name].(map[string]any)
		if name != "" {
			list = append(list, in.argument(name, property))
		}
	}
	order := []fingerprint.Role{fingerprint.Identity, fingerprint.Material, fingerprint.Commentary, fingerprint.Volatile}
	slices.SortStableFunc(list, func(a, b InferredArgument) int { return slices.Index(order, a.Role) - slices.Index(order, b.Role) })
	return list
}

// argument infers one declaration: from its schema where that says something, else from its name.
func (in *inference) argument(name string, property map[string]any) InferredArgument {
	named := fingerprint.Infer(name, in.names...)
	a := InferredArgument{Argument: fingerprint.Argument{Name: name, Role: named.Role, Kind: named.Kind}, Why: named.Why, Sure: named.Sure}
	p := in.property(property)
	if value, ok := p.object["default"]; ok && named.Role.Decides() {
		if text, err := json.Marshal(value); err == nil {
			a.Default, a.bySchema = text, true
		}
	}
	switch {
	case !a.Role.Decides() && len(in.names) == 1:
		a.Role, a.Kind = fingerprint.Identity, idKind
		a.Why, a.Sure, a.bySchema = "the only argument, and so no idempotency key in spite of its name", false, true
	case !named.Role.Decides():
	case p.isIdempotencyKey(name) && len(in.names) > 1:
		a.Role, a.Kind, a.Default = fingerprint.Volatile, exactKind, nil
		a.Why, a.Sure, a.bySchema = "an idempotency key, by its description, and so new in every attempt", false, true
	default:
		in.kind(&a, p, named)
	}
	if a.Kind == moneyKind {
		in.money(&a, p)
	}
	if in.depth > 0 {
		// A member of an object says what the object is, and wording is only compared in whole arguments.
		a.Role = fingerprint.Material
		if isWording(a.Kind) {
			a.Kind, a.Why = autoKind, "by the shape of its value, because wording is only compared in whole arguments"
		}
	}
	return a
}

// currencyNames are what the argument beside an amount is called, by which its currency is told.
var currencyNames = []string{"currency", "currency_code", "currencyCode", "Currency"}

// money looks for the currency of an amount.
func (in *inference) money(a *InferredArgument, p property) {
	for _, name := range currencyNames {
		sibling, ok := in.properties[name].(map[string]any)
		if ok && in.property(sibling).is("string") && name != a.Name {
			a.Currency, a.bySchema = name, true
			a.Why += fmt.Sprintf(", in the currency that %q tells", name)
			break
		}
	}
	if a.Currency != "" && p.is("integer") && mentions(p.description(), "cents", "smallest currency unit", "minor unit") {
		a.Minor, a.Sure = true, false
		a.Why += "; its description speaks of minor units"
	}
	if a.Currency == "" {
		a.Sure = false
		a.Why += "; nothing tells its currency"
	}
}

// mentions reports whether a text holds one of some words.
func mentions(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
