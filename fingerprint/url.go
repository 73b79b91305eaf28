package fingerprint

import (
	"strings"

	"github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/publicsuffix"
)

// readURL reads an absolute URL (WHATWG URL Standard).
//
// It joins what that standard parses alike: the case of scheme and host, Unicode and ASCII host names, a default port,
// dot segments, a missing path. It drops an empty fragment and one that quotes a text (":~:text=…"). Other fragments
// stay, because nothing tells a place in a page from the state of an application: "#inbox" and "#sent" are two.
//
// A host name without a scheme ("www.shop.example.com/a") is read as http, as curl and wget read it. It could not be joined with
// https as well: then http and https would be one, which they are not. The host must end in a top-level domain
// that exists, so that few file names are taken for hosts. Other texts without a scheme and "//" are compared exactly.
//
// It keeps apart the order of query parameters, http and https, a trailing slash, "www.", the case of the path and other
// escapes of it.
func readURL(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	text := strings.TrimSpace(v.Text())
	if i := strings.Index(text, "://"); i < 1 || strings.ContainsAny(text[:i], "/?#") {
		if !beginsWithHost(text) {
			return nil, "not an absolute URL with a scheme and //", false
		}
		text, note = "http://"+text, "no scheme; read as http"
	}
	dst = append(dst, "url "...)
	if form, plain := appendPlainURL(dst, text); plain {
		return form, note, true
	}
	u, err := url.Parse(text)
	if err != nil || u.Host() == "" && u.Protocol() != "file:" {
		return nil, "not a valid URL", false
	}
	return append(dst, u.Href(isAnchor(u.Fragment()))...), note, true
}

// appendPlainURL writes a URL of the form that nearly all have, so that only the others need the general parser. What it writes
// is what that one would. When plain is false, what it returns for dst means nothing.
func appendPlainURL(dst []byte, s string) (_ []byte, plain bool) {
	scheme, rest, _ := strings.Cut(s, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, port, hasPort := strings.Cut(rest[:end], ":")
	rest = rest[end:]
	standard := ""
	switch {
	case strings.EqualFold(scheme, "http"):
		standard = "80"
	case strings.EqualFold(scheme, "https"):
		standard = "443"
	default:
		return nil, false
	}
	if n, ok := number(port, 1, 5); hasPort && (!ok || port[0] == '0' || n > 65535) {
		return nil, false
	}
	top := host[strings.LastIndexByte(host, '.')+1:]
	if !isDotted(host, "-") || strings.Contains(host, "--") || isDigit(top[0]) {
		return nil, false // it may be an address, or in Punycode
	}
	if strings.Contains(rest, "/.") || strings.ContainsFunc(rest, func(r rune) bool { return !isASCIIWord(r) && !strings.ContainsRune("-._~!$&()*+,;=:@/?", r) }) {
		return nil, false
	}
	dst = appendLowerASCII(append(appendLowerASCII(dst, scheme), "://"...), host)
	if hasPort && port != standard {
		dst = append(append(dst, ':'), port...)
	}
	if rest == "" || rest[0] == '?' {
		dst = append(dst, '/')
	}
	return append(dst, rest...), true
}

// isAnchor reports whether a fragment only names a place in a page for sure: a text fragment does, and none at all.
func isAnchor(fragment string) bool { return fragment == "" || strings.HasPrefix(fragment, ":~:") }

// beginsWithHost reports whether a text without a scheme begins with a host name that can be one of the Internet, and a port
// perhaps.
func beginsWithHost(s string) bool {
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		s = s[:end]
	}
	host, port, hasPort := strings.Cut(s, ":")
	if _, isPort := number(port, 1, 5); hasPort && !isPort {
		return false
	}
	if !strings.Contains(host, ".") || !isDotted(host, "-") {
		return false
	}
	domain := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	_, listed := publicsuffix.PublicSuffix(domain)
	return listed
}
