package fingerprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// readName reads a name that people write: of a person, a channel, a folder.
//
// It joins what foldText joins. It keeps apart accents, punctuation, word order, and superscript, circled and
// fraction digits from plain ones. Blank strings and other types are compared exactly; a whole number is its digits.
func readName(_ call, v Value) (form, note string, ok bool) {
	text, ok := scalarText(v)
	if !ok {
		return "", "not a string or a whole number", false
	}
	text = foldText(text)
	if text == "" {
		return "", "blank", false
	}
	return "name " + text, "", true
}

// compileEnum reads one of a few words that a program knows.
//
// It joins what foldText joins, a single hyphen or underscore between two letters or digits with a space ("in-progress",
// "IN_PROGRESS", "In progress"), and the aliases of the rule with their canonical value. It keeps apart words that are
// run together ("inProgress") and hyphens in any other place ("-1" and "1"). Blank strings and other types are
// compared exactly; a whole number is its digits.
func compileEnum(a Argument) (reader, error) {
	canonical := make(map[string]string, len(a.Aliases))
	enter := func(spelling, value string) error {
		key, target := foldEnum(spelling), foldEnum(value)
		if key == "" || target == "" {
			return errors.New("aliases: a value is blank")
		}
		if other, taken := canonical[key]; taken && other != target {
			return fmt.Errorf("aliases: %q stands for both %q and %q", spelling, other, target)
		}
		canonical[key] = target
		return nil
	}
	values := make([]string, 0, len(a.Aliases))
	for value := range a.Aliases {
		values = append(values, value)
	}
	slices.Sort(values)
	for _, value := range values {
		for _, spelling := range append([]string{value}, a.Aliases[value]...) {
			if err := enter(spelling, value); err != nil {
				return nil, err
			}
		}
	}
	return func(_ call, v Value) (form, note string, ok bool) {
		text, ok := scalarText(v)
		if !ok {
			return "", "not a string or a whole number", false
		}
		folded := foldEnum(text)
		if folded == "" {
			return "", "blank", false
		}
		if value, known := canonical[folded]; known {
			folded = value
		}
		return "enum " + folded, "", true
	}, nil
}

// foldEnum is foldText with the separators of words folded.
func foldEnum(s string) string {
	s = foldText(s)
	if !strings.ContainsAny(s, "-_") {
		return s
	}
	runes := []rune(s)
	for i := 1; i < len(runes)-1; i++ {
		if (runes[i] == '-' || runes[i] == '_') && isWord(runes[i-1]) && isWord(runes[i+1]) {
			runes[i] = ' '
		}
	}
	return string(runes)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }

// foldText joins the spellings of a text that people do not tell apart: case and compatibility forms (Unicode NFKC with
// full case folding, UAX #15 and #31), runs of white space, curly and straight quotes, the dashes and the hyphen, and
// invisible characters that only guide the layout.
func foldText(s string) string {
	if isASCII(s) {
		return collapse(strings.ToLower(s))
	}
	s = compose(strings.Map(foldRune, s))
	s = compose(cases.Fold().String(s))
	return collapse(strings.Map(foldRune, s))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// collapse trims s and makes each run of white space one space.
func collapse(s string) string {
	if !strings.ContainsAny(s, "\t\n\v\f\r\u0085\u00a0\u1680\u2028\u2029") && !strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	return strings.Join(strings.Fields(s), " ")
}

// compose applies NFKC to everything but the numerals that are not digits (category No): it would make "10²" of the
// text "102".
func compose(s string) string {
	isNumeral := func(r rune) bool { return unicode.Is(unicode.No, r) }
	if strings.IndexFunc(s, isNumeral) < 0 {
		return norm.NFKC.String(s)
	}
	var b strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, isNumeral)
		if end < 0 {
			end = len(s)
		}
		b.WriteString(norm.NFKC.String(s[:end]))
		_, size := utf8.DecodeRuneInString(s[end:])
		b.WriteString(s[end : end+size])
		s = s[end+size:]
	}
	return b.String()
}

// foldRune folds punctuation that NFKC keeps apart, or that it would take apart.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r == '‘' || r == '’' || r == '‚' || r == '‛' || r == 'ʼ' || r == '´' || r == '′':
		return '\''
	case r == '“' || r == '”' || r == '„' || r == '‟' || r == '″':
		return '"'
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212:
		return '-'
	case r == 0x00AD, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x2069, r == 0xFEFF:
		return -1
	// The folding of x/text swaps the two cases of Cherokee letters; Unicode folds them to the capitals.
	case r >= 0xAB70 && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case r >= 0x13F8 && r <= 0x13FD:
		return r - 8
	default:
		return r
	}
}
