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
func readID(_ call, v Value) (form, note string, ok bool) {
	text, ok := scalarText(v)
	if !ok {
		return "", "not a string or a whole number", false
	}
	text = norm.NFC.String(strings.TrimSpace(text))
	if text == "" {
		return "", "blank", false
	}
	return "id " + text, "", true
}
