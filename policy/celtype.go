package policy

import (
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// structs are object types by name and field, beside those of CEL itself. Their values are maps of Go.
type structs struct {
	types.Provider
	fields map[string]map[string]*cel.Type
	// open are the types that may have other fields as well, of any type.
	open map[string]bool
	// missed holds the fields that were asked for in vain, each with the type that does not have it.
	missed map[string]string
}

// The names of object types. The braces keep them apart from everything that an expression can name.
const (
	typeArgs        = "{args}"
	typeHistory     = "{history}"
	typeAnnotations = "{annotations}"
	typeReviewer    = "{reviewer}"
)

var fixedStructs = map[string]map[string]*cel.Type{
	typeHistory: {"count": cel.IntType, "last": cel.TimestampType},
	typeAnnotations: {
		"title": cel.StringType, "readOnlyHint": cel.BoolType, "destructiveHint": cel.BoolType, "idempotentHint": cel.BoolType, "openWorldHint": cel.BoolType,
	},
	typeReviewer: {"subject": cel.StringType, "roles": cel.ListType(cel.StringType)},
}

// FindStructType returns the type of a name.
func (s *structs) FindStructType(name string) (*types.Type, bool) {
	if _, ok := s.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return s.Provider.FindStructType(name)
}

// FindStructFieldNames returns the fields of a type.
func (s *structs) FindStructFieldNames(name string) ([]string, bool) {
	if fields, ok := s.fields[name]; ok {
		return slices.Sorted(maps.Keys(fields)), true
	}
	return s.Provider.FindStructFieldNames(name)
}

// FindStructFieldType returns the type of a field. Without an accessor of its own, CEL looks it up as the key of a map.
func (s *structs) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := s.fields[name]
	if !ok {
		return s.Provider.FindStructFieldType(name, field)
	}
	if t, ok := fields[field]; ok {
		return &types.FieldType{Type: t}, true
	}
	if s.open[name] {
		return &types.FieldType{Type: cel.DynType}, true
	}
	if s.missed != nil {
		s.missed[field] = name
	}
	return nil, false
}

// NewValue refuses to make a value: expressions look at objects and make none.
func (s *structs) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := s.fields[name]; ok {
		return types.NewErr("an expression cannot make a value of type %s", name)
	}
	return s.Provider.NewValue(name, fields)
}

// schemaTypes translates a schema into types. It says something only where the schema leaves no doubt: what can be null, or one
// of several, is of any type. Numbers are doubles here, though a whole one is an int for an expression; see isNumberDispute.
type schemaTypes struct {
	structs
	root map[string]any
	left int // so many schemas are looked at, because references can unfold without end
}

const maxTypes = 2000

// argumentTypes returns the types of a tool's arguments. names are arguments that the policy declares beside the schema. It is nil
// where the schema names no arguments.
func argumentTypes(root any, names []string) *schemaTypes {
	object, ok := root.(map[string]any)
	if !ok {
		return nil
	}
	s := &schemaTypes{root: object, left: maxTypes}
	s.fields, s.open, s.missed = map[string]map[string]*cel.Type{}, map[string]bool{}, map[string]string{}
	if t := s.object(object, typeArgs, 0); t.Kind() != types.StructKind {
		return nil
	}
	for _, name := range names {
		if _, ok := s.fields[typeArgs][name]; !ok {
			s.fields[typeArgs][name] = cel.DynType
		}
	}
	return s
}

// combining are the keywords by which a schema says more, or less, than its type and properties do.
var combining = []string{"anyOf", "oneOf", "allOf", "not", "if", "$ref", "$dynamicRef", "dependentSchemas", "unevaluatedProperties", "propertyNames"}

func (s *schemaTypes) typeOf(schema any, name string, depth int) *cel.Type {
	object, ok := schema.(map[string]any)
	if s.left--; !ok || s.left < 0 || depth > maxReferences {
		return cel.DynType
	}
	if reference, ok := object["$ref"].(string); ok && len(object) == 1 && len(reference) > 0 && reference[0] == '#' {
		// The reference is the name, so that a schema which refers to itself is one type.
		return s.typeOf(lookup(s.root, reference[1:]), reference, depth+1)
	}
	for _, keyword := range combining {
		if _, ok := object[keyword]; ok {
			return cel.DynType
		}
	}
	switch object["type"] {
	case "string":
		return cel.StringType
	case "boolean":
		return cel.BoolType
	case "number", "integer":
		return cel.DoubleType
	case "array":
		if _, tuple := object["prefixItems"]; tuple {
			return cel.ListType(cel.DynType)
		}
		return cel.ListType(s.typeOf(object["items"], name+" item", depth+1))
	case "object":
		return s.object(object, name, depth)
	}
	return cel.DynType
}

// object is the type of an object: of its properties, where the schema names some.
func (s *schemaTypes) object(schema map[string]any, name string, depth int) *cel.Type {
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 {
		return cel.MapType(cel.StringType, cel.DynType)
	}
	if _, known := s.fields[name]; known {
		return cel.ObjectType(name)
	}
	fields := make(map[string]*cel.Type, len(properties))
	s.fields[name] = fields
	for key, property := range properties {
		fields[key] = s.typeOf(property, name+"."+key, depth+1)
	}
	more, said := schema["additionalProperties"]
	_, patterns := schema["patternProperties"]
	s.open[name] = patterns || said && more != false
	for _, keyword := range combining {
		if _, ok := schema[keyword]; ok {
			s.open[name] = true
		}
	}
	return cel.ObjectType(name)
}
