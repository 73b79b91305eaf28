package fingerprint

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Kind is how an argument is normalised. The zero Kind is "exact". Kinds are comparable with ==.
//
// KindNames lists the base kinds; the doc comment of each one's reader says what it joins, where the rule comes from and
// what it deliberately keeps apart. "list of K", "set of K" and "map of K" apply a kind to each element; "list", "set" and
// "map" alone mean "of exact" or, where the argument has Fields, "of object".
type Kind struct {
	name string // as String writes it; "" is exact
}

// maxKindDepth bounds how many lists, sets and maps a kind may nest.
const maxKindDepth = 4

// families lists the base kinds. compile checks the options that belong to the kind.
var families = []struct {
	name    string
	compile func(*declared) (reader, error)
}{
	{"exact", plain(readExact)},
	{"id", plain(readID)},
	{"name", plain(readName)},
	{"enum", compileEnum},
	{"number", plain(readNumber)},
	{"money", compileMoney},
	{"bool", plain(readBool)},
	{"email", compileEmail},
	{"datetime", compileDatetime},
	{"date", plain(readDate)},
	{"url", plain(readURL)},
	{"percent", plain(readPercent)},
	{"duration", plain(readDuration)},
	{"phone", compilePhone},
	{"country", plain(readCountry)},
	{"language", plain(readLanguage)},
	{"path", plain(readPath)},
	{"command", plain(readCommand)},
	{"iban", plain(readIBAN)},
	{"card", plain(readCard)},
	{"json", plain(readJSON)},
	{"object", compileObject},
	{"text", plain(textReader("text"))},
	{"markdown", plain(textReader("markdown"))},
	{"html", plain(textReader("html"))},
	{"auto", plain(readAuto)},
}

// collections lists the kinds that hold others.
var collections = []struct {
	name string
	wrap func(reader) reader
}{
	{"list", listOf},
	{"set", setOf},
	{"map", mapOf},
}

// KindNames returns the names of the base kinds and of the collections, for documentation and for schemas of policies.
func KindNames() (base, of []string) {
	for _, f := range families {
		base = append(base, f.name)
	}
	for _, c := range collections {
		of = append(of, c.name)
	}
	return base, of
}

// ParseKind reads a kind such as "id", "money" or "set of email". The error names the nearest kind.
func ParseKind(s string) (Kind, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Kind{}, fmt.Errorf("the kind is empty; leave it out for \"exact\"")
	}
	depth := 0
	for ; isCollection(words[depth]); depth++ {
		if depth+1 == len(words) {
			words = append(words, "of", "exact")
		}
		if words[depth+1] != "of" || depth+2 == len(words) {
			return Kind{}, fmt.Errorf("kind %q: after %q write \"of\" and a kind, such as %q", s, words[depth], words[depth]+" of email")
		}
		words = append(words[:depth+1], words[depth+2:]...)
		if depth == maxKindDepth {
			return Kind{}, fmt.Errorf("kind %q nests more than %d collections", s, maxKindDepth)
		}
	}
	base := words[depth]
	if !isBase(base) {
		base, of := KindNames()
		all := append(base, of...)
		return Kind{}, fmt.Errorf("unknown kind %q%s; the kinds are %s", words[depth], nearest(words[depth], all), strings.Join(all, ", "))
	}
	if depth+1 < len(words) {
		return Kind{}, fmt.Errorf("kind %q: unexpected %q after %q", s, words[depth+1], base)
	}
	if depth == 0 && base == "exact" {
		return Kind{}, nil
	}
	return Kind{strings.Join(words, " of ")}, nil
}

func isBase(name string) bool {
	for _, f := range families {
		if f.name == name {
			return true
		}
	}
	return false
}

func isCollection(name string) bool {
	for _, c := range collections {
		if c.name == name {
			return true
		}
	}
	return false
}

// String returns the kind as ParseKind reads it.
func (k Kind) String() string {
	if k.name == "" {
		return "exact"
	}
	return k.name
}

// base returns the innermost kind.
func (k Kind) base() string {
	s := k.String()
	return s[strings.LastIndexByte(s, ' ')+1:]
}

// MarshalText writes the kind as String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind as ParseKind does.
func (k *Kind) UnmarshalText(text []byte) error {
	parsed, err := ParseKind(string(text))
	if err == nil {
		*k = parsed
	}
	return err
}

// compile makes the reader of an argument's kind under its options.
func (k Kind) compile(a *declared) (reader, error) {
	names := strings.Split(k.String(), " of ")
	base := names[len(names)-1]
	for _, f := range families {
		if f.name != base {
			continue
		}
		read, err := f.compile(a)
		if err != nil {
			return nil, err
		}
		read = apart(read, a)
		for i := len(names) - 2; i >= 0; i-- {
			for _, c := range collections {
				if c.name == names[i] {
					read = c.wrap(read)
				}
			}
			if names[i] == "set" && (names[i+1] == "email" || names[i+1] == "auto") {
				read = takingAddresses(read)
			}
		}
		return read, nil
	}
	return nil, fmt.Errorf("unknown kind %q", k)
}

// nearest returns `, did you mean "x"?` for the name in names that is at most two edits away from s, else "".
func nearest(s string, names []string) string {
	const most = 2
	best, distance := "", most+1
	for _, name := range names {
		if d := levenshtein.ComputeDistance(s, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}
