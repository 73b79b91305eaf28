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
	if strings.ContainsAny(s, "\\\uFE68\uFF3C") { // with the wide ones, which fold to a backslash
		return appendFoldedWords(dst, len(dst), unescapeNewlines(foldText(s)))
	}
	// Nothing composes across an ASCII space, so that each piece between two can be folded by itself. Nearly all are ASCII.
	start := len(dst)
	for s != "" {
		end, ascii := 0, true
		for end < len(s) && !asciiSpace[s[end]] {
			ascii = ascii && s[end] < utf8.RuneSelf
			end++
		}
		piece := s[:end]
		s = s[min(end+1, len(s)):]
		switch {
		case piece == "":
		case ascii:
			dst = appendASCIIWord(appendBetween(dst, start), piece)
		default:
			var space [64]byte
			if plain, ok := appendPlain(space[:0], piece); ok {
				dst = appendASCIIWord(appendBetween(dst, start), plain)
			} else {
				dst = appendFoldedWords(dst, start, foldText(piece))
			}
		}
	}
	return dst
}

// appendPlain folds a word whose only other characters are quotes and dashes. It reports whether that was so.
func appendPlain(dst []byte, word string) ([]byte, bool) {
	for _, r := range word {
		if r >= 0x2010 && r <= 0x201F {
			r = foldRune(r)
		}
		if r >= utf8.RuneSelf || r <= ' ' {
			return nil, false
		}
		dst = append(dst, byte(r))
	}
	return dst, true
}

var asciiSpace = [256]bool{' ': true, '\t': true, '\n': true, '\v': true, '\f': true, '\r': true}

func foldText(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(foldRune, compose(strings.Map(foldTextRune, s)))
}

// appendFoldedWords appends the words of a text that foldText has folded. start is where the form begins.
func appendFoldedWords(dst []byte, start int, s string) []byte {
	for word := range strings.FieldsSeq(s) {
		dst = appendWord(appendBetween(dst, start), word)
	}
	return dst
}

func appendBetween(dst []byte, start int) []byte {
	if len(dst) > start {
		return append(dst, ' ')
	}
	return dst
}

// appendASCIIWord is appendWord for ASCII, in one pass.
func appendASCIIWord[T string | []byte](dst []byte, word T) []byte {
	start, small := len(dst), false
	for i := range len(word) {
		c := word[i]
		upper := c >= 'A' && c <= 'Z'
		if c >= '0' && c <= '9' || c == '_' || c == '/' || small && upper {
			return append(dst[:start], word...)
		}
		small = c >= 'a' && c <= 'z'
		dst = append(dst, lowerASCII(c))
	}
	if len(word) > 4 && string(dst[start:start+4]) == "www." {
		return append(dst[:start], word...)
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
