package web

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// contentPolicy lets a page use our own files and nothing else, run no text as script and be shown in no frame.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// headers go with every answer. No page is kept anywhere, because all of them show arguments; files of our own are.
var headers = http.Header{
	"Content-Security-Policy":      {contentPolicy},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Embedder-Policy": {"require-corp"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	"X-Frame-Options":              {"DENY"},
	"Cache-Control":                {"no-store"},
}

// guarded is what happens around every route of the dashboard.
func (w *Web) guarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		for name, value := range headers {
			h[name] = value
		}
		if w.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if err := w.origin.Check(c.Request()); err != nil {
			return w.fail(c, visitor{}, &refusal{http.StatusForbidden, "From another page",
				"This form was sent by a page of another origin, so nothing was done. Open the dashboard itself and decide there."})
		}
		if w.door.dev && !loopbackHost(c.Request().Host) {
			return w.fail(c, visitor{}, &refusal{http.StatusMisdirectedRequest, "Not under this name",
				"A development server answers only to localhost and loopback addresses."})
		}
		return next(c)
	}
}

// loopbackHost reports whether a Host header names this machine. A page whose name was made to resolve to a loopback address
// (DNS rebinding) still sends its own name.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// encrypted reports whether people who come to an address of the dashboard come over TLS.
func encrypted(address string) (bool, error) {
	if address == "" {
		return false, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return false, fmt.Errorf("web: %q is no address of a server: write it like https://guard.example.com", address)
	}
	return u.Scheme == "https", nil
}
