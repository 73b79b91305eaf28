package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
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

// setHeaders adds the headers that go with every answer.
func (w *Web) setHeaders(c echo.Context) {
	h := c.Response().Header()
	for name, value := range headers {
		h[name] = value
	}
	if w.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// guarded is what happens around every route of the dashboard.
func (w *Web) guarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		w.setHeaders(c)
		if err := w.origin.Check(c.Request()); err != nil {
			return w.fail(c, visitor{}, errForeign)
		}
		if w.door.dev && !guard.LoopbackHost(c.Request().Host) {
			return w.fail(c, visitor{}, errForeignName)
		}
		return next(c)
	}
}

var (
	errForeign = &refusal{http.StatusForbidden, "From another page",
		"This form was sent by a page of another origin, so nothing was done. Open the dashboard itself and decide there."}
	errForeignName = &refusal{http.StatusMisdirectedRequest, "Not under this name", "A development server answers only to localhost and loopback addresses."}
	errNoPage      = &refusal{http.StatusNotFound, "Not here", "There is no such page."}
)

// Refuse answers a browser with a page where the server has none of its own for it: no route, or one that is not for browsers. It fits api.Config.Page.
func (w *Web) Refuse(c echo.Context, status int, code, detail string) error {
	w.setHeaders(c)
	switch code {
	case "cross_origin":
		return w.fail(c, visitor{}, errForeign)
	case "host":
		return w.fail(c, visitor{}, errForeignName)
	case string(guard.CodeNotFound):
		v, err := w.door.visitor(c.Request())
		if err != nil {
			v = visitor{} // the page has no navigation then
		}
		return w.fail(c, v, errNoPage)
	}
	return w.fail(c, visitor{}, &refusal{status, http.StatusText(status), capital(detail) + "."})
}

// originOf protects against pages of another origin than the server's own, which is also that of the address at which people reach it.
func originOf(address string) (*http.CrossOriginProtection, error) {
	o := http.NewCrossOriginProtection()
	if address == "" {
		return o, nil
	}
	return o, o.AddTrustedOrigin(strings.TrimSuffix(address, "/"))
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
