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
func readEmail(_ call, v Value) (form, note string, ok bool) {
	if v.Type() != String {
		return "", "not a string", false
	}
	address, err := mail.ParseAddress(strings.TrimSpace(v.Text()))
	if err != nil {
		return "", "not one e-mail address", false
	}
	at := strings.LastIndexByte(address.Address, '@')
	if at < 1 {
		return "", "the address has no local part or no domain", false
	}
	domain, err := idna.Lookup.ToASCII(norm.NFC.String(address.Address[at+1:]))
	if err != nil || domain == "" {
		return "", "the domain of the address is not a host name", false
	}
	local := strings.Map(lowerASCII, norm.NFC.String(address.Address[:at]))
	return "email " + local + "@" + domain, "", true
}

// lowerASCII leaves other letters alone: some, such as the dotted capital I, are lowered to an ASCII letter.
func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
