package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// maxReferences bounds the references and alternatives that are followed to one schema.
const maxReferences = 8

// maxInferred bounds how deep fields are inferred.
const maxInferred = 3

// The kinds that inference names itself.
var (
	autoKind   = mustKind("auto")
	boolKind   = mustKind("bool")
	moneyKind  = mustKind("money")
	numberKind = mustKind("number")
)

// formats are the values of "format" that name a kind: those of JSON Schema, draft 2020-12, section 7.3, and of OpenAPI that say
// how a value is written. Others are left to the name.
var formats = map[string]string{
	"date-time": "datetime", "date": "date", "duration": "duration",
	"email": "email", "idn-email": "email", "phone": "phone",
	"uri": "url", "iri": "url", "url": "url", "uuid": "id",
	"int32": "number", "int64": "number", "float": "number", "double": "number", "decimal": "number",
}

// property is the schema of one argument, with references followed and "or null" taken off.
type property struct {
	object map[string]any
	types  []string // without "null"
}

func (in *inference) property(schema map[string]any) property {
	p := property{object: in.resolve(schema)}
	switch t := p.object["type"].(type) {
	case string:
		p.types = []string{t}
	case []any:
		p.types = textList(t)
	}
	p.types = slices.DeleteFunc(p.types, func(t string) bool { return t == "null" })
	return p
}

// resolve follows references within the schema, and alternatives of which all but one are null. What it follows does not
// hide the description and default beside it.
func (in *inference) resolve(schema map[string]any) map[string]any {
	merged := map[string]any{}
	for range maxReferences {
		for key, value := range schema {
			if _, nearer := merged[key]; !nearer {
				merged[key] = value
			}
		}
		next := in.next(schema)
		if next == nil {
			break
		}
		schema = next
	}
	return merged
}

func (in *inference) next(schema map[string]any) map[string]any {
	if reference, ok := schema["$ref"].(string); ok && strings.HasPrefix(reference, "#") {
		object, _ := lookup(in.root, strings.TrimPrefix(reference, "#")).(map[string]any)
		return object
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		var rest []map[string]any
		alternatives, _ := schema[key].([]any)
		for _, a := range alternatives {
			if object, ok := a.(map[string]any); ok && object["type"] != "null" {
				rest = append(rest, object)
			}
		}
		if len(rest) == 1 {
			return rest[0]
		}
	}
	return nil
}

// is reports whether a value can only have this type.
func (p property) is(typ string) bool { return len(p.types) == 1 && p.types[0] == typ }

func (p property) isNumber() bool { return p.is("number") || p.is("integer") }

func (p property) description() string {
	text, _ := p.object["description"].(string)
	return text
}

// isIdempotencyKey reports whether a description makes an identifier an idempotency key.
func (p property) isIdempotencyKey(name string) bool {
	lower := strings.ToLower(name)
	called := strings.HasSuffix(lower, "key") || strings.HasSuffix(lower, "token") || strings.HasSuffix(lower, "id")
	return p.is("string") && called && mentions(p.description(), "idempoten")
}

// kind decides how an argument is compared. What the schema says goes before what the name does.
func (in *inference) kind(a *InferredArgument, p property, named fingerprint.Inference) {
	say := func(kind fingerprint.Kind, why string) { a.Kind, a.Why, a.Sure, a.bySchema = kind, why, true, true }
	format, _ := p.object["format"].(string)
	switch {
	case p.is("array"):
		in.list(a, p, named)
	case p.is("object"):
		in.object(a, p)
	case p.isEnum():
		say(enumKind, "one of a few words"+in.source)
	case p.is("boolean"):
		say(boolKind, "a yes or no"+in.source)
	case p.isNumber() && !slices.Contains([]fingerprint.Kind{idKind, moneyKind, numberKind}, a.Kind):
		say(numberKind, "a number"+in.source)
	case formats[format] != "" && !(p.isNumber() && named.Named):
		say(mustKind(formats[format]), fmt.Sprintf("of the format %q%s", format, in.source))
	case p.is("string") && !named.Named && mentions(p.description(), "iso 8601", "iso8601", "rfc 3339", "rfc3339") && !mentions(p.description(), "duration"):
		say(mustKind("datetime"), "a date or time, by its description")
		a.Sure = false
	case p.is("string") && !named.Named && mentions(p.description(), "e.164"):
		say(mustKind("phone"), "a telephone number, by its description")
		a.Sure = false
	}
}

// isEnum reports whether the schema lists texts that an enum tells apart.
func (p property) isEnum() bool {
	values, _ := p.object["enum"].([]any)
	texts := textList(values)
	seen := make(map[string]bool)
	for _, text := range texts {
		seen[strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(strings.TrimSpace(text)))] = true
	}
	return len(values) > 0 && len(texts) == len(values) && len(seen) == len(texts)
}

// list decides about an array: a set where the name means people, else a list.
func (in *inference) list(a *InferredArgument, p property, named fingerprint.Inference) {
	if name := a.Kind.String(); strings.HasPrefix(name, "set") || strings.HasPrefix(name, "list") {
		return
	}
	element := InferredArgument{Argument: fingerprint.Argument{Name: a.Name, Kind: autoKind}, Why: "anything"}
	items, _ := p.object["items"].(map[string]any)
	in.kind(&element, in.property(items), fingerprint.Inference{Named: named.Named})
	a.Fields = element.Fields
	a.Kind, a.Why, a.Sure, a.bySchema = autoKind, "a list"+in.source, true, true
	// Lists of lists are read by their shape; a kind for them would be hard to read, and right no more often.
	if base := element.Kind.String(); element.Kind != autoKind && !strings.Contains(base, " ") {
		a.Kind = mustKind("list of " + base)
		a.Why = "a list" + in.source + "; each element: " + element.Why
	}
}

// object decides about an object: fields of its own where the schema or the names say something about them.
func (in *inference) object(a *InferredArgument, p property) {
	a.Kind, a.Why, a.Sure, a.bySchema = autoKind, "an object"+in.source, true, true
	if in.depth >= maxInferred {
		return
	}
	inner := &inference{root: in.root, depth: in.depth + 1, source: in.source}
	inner.properties, _ = p.object["properties"].(map[string]any)
	for name := range inner.properties {
		inner.names = append(inner.names, name)
	}
	slices.Sort(inner.names)
	for _, field := range inner.arguments() {
		if field.Kind != autoKind || field.Default != nil {
			a.Fields = append(a.Fields, field.Argument)
		}
	}
	if len(a.Fields) > 0 {
		a.Kind, a.Why = objectKind, "an object with these fields"+in.source
	}
}
