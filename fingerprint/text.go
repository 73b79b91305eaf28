package fingerprint

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// appendWords appends the form of kind text, for a text that people write for people: a message, a subject, a note. It is
// the words with one space between two.
//
// It joins Unicode compatibility forms (NFKC, UAX #15), curly and straight quotes, the dashes U+2010 to U+2015 and the
// minus sign with the hyphen, and all runs of white space with one space, those at the ends with none. Format
// characters (category Cf) and variation selectors for emoji are dropped, but for the marks that stand before a number
// and are seen. A newline that was escaped twice and so arrived as a backslash and an n is white space, unless the text
// has other backslashes that no JSON string would have: then it is a path, a pattern or TeX. Case is folded (full case
// folding) in words that are just words.
//
// It keeps apart punctuation, word order, digits, signs and spellings of a number ("10.000", "10,000", "5", "$5",
// "+5"); superscript, circled and fraction digits from plain ones; and the case of whatever may be a code or an address:
// words with a digit, an underscore or a slash, words with a capital after a small letter, and links. A password or the
// path of a link is then never joined with another one. Blank strings and other types are compared exactly.
func appendWords(dst []byte, s string) []byte {
	if !isASCII(s) {
		s = strings.Map(foldRune, compose(strings.Map(foldTextRune, s)))
	}
	start := len(dst)
	for word := range strings.FieldsSeq(unescapeNewlines(s)) {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = appendWord(dst, word)
	}
	return dst
}

func appendWord(dst []byte, word string) []byte {
	switch {
	case mayBeCode(word):
		return append(dst, word...)
	case isASCII(word):
		return appendLowerASCII(dst, word)
	default:
		return append(dst, strings.Map(foldRune, compose(cases.Fold().String(word)))...)
	}
}

// mayBeCode reports whether the case of a word may carry meaning.
func mayBeCode(word string) bool {
	small := false
	for _, r := range word {
		switch {
		case r >= '0' && r <= '9', r == '_', r == '/', r == '\\':
			return true
		case r >= utf8.RuneSelf && unicode.IsNumber(r):
			return true
		case small && unicode.IsUpper(r):
			return true
		}
		small = unicode.IsLower(r)
	}
	return len(word) > 4 && strings.EqualFold(word[:4], "www.")
}

// foldTextRune is foldRune for texts, which may hold any format character.
func foldTextRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r == 0xFE0E, r == 0xFE0F:
		return -1
	case unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return -1
	default:
		return foldRune(r)
	}
}

// unescapeNewlines puts a newline for each one that was escaped once too often, with however many backslashes. A text in
// which another backslash stands before anything but what JSON escapes with it is left alone.
func unescapeNewlines(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for rest := s; ; {
		at := strings.IndexByte(rest, '\\')
		if at < 0 {
			return b.String() + rest
		}
		b.WriteString(rest[:at])
		after := strings.TrimLeft(rest[at:], `\`)
		switch {
		case strings.HasPrefix(after, "n") && !isTeXNegation(after):
			b.WriteByte('\n')
			rest = after[1:]
		case strings.HasPrefix(after, `r\`):
			rest = after[1:]
		case after != "" && strings.IndexByte(`"'/t`, after[0]) >= 0:
			b.WriteString(rest[at : len(rest)-len(after)+1])
			rest = after[1:]
		default:
			return s
		}
	}
}

// isTeXNegation recognises the commands \ne, \neq, \neg and \not by what follows their backslash: without it they would
// say the opposite.
func isTeXNegation(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(s)
	}
	switch s[:end] {
	case "ne", "neq", "neg", "not":
		return true
	}
	return false
}
