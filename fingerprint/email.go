package fingerprint

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// readEmail reads one e-mail address (RFC 5322, section 3.4, by net/mail).
//
// It joins the case of the domain and its Unicode and ASCII form (IDNA, UTS #46), a display name with none
// ("Ann <a@b.example>"), and the case of ASCII letters in the local part, which RFC 5321 lets a server tell apart and
// hardly any does. It keeps apart dots and +tags in the local part, address literals and addresses without a domain,
// several addresses in one string, and mailto: URLs; what is not one address is compared exactly.
func readEmail(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	dst = append(dst, "email "...)
	text := strings.TrimSpace(v.Text())
	if plain, ok := plainAddress(text); ok {
		return appendLowerASCII(dst, plain), "", true
	}
	local, domain, note := parseAddress(text)
	if note != "" {
		return nil, note, false
	}
	return append(append(appendLowerASCII(dst, local), '@'), domain...), "", true
}

// parseAddress reads any address; note is why it could not.
func parseAddress(text string) (local, domain, note string) {
	address, err := mail.ParseAddress(text)
	if err != nil {
		return "", "", "not one e-mail address"
	}
	at := strings.LastIndexByte(address.Address, '@')
	if at < 1 {
		return "", "", "the address has no local part or no domain"
	}
	domain, err = idna.Lookup.ToASCII(norm.NFC.String(address.Address[at+1:]))
	if err != nil || domain == "" {
		return "", "", "the domain of the address is not a host name"
	}
	return norm.NFC.String(address.Address[:at]), domain, ""
}

// plainAddress finds the address in a text of the form that nearly all have, with an optional name of words before it,
// so that only the others need the general parsers. What it finds is what those would.
func plainAddress(s string) (address string, ok bool) {
	if inner, angled := strings.CutSuffix(s, ">"); angled {
		name, after, found := strings.Cut(inner, "<")
		if !found || strings.IndexFunc(name, func(r rune) bool { return r != ' ' && !isASCIIWord(r) }) >= 0 {
			return "", false
		}
		s = after
	}
	local, domain, found := strings.Cut(s, "@")
	return s, found && isDotted(local, "+_-") && isDotted(domain, "-") && !strings.Contains(domain, "--")
}

// isDotted reports whether s is made of parts with dots between them, each of ASCII letters, digits and the marks, which
// neither begin nor end it. A part has at most 63 bytes, as in a host name.
func isDotted(s, marks string) bool {
	for more := true; more; {
		var part string
		part, s, more = strings.Cut(s, ".")
		if part == "" || len(part) > 63 || strings.Trim(part, marks) != part {
			return false
		}
		for _, r := range part {
			if !isASCIIWord(r) && !strings.ContainsRune(marks, r) {
				return false
			}
		}
	}
	return true
}

func isASCIIWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func appendLowerASCII(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = append(dst, lowerASCII(s[i]))
	}
	return dst
}

// lowerASCII leaves other letters alone: some, such as the dotted capital I, are lowered to an ASCII letter.
func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
