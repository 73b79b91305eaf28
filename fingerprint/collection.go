package fingerprint

import (
	"fmt"
	"slices"
	"strings"
)

// The forms of collections are JSON texts that hold the forms of their elements as strings, so that no element can
// imitate the border between two.

// listOf reads a list whose order counts. It joins the spellings of each element, a single string, number or boolean
// with the list of just that, and a list that was written into a string ("[\"a\"]", "['a']") with the list itself.
// It keeps apart null, the empty list and objects, which are compared exactly where they are no list.
func listOf(element reader) reader {
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		forms, note, ok := element.all(in, v)
		if !ok {
			return nil, note, false
		}
		return appendForms(append(dst, "list "...), forms), note, true
	}
}

// setOf reads a list whose order and repetitions do not count; otherwise it is listOf. A set of email or auto also takes a string
// of several addresses ("a@x.example, b@x.example") for the set of them.
func setOf(element reader) reader {
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		forms, note, ok := element.all(in, v)
		if !ok {
			return nil, note, false
		}
		slices.Sort(forms)
		return appendForms(append(dst, "set "...), slices.Compact(forms)), note, true
	}
}

// mapOf reads an object with names of the caller's choice. It joins the spellings of each value; names are exact and a
// member that is null is not an absent one. Other types are compared exactly.
func mapOf(element reader) reader {
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		if v.Type() != Object {
			return nil, "not an object", false
		}
		dst = append(dst, "map {"...)
		var space [256]byte
		for i := range v.Len() {
			m := v.sorted(i)
			if i > 0 {
				dst = append(dst, ',')
			}
			f, n := element.normalise(space[:0], in, m)
			dst = appendQuoted(append(appendQuoted(dst, m.name()), ':'), string(f))
			if note == "" && n != "" {
				note = fmt.Sprintf("member %.40q: %s", m.name(), n)
			}
		}
		return append(dst, '}'), note, true
	}
}

// all reads the elements of a list. The first note of an element is the note of the whole.
func (read reader) all(in call, v Value) (forms []string, note string, ok bool) {
	list, single, ok := asList(v)
	if !ok {
		return nil, "not a list", false
	}
	var space [256]byte
	if single {
		form, note := read.normalise(space[:0], in, v)
		return []string{string(form)}, note, true
	}
	forms = make([]string, list.Len())
	for i := range forms {
		form, n := read.normalise(space[:0], in, list.Elem(i))
		forms[i] = string(form)
		if note == "" && n != "" {
			note = fmt.Sprintf("element %d: %s", i, n)
		}
	}
	return forms, note, true
}

// asList returns the array that v is or spells, or says that v is a single element.
func asList(v Value) (list Value, single, ok bool) {
	switch v.Type() {
	case Array:
		return v, false, true
	case String:
		if list, ok := listText(v.Text()); ok {
			return list, false, true
		}
		return Value{}, true, true
	case Number, Bool:
		return Value{}, true, true
	default:
		return Value{}, false, false
	}
}

// listText reads a list that a model wrote into a string: JSON, or what Python prints for a list of simple strings, or of
// numbers and constants.
func listText(s string) (Value, bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return Value{}, false
	}
	list, err := Decode([]byte(s), Limits{})
	if err != nil && !strings.ContainsAny(s, `"\`) {
		if !strings.Contains(s, "'") {
			s = pythonWords.Replace(s)
		}
		list, err = Decode([]byte(strings.ReplaceAll(s, "'", `"`)), Limits{})
	}
	return list, err == nil
}

// pythonWords are replaced only where there are no strings, which could hold them.
var pythonWords = strings.NewReplacer("True", "true", "False", "false", "None", "null")

func appendForms(dst []byte, forms []string) []byte {
	dst = append(dst, '[')
	for i, f := range forms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, f)
	}
	return append(dst, ']')
}
