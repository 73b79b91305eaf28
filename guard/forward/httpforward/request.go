package httpforward

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/onceguard/onceguard/guard"
)

// reserved headers belong to the connection or to the framing of the message (RFC 9110, section 7.6.1), or to the
// forwarder: Host follows from the URL, Expect would split the attempt in two, and answers are stored as they are
// sent, so no encoding is asked for. A policy that sets one is wrong and is told so.
var reserved = map[string]bool{
	"Accept-Encoding":     true,
	"Connection":          true,
	"Content-Length":      true,
	"Expect":              true,
	"Host":                true,
	"Http2-Settings":      true,
	"Keep-Alive":          true,
	"Proxy-Authenticate":  true,
	"Proxy-Authorization": true,
	"Proxy-Connection":    true,
	"Te":                  true,
	"Trailer":             true,
	"Transfer-Encoding":   true,
	"Upgrade":             true,
}

// request builds the one request of an attempt and says where it goes. A request that must not or cannot be
// sent is refused with a sentence.
func request(a guard.Attempt) (*http.Request, endpoint, string) {
	target, to, refusal := destination(a)
	if refusal != "" {
		return nil, endpoint{}, refusal
	}
	header, refusal := headers(a)
	if refusal != "" {
		return nil, endpoint{}, refusal
	}
	switch {
	case !httpguts.ValidHeaderFieldName(a.Method): // a method is a token like a field name
		return nil, endpoint{}, "The policy's upstream has no valid HTTP method; nothing was sent."
	case a.Method == http.MethodConnect || a.Method == http.MethodTrace:
		return nil, endpoint{}, "The policy's upstream uses the method CONNECT or TRACE, which is not allowed; nothing was sent."
	}
	req := &http.Request{
		Method:        a.Method,
		URL:           target,
		Host:          target.Host,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          http.NoBody,
		ContentLength: int64(len(a.Body)),
		// GetBody stays nil: nobody may read the body a second time.
	}
	if len(a.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(a.Body))
	}
	return req, to, ""
}

// destination reads the URL. Its errors never quote it, because policies put arguments into URLs.
func destination(a guard.Attempt) (*url.URL, endpoint, string) {
	target, err := url.Parse(a.URL)
	if err != nil {
		return nil, endpoint{}, "The upstream's URL cannot be read; nothing was sent."
	}
	port := target.Port()
	switch {
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, endpoint{}, "The upstream's URL must have the scheme http or https; nothing was sent."
	case target.User != nil:
		return nil, endpoint{}, "The upstream's URL holds user information, which belongs into a header; nothing was sent."
	case target.Hostname() == "":
		return nil, endpoint{}, "The upstream's URL names no host; nothing was sent."
	case port == "" && target.Scheme == "http":
		port = "80"
	case port == "":
		port = "443"
	}
	address, err := httpguts.PunycodeHostPort(net.JoinHostPort(target.Hostname(), port))
	if err != nil {
		return nil, endpoint{}, "The host name of the upstream's URL is not valid; nothing was sent."
	}
	return target, endpoint{scheme: target.Scheme, address: address, private: a.Private}, ""
}

// headers copies what the policy sets and adds what it leaves out.
func headers(a guard.Attempt) (http.Header, string) {
	h := make(http.Header, len(a.Header)+3)
	for name, values := range a.Header {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, "A header of the policy's upstream has a name that is not valid; nothing was sent."
		}
		if reserved[key] {
			return nil, "The policy's upstream sets the header " + key + ", which is not a policy's to set; nothing was sent."
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) || strings.TrimSpace(v) != v {
				return nil, "The header " + key + " of the policy's upstream has a value that HTTP cannot carry unchanged; nothing was sent."
			}
		}
		h[key] = append(h[key], values...)
	}
	h["Accept-Encoding"] = []string{"identity"}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = []string{"onceguard"}
	}
	if _, ok := h["Content-Type"]; !ok && len(a.Body) > 0 {
		h["Content-Type"] = []string{"application/json"}
	}
	return h, ""
}
