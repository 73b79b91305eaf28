package fingerprint

import (
	"strings"
	"unicode/utf8"
)

// readIBAN reads an international bank account number (ISO 13616).
//
// It joins the printed form with spaces or hyphens and the electronic one, the case of letters, and the word IBAN before
// the number. The check digits must be right (ISO 7064, MOD 97-10). Which countries take part and how long their numbers
// are is not checked, because both change. It keeps apart every two different numbers. One that fails the check may be
// a typing error, and which number was meant nobody knows: it is compared exactly, as are other types.
func readIBAN(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	code, ok := compact(strings.TrimPrefix(strings.TrimPrefix(upperASCII(strings.TrimSpace(v.Text())), "IBAN"), ":"))
	const shortest, longest = 15, 34
	if !ok || len(code) < shortest || len(code) > longest || !isLetter(code[0]) || !isLetter(code[1]) || !isDigit(code[2]) || !isDigit(code[3]) {
		return nil, "not an account number as ISO 13616 writes it", false
	}
	rest := 0
	for i := range len(code) {
		// The country and the check digits count last.
		switch c := code[(i+4)%len(code)]; {
		case isDigit(c):
			rest = (10*rest + int(c-'0')) % 97
		case isLetter(c):
			rest = (100*rest + int(c-'A') + 10) % 97
		default:
			return nil, "not an account number as ISO 13616 writes it", false
		}
	}
	if rest != 1 {
		return nil, "the check digits of the account number are wrong", false
	}
	return append(append(dst, "iban "...), code...), "", true
}

// readCard reads the number of a payment card (ISO/IEC 7812).
//
// It joins the number with spaces or hyphens between its digits, without them, and as a JSON number. All its digits are in
// the form. The check digit must be right (Luhn, annex B). It keeps apart every two different numbers. A number that fails
// the check, is masked ("**** 1111") or has fewer than 12 or more than 19 digits is compared exactly, as are other types.
func readCard(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	text, ok := scalarText(v)
	if !ok {
		return nil, "not a string or a whole number", false
	}
	const shortest, longest = 12, 19
	code, ok := compact(strings.TrimSpace(text))
	if !ok || len(code) < shortest || len(code) > longest || strings.Trim(code, "0123456789") != "" {
		return nil, "not a card number", false
	}
	sum := 0
	for i := range len(code) {
		n := int(code[len(code)-1-i] - '0')
		if i%2 == 1 {
			n *= 2
			n = n/10 + n%10
		}
		sum += n
	}
	if sum%10 != 0 {
		return nil, "the check digit of the card number is wrong", false
	}
	return append(append(dst, "card "...), code...), "", true
}

// compact drops single spaces and hyphens between the characters of an ASCII code, and spaces before it. A hyphen at an
// end may be a sign, and two marks in a row may stand for something that is missing: neither is compacted.
func compact(s string) (string, bool) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
	var b strings.Builder
	gap := true
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' || c == '-':
			if gap {
				return "", false
			}
			gap = true
		case c >= utf8.RuneSelf:
			return "", false
		default:
			b.WriteByte(c)
			gap = false
		}
	}
	return b.String(), !gap
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }

// upperASCII leaves other letters alone: some are raised to an ASCII letter.
func upperASCII(s string) string {
	if !isASCII(s) {
		return s
	}
	return strings.ToUpper(s)
}
