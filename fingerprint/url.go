package fingerprint

import (
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

// readURL reads an absolute URL (WHATWG URL Standard).
//
// It joins what that standard parses alike: the case of scheme and host, Unicode and ASCII host names, a default port,
// dot segments, a missing path. It drops a fragment that is an anchor in a page, which never reaches a server, but
// keeps one that can be the state of an application ("#/orders/7", "#!x", "#gid=0"). It keeps apart the order of query
// parameters, http and https, a trailing slash, "www.", the case of the path and other escapes of it. A text without a
// scheme and "//" is compared exactly, because nothing says whether it is http, https or a path.
func readURL(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	text := strings.TrimSpace(v.Text())
	if i := strings.Index(text, "://"); i < 1 || strings.ContainsAny(text[:i], "/?#") {
		return nil, "not an absolute URL with a scheme and //", false
	}
	u, err := url.Parse(text)
	if err != nil || u.Host() == "" && u.Protocol() != "file:" {
		return nil, "not a valid URL", false
	}
	return append(append(dst, "url "...), u.Href(isAnchor(u.Fragment()))...), "", true
}

// isAnchor reports whether a fragment only names a place in a page.
func isAnchor(fragment string) bool {
	return strings.HasPrefix(fragment, ":~:") || !strings.HasPrefix(fragment, "!") && !strings.ContainsAny(fragment, "/=?&")
}
