package fingerprint

import "strings"

// readAuto reads a value of which nothing is known but its JSON type and shape. It is the kind of the arguments that
// Infer has no better one for.
//
// It joins the spellings of a date or time that begins with year, month and day as ISO 8601 writes them ("2024-05-19
// 13:00", "2024-05-19T13:00:00"), the spellings of one plain e-mail address with a dot in its domain, and a list of
// scalars with the same list written into a string. Elements of lists are read in the same way, and so are members of
// objects, unless Infer has a kind for the member's name that is neither a text nor a collection.
//
// Everything else is compared exactly, a number and a string that holds it above all: without a name nobody can say
// whether "007" is a quantity. So are the string "a" and the list ["a"].
func readAuto(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
	switch list := autoList(v); {
	case !list.IsZero():
		return appendAutoList(append(dst, "list "...), in, list), "", true
	case v.Type() == Object:
		return appendAutoObject(append(dst, "map "...), in, v), "", true
	case v.Type() == String && beginsWithDate(v.Text()):
		if m, fault := parseMoment(v.Text()); fault == "" {
			return m.append(dst), "", true
		}
	case v.Type() == String && isPlainMailbox(v.Text()):
		return readEmail(dst, in, v)
	}
	return appendExact(dst, v), "", true
}

// autoList returns the array that v is, or a list of scalars that it spells; else the zero Value.
func autoList(v Value) Value {
	if v.Type() == Array {
		return v
	}
	if v.Type() != String || !strings.HasPrefix(v.Text(), "[") {
		return Value{}
	}
	list, ok := listText(v.Text())
	if !ok {
		return Value{}
	}
	for i := range list.Len() {
		if t := list.Elem(i).Type(); t == Array || t == Object {
			return Value{}
		}
	}
	return list
}

// The forms of nested values are JSON in which every leaf is a string that holds the leaf's form. Leaves are quoted once,
// at whatever depth they are, so that the form stays in proportion to the value.

func appendAutoList(dst []byte, in call, list Value) []byte {
	dst = append(dst, '[')
	for i := range list.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendAutoPart(dst, in, list.Elem(i), readAuto)
	}
	return append(dst, ']')
}

func appendAutoObject(dst []byte, in call, v Value) []byte {
	dst = append(dst, '{')
	for i := range v.Len() {
		m := v.sorted(i)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, m.name()), ':')
		dst = appendAutoPart(dst, in, m, guessOf(m.name()).nested())
	}
	return append(dst, '}')
}

// appendAutoPart appends the form of an element or member; scalars are read with read.
func appendAutoPart(dst []byte, in call, v Value, read reader) []byte {
	if list := autoList(v); !list.IsZero() {
		return appendAutoList(dst, in, list)
	}
	if v.Type() == Object {
		return appendAutoObject(dst, in, v)
	}
	var space [256]byte
	form, _ := read.normalise(space[:0], in, v)
	return appendQuoted(dst, string(form))
}

// beginsWithDate reports whether s begins as 2024-05-19 does, and with no character that continues it.
func beginsWithDate(s string) bool {
	const layout = "dddd-dd-dd"
	if len(s) < len(layout) {
		return false
	}
	for i := range len(layout) {
		if c := s[i]; layout[i] == 'd' && (c < '0' || c > '9') || layout[i] == '-' && c != '-' {
			return false
		}
	}
	return len(s) == len(layout) || strings.IndexByte("Tt ", s[len(layout)]) >= 0
}

// isPlainMailbox reports whether s is an e-mail address of the form that nearly all have, and nothing else.
func isPlainMailbox(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 1 || !strings.Contains(s[at:], ".") || strings.HasSuffix(s, ">") {
		return false
	}
	_, plain := plainAddress(s)
	return plain
}
