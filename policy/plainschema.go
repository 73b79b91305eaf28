package policy

import (
	"encoding/json"
	"regexp"
)

// isPlain reports whether a schema surely compiles: it uses only keywords that nearly every tool's schema gets by with, each with a
// value of the right type. Compiling such a schema is left until a call of its tool comes, because the library's check of it against
// the meta-schema is the dearest part of loading many policies. Of any other schema nothing is said.
func isPlain(schema any) bool {
	switch s := schema.(type) {
	case bool:
		return true
	case map[string]any:
		for keyword, value := range s {
			check, known := plainKeywords[keyword]
			if !known || !check(value) {
				return false
			}
		}
		return true
	}
	return false
}

// plainKeywords are keywords of draft 2020-12 whose values can be judged by themselves.
var plainKeywords map[string]func(any) bool

func init() {
	anything := func(any) bool { return true }
	plainKeywords = map[string]func(any) bool{
		"type": isTypes, "properties": isSchemas, "items": isPlain, "additionalProperties": isPlain, "required": isNames,
		"enum": isList, "const": anything, "default": anything, "examples": isList,
		"title": is[string], "description": is[string], "format": is[string], "pattern": isPattern,
		"minimum": is[json.Number], "maximum": is[json.Number], "exclusiveMinimum": is[json.Number], "exclusiveMaximum": is[json.Number],
		"minLength": isCount, "maxLength": isCount, "minItems": isCount, "maxItems": isCount, "minProperties": isCount, "maxProperties": isCount,
		"uniqueItems": is[bool], "deprecated": is[bool], "readOnly": is[bool], "writeOnly": is[bool],
	}
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func isList(v any) bool { return is[[]any](v) }

var simpleTypes = map[string]bool{"array": true, "boolean": true, "integer": true, "null": true, "number": true, "object": true, "string": true}

func isTypes(v any) bool {
	if one, ok := v.(string); ok {
		return simpleTypes[one]
	}
	names := textList(v)
	for _, name := range names {
		if !simpleTypes[name] {
			return false
		}
	}
	return len(names) > 0 && isNames(v)
}

// isNames holds for a list of different texts.
func isNames(v any) bool {
	list, ok := v.([]any)
	if !ok {
		return false
	}
	seen := make(map[string]bool, len(list))
	for _, item := range list {
		name, ok := item.(string)
		if !ok || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

func isSchemas(v any) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for _, schema := range object {
		if !isPlain(schema) {
			return false
		}
	}
	return true
}

// smallCount matches a number that is no fraction and small enough for the library.
var smallCount = regexp.MustCompile(`^[0-9]{1,9}$`)

func isCount(v any) bool {
	n, ok := v.(json.Number)
	return ok && smallCount.MatchString(n.String())
}

func isPattern(v any) bool {
	pattern, ok := v.(string)
	if !ok {
		return false
	}
	_, err := regexp.Compile(pattern)
	return err == nil
}
