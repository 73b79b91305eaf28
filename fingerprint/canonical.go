package fingerprint

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendCanonical appends the canonical form of v, one JSON text for all spellings of a value:
//
//   - no white space; the members of an object sorted by the UTF-8 bytes of their names;
//   - numbers as Decimal.String writes them, exactly;
//   - strings with the escapes \" \\ \b \t \n \f \r and \u00xx (lower-case) for the other control characters below
//     U+0020, and everything else as it is. No Unicode normalisation.
//
// It differs from RFC 8785 in two places: numbers stay exact where that one rounds them to float64 and so gives
// 9007199254740993 and 9007199254740992 one form, and names are sorted by UTF-8 bytes instead of UTF-16 units.
func (v Value) AppendCanonical(dst []byte) []byte {
	switch v.Type() {
	case Bool:
		return append(dst, v.raw()...)
	case Number:
		if raw := v.raw(); isCanonicalNumber(raw) {
			return append(dst, raw...)
		}
		return v.Number().append(dst)
	case String:
		if raw := v.raw(); strings.IndexByte(raw, '\\') < 0 {
			return append(dst, raw...) // Without escapes there is nothing to escape otherwise.
		}
		return appendQuoted(dst, v.Text())
	case Array:
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Elem(i).AppendCanonical(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			m := v.sorted(i)
			dst = append(appendQuoted(dst, m.name()), ':')
			dst = m.AppendCanonical(dst)
		}
		return append(dst, '}')
	default:
		return append(dst, "null"...)
	}
}

// isCanonicalNumber recognises the numbers that Decimal.String would write as they are, as nearly all come: a few digits
// without an exponent, and no zero at the end of a fraction.
func isCanonicalNumber(raw string) bool {
	if len(raw) > maxPadding || raw == "-0" {
		return false
	}
	point := false
	for i := range len(raw) {
		switch raw[i] {
		case '.':
			point = true
		case 'e', 'E':
			return false
		}
	}
	return !point || raw[len(raw)-1] != '0'
}

// appendQuoted appends s as a JSON string with minimal escapes. s is valid UTF-8, as decoded text is and every form made
// of it.
func appendQuoted(dst []byte, s string) []byte {
	quoted := append(append(append(dst, '"'), s...), '"')
	if plainLength(quoted[len(dst)+1:]) == len(s) {
		return quoted
	}
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
