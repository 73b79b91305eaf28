package fingerprint

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the tokens of a JSON text (RFC 8259) whose UTF-8 has been checked. Where a token is not as it must be,
// its methods return false and nothing more is read.
type scanner struct {
	text      []byte
	at        int
	unescaped []byte // the texts of the strings with escapes, one behind the other
}

// span is a part of a text or, with a negative start, the part of unescaped that begins at ^start.
type span struct{ start, end int32 }

func (s *scanner) bytes(p span) []byte {
	if p.start < 0 {
		return s.unescaped[^p.start:p.end]
	}
	return s.text[p.start:p.end]
}

func (s *scanner) compare(p, q span) int { return bytes.Compare(s.bytes(p), s.bytes(q)) }

// skip goes on to the next byte that is not white space and returns it, 0 at the end. No token begins with 0.
func (s *scanner) skip() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) literal(word string) bool {
	end := s.at + len(word)
	if end > len(s.text) || string(s.text[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// number reads a number of at most so many digits whose exponent is within ±maxExponent.
func (s *scanner) number(most int) bool {
	if s.peek() == '-' {
		s.at++
	}
	zero := s.peek() == '0'
	digits := s.digits()
	if digits == 0 || zero && digits > 1 {
		return false
	}
	if s.peek() == '.' {
		s.at++
		fraction := s.digits()
		if fraction == 0 {
			return false
		}
		digits += fraction
	}
	if s.peek()|0x20 == 'e' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		start := s.at
		exponent := s.digits()
		if exponent == 0 || !isExponent(s.text[start:s.at]) {
			return false
		}
		digits += exponent
	}
	return digits <= most
}

func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// digits skips digits and returns how many there were.
func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.text) && isDigit(s.text[s.at]) {
		s.at++
	}
	return s.at - start
}

func isExponent(digits []byte) bool {
	n := 0
	for _, c := range digits {
		if n = 10*n + int(c-'0'); n > maxExponent {
			return false
		}
	}
	return true
}

// special marks the bytes that end a plain stretch of a JSON string: its end, an escape, and what must be escaped.
var special = func() (marks [256]bool) {
	for c := range ' ' {
		marks[c] = true
	}
	marks['"'], marks['\\'] = true, true
	return marks
}()

// plainLength returns how many bytes of s come before the first special one. It looks at eight bytes at a time: for each of the three
// conditions, the lowest byte of a word whose top bit is set in the mask is the first that meets it.
func plainLength(s []byte) int {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		quote, escape := w^each*'"', w^each*'\\'
		found := ((w-each*' ')&^w | (quote-each)&^quote | (escape-each)&^escape) & tops
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if special[s[i]] {
			return i
		}
	}
	return len(s)
}

// string reads a string and returns where its text is.
func (s *scanner) string() (span, bool) {
	start := s.at + 1
	end := start + plainLength(s.text[start:])
	if end == len(s.text) || s.text[end] < ' ' {
		return span{}, false
	}
	if s.text[end] == '\\' {
		return s.escaped(start, end)
	}
	s.at = end + 1
	return span{int32(start), int32(end)}, true
}

// escaped reads the rest of a string that begins at start and has its first escape at end.
func (s *scanner) escaped(start, end int) (span, bool) {
	begin := int32(len(s.unescaped))
	for end < len(s.text) {
		s.unescaped = append(s.unescaped, s.text[start:end]...)
		switch s.text[end] {
		case '"':
			s.at = end + 1
			return span{^begin, int32(len(s.unescaped))}, true
		case '\\':
			size := s.escape(s.text[end:])
			if size == 0 {
				return span{}, false
			}
			start = end + size
			end = start + plainLength(s.text[start:])
		default:
			return span{}, false // a control character
		}
	}
	return span{}, false
}

// escape reads the escape that rest begins with and returns its length, 0 when it is none.
func (s *scanner) escape(rest []byte) int {
	if len(rest) < 2 {
		return 0
	}
	c := rest[1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, size := unicodeEscape(rest)
		s.unescaped = utf8.AppendRune(s.unescaped, r)
		return size
	default:
		return 0
	}
	s.unescaped = append(s.unescaped, c)
	return 2
}

// unicodeEscape reads \uXXXX, or the two of them that make a surrogate pair. One half of a pair is no escape.
func unicodeEscape(rest []byte) (r rune, size int) {
	const length, pair = len(`\u0000`), 2 * len(`\u0000`)
	high, ok := hexEscape(rest)
	switch {
	case !ok || high >= 0xDC00 && high <= 0xDFFF:
		return 0, 0
	case high < 0xD800 || high > 0xDFFF:
		return high, length
	}
	low, ok := hexEscape(rest[length:])
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return utf16.DecodeRune(high, low), pair
}

func hexEscape(rest []byte) (r rune, ok bool) {
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return 0, false
	}
	for _, c := range rest[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
