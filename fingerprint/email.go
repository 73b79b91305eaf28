package fingerprint

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// compileEmail reads one e-mail address (RFC 5322, section 3.4, by net/mail).
//
// It joins the case of the domain and its Unicode and ASCII form (IDNA, UTS #46), a display name with none
// ("Ann <a@b.example>"), and the case of ASCII letters in the local part. RFC 5321, section 2.4, lets a server tell that
// case apart, but warns against it and hardly any does, while models and address books write it as they like. With
// Providers, mailboxes of these domains are joined over dots in the local part and what follows a plus sign, as Gmail
// delivers them; googlemail.com is then gmail.com, where gmail.com is one of them.
//
// It keeps apart dots and +tags elsewhere, address literals and addresses without a domain, several addresses in one
// string (which a set of email takes apart), and mailto: URLs; what is not one address is compared exactly.
func compileEmail(a *declared) (reader, error) {
	if len(a.Providers) == 0 {
		return readEmail, nil
	}
	providers, err := parseProviders(a.Providers)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		start := len(dst) + len("email ")
		if dst, note, ok = readEmail(dst, in, v); !ok {
			return nil, note, false
		}
		at := start + bytes.LastIndexByte(dst[start:], '@')
		mailbox, provided := providers[string(dst[at+1:])]
		if !provided {
			return dst, "", true
		}
		local := foldMailbox(string(dst[start:at]))
		return append(append(append(dst[:start], local...), '@'), mailbox...), "", true
	}, nil
}

// parseProviders maps each domain to the one under which its mailboxes are compared.
func parseProviders(domains []string) (map[string]string, error) {
	providers := make(map[string]string, len(domains))
	for _, d := range domains {
		domain, err := idna.Lookup.ToASCII(strings.TrimSpace(d))
		if err != nil || !strings.Contains(domain, ".") {
			return nil, fmt.Errorf("providers: %q is not a domain such as gmail.com", d)
		}
		providers[domain] = domain
	}
	if _, listed := providers["gmail.com"]; listed {
		providers["googlemail.com"] = "gmail.com"
	}
	return providers, nil
}

// foldMailbox drops the dots and the tag of a local part. Nothing is dropped where nothing or a quoted text would be left.
func foldMailbox(local string) string {
	mailbox, _, _ := strings.Cut(local, "+")
	mailbox = strings.ReplaceAll(mailbox, ".", "")
	if mailbox == "" || !isDotted(mailbox, "_-") {
		return local
	}
	return mailbox
}

// readEmail reads an address without the rules of a provider.
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

// takingAddresses makes the reader of a set, of email or auto, take a string of several addresses.
func takingAddresses(set reader) reader {
	return func(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
		if list, several := addressList(v.Text()); several {
			v = list
		}
		return set(dst, in, v)
	}
}

// addressList takes a string of several addresses apart. Commas (RFC 5322, section 3.4) and semicolons, which mail
// programs use for them, cannot stand in an address unless it is quoted, and quoted texts are left alone.
func addressList(s string) (list Value, ok bool) {
	if !strings.ContainsAny(s, ",;") || strings.ContainsAny(s, "\"\\(") {
		return Value{}, false
	}
	text := []byte{'['}
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if _, plain := plainAddress(part); !plain {
			if _, _, note := parseAddress(part); note != "" {
				return Value{}, false
			}
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = appendQuoted(text, part)
	}
	list, err := Decode(append(text, ']'), Limits{})
	return list, err == nil && list.Len() > 0
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
