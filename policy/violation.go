package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// violations turns the library's tree of errors into sentences of our own, because some of the library's quote the value.
func (s *schema) violations(e *breach, instance any, list []Violation) []Violation {
	if len(list) >= maxViolations {
		return list
	}
	_, location, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	location = pointer(location)
	keyword := location[strings.LastIndexByte(location, '/')+1:]
	// The causes below a choice say why each alternative does not fit, which misleads more than it helps.
	choice := keyword == "anyOf" || keyword == "oneOf" || keyword == "not" || keyword == "contains" || keyword == "minContains"
	if len(e.Causes) > 0 && !choice {
		for _, cause := range e.Causes {
			list = s.violations(cause, instance, list)
		}
		return list
	}
	where := pointer(e.InstanceLocation)
	if keyword == "required" {
		return appendMissing(list, where, textList(lookup(s.root, location)), lookup(instance, where))
	}
	return append(list, Violation{Argument: cut(where), Message: s.sentence(keyword, location, e)})
}

// appendMissing lists the required members that are missing, each at its own pointer.
func appendMissing(list []Violation, where string, required []string, object any) []Violation {
	members, _ := object.(map[string]any)
	for _, name := range required {
		if _, ok := members[name]; !ok && len(list) < maxViolations {
			list = append(list, Violation{Argument: cut(where + "/" + escapePointer(name)), Message: "is required"})
		}
	}
	return list
}

// sentence says what a keyword of the schema asks for.
func (s *schema) sentence(keyword, location string, e *breach) string {
	asked := lookup(s.root, location)
	number := func() string { return cut(compact(asked)) }
	switch keyword {
	case "type":
		return "must be " + strings.Join(typePhrases(asked), " or ")
	case "enum":
		return "must be one of " + enumeration(asked)
	case "const":
		return "must be " + number()
	case "minimum":
		return "must be at least " + number()
	case "exclusiveMinimum":
		return "must be more than " + number()
	case "maximum":
		return "must be at most " + number()
	case "exclusiveMaximum":
		return "must be less than " + number()
	case "multipleOf":
		return "must be a multiple of " + number()
	case "minLength":
		return "must have at least " + number() + " characters"
	case "maxLength":
		return "must have at most " + number() + " characters"
	case "minItems":
		return "must have at least " + number() + " items"
	case "maxItems":
		return "must have at most " + number() + " items"
	case "minProperties":
		return "must have at least " + number() + " members"
	case "maxProperties":
		return "must have at most " + number() + " members"
	case "uniqueItems":
		return "must not hold the same item twice"
	case "pattern":
		return "must match the pattern " + number()
	case "format":
		return "must have the format " + number()
	case "anyOf":
		return "fits none of the alternatives that the schema gives"
	case "oneOf":
		return "must fit exactly one of the alternatives that the schema gives"
	case "not":
		return "has a form that the schema forbids"
	case "additionalProperties":
		names := strings.TrimSuffix(strings.TrimPrefix(e.Message, "additionalProperties "), " not allowed")
		return "has members that the schema does not allow: " + cut(names) + s.allowed(location)
	}
	return "breaks the schema at " + cut(location)
}

// allowed lists the members that the object around location may have.
func (s *schema) allowed(location string) string {
	object, _ := lookup(s.root, strings.TrimSuffix(location, "/additionalProperties")).(map[string]any)
	properties, _ := object["properties"].(map[string]any)
	if len(properties) == 0 {
		return ""
	}
	return "; it allows " + cut(strings.Join(slices.Sorted(maps.Keys(properties)), ", "))
}

func typePhrases(asked any) []string {
	names := textList(asked)
	if one, ok := asked.(string); ok {
		names = []string{one}
	}
	phrases := make([]string, len(names))
	for i, name := range names {
		switch name {
		case "null":
			phrases[i] = "null"
		case "array", "object", "integer":
			phrases[i] = "an " + name
		default:
			phrases[i] = "a " + name
		}
	}
	return phrases
}

// enumeration lists the first values of an enum.
func enumeration(asked any) string {
	const most = 20
	values, _ := asked.([]any)
	var words []string
	for i, v := range values {
		if i == most {
			words = append(words, fmt.Sprintf("… (%d more)", len(values)-most))
			break
		}
		words = append(words, cut(compact(v)))
	}
	return strings.Join(words, ", ")
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(text)
}

// textList gives the texts of a decoded list.
func textList(v any) []string {
	list, _ := v.([]any)
	var texts []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// lookup finds the value that a JSON pointer names in decoded JSON; nil when there is none.
func lookup(v any, pointer string) any {
	if pointer == "" {
		return v
	}
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		step = pointerUnescapes.Replace(step)
		switch container := v.(type) {
		case map[string]any:
			v = container[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(container) {
				return nil
			}
			v = container[i]
		default:
			return nil
		}
	}
	return v
}

// cut keeps names and texts that other people chose short in messages.
func cut(s string) string {
	const most = 200
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}
