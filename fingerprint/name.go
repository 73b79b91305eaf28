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
// It joins what appendFolded joins, and a single hyphen between two letters with a space ("Front-end" and "Front end").
// It keeps apart accents, other punctuation, hyphens beside a digit ("7-8" and "7 8"), word order, and superscript, circled
// and fraction digits from plain ones. Blank strings and other types are compared exactly; a whole number is its digits.
func readName(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	text, ok := scalarText(v)
	if !ok {
		return nil, "not a string or a whole number", false
	}
	dst = append(dst, "name "...)
	form = appendFolded(dst, text)
	if len(form) == len(dst) {
		return nil, "blank", false
	}
	foldSeparators(form[len(dst):], "-", unicode.IsLetter)
	return form, "", true
}

// compileEnum reads one of a few words that a program knows.
//
// It joins what appendFolded joins, a single hyphen or underscore between two letters or digits with a space ("in-progress",
// "IN_PROGRESS", "In progress"), and the aliases of the rule with their canonical value. It keeps apart words that are
// run together ("inProgress") and hyphens in any other place ("-1" and "1"). Blank strings and other types are
// compared exactly; a whole number is its digits.
func compileEnum(a *declared) (reader, error) {
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
	return func(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
		text, ok := scalarText(v)
		if !ok {
			return nil, "not a string or a whole number", false
		}
		dst = append(dst, "enum "...)
		form = appendFoldedEnum(dst, text)
		folded := form[len(dst):]
		if len(folded) == 0 {
			return nil, "blank", false
		}
		if value, known := canonical[string(folded)]; known {
			form = append(dst, value...)
		}
		return form, "", true
	}, nil
}

func foldEnum(s string) string { return string(appendFoldedEnum(nil, s)) }

// appendFoldedEnum is appendFolded with the separators of words folded.
func appendFoldedEnum(dst []byte, s string) []byte {
	form := appendFolded(dst, s)
	foldSeparators(form[len(dst):], "-_", isWord)
	return form
}

// foldSeparators makes spaces of the marks that stand alone between two characters of words.
func foldSeparators(text []byte, marks string, ofWord func(rune) bool) {
	for i, c := range text {
		if strings.IndexByte(marks, c) < 0 {
			continue
		}
		before, _ := utf8.DecodeLastRune(text[:i])
		after, _ := utf8.DecodeRune(text[i+1:])
		if ofWord(before) && ofWord(after) {
			text[i] = ' '
		}
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }

// appendFolded joins the spellings of a text that people do not tell apart: case and compatibility forms (Unicode NFKC with
// full case folding, UAX #15 and #31), runs of white space, curly and straight quotes, the dashes and the hyphen, and
// invisible characters that only guide the layout.
func appendFolded(dst []byte, s string) []byte {
	if isASCII(s) {
		return appendFoldedASCII(dst, s)
	}
	s = compose(strings.Map(foldRune, s))
	s = compose(cases.Fold().String(s))
	return append(dst, strings.Join(strings.Fields(strings.Map(foldRune, s)), " ")...)
}

// appendFoldedASCII is appendFolded for what most texts are: only case and white space are left to fold.
func appendFoldedASCII(dst []byte, s string) []byte {
	start, gap := len(dst), false
	for i := range len(s) {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\v', '\f', '\r':
			gap = len(dst) > start
		default:
			if gap {
				dst, gap = append(dst, ' '), false
			}
			dst = append(dst, lowerASCII(c))
		}
	}
	return dst
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
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
