package fingerprint

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// readID reads an identifier that another system gave out.
//
// It joins surrounding white space, the composed and decomposed form of a character (Unicode NFC, UAX #15), and a
// whole number with its digits as a string: 7, 7.0 and "7". It keeps apart case, leading zeros ("007" and "7"), inner
// white space, "7.0" as a string, and everything that only looks alike. Blank strings, fractions and other types are
// compared exactly.
func readID(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	text, ok := scalarText(v)
	if !ok {
		return nil, "not a string or a whole number", false
	}
	text = composed(strings.TrimSpace(text))
	if text == "" {
		return nil, "blank", false
	}
	return append(append(dst, "id "...), text...), "", true
}

// composed is the NFC form of s, which for ASCII is s itself.
func composed(s string) string {
	if isASCII(s) {
		return s
	}
	return norm.NFC.String(s)
}
