package web

import (
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{"a":"b"}`)), func(c *Config) { c.URL = "https://guard.example.com" })
	check := func(resp *http.Response) {
		t.Helper()
		for name, want := range headers {
			got := resp.Header.Get(name)
			if name == "Cache-Control" && strings.HasPrefix(resp.Request.URL.Path, "/assets/") && resp.StatusCode == http.StatusOK {
				want = []string{"public, max-age=31536000, immutable"}
			}
			if got != want[0] {
				t.Errorf("%s: %s is %q", resp.Request.URL, name, got)
			}
		}
		if resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: no Strict-Transport-Security", resp.Request.URL)
		}
	}
	paths := append([]string{"/signin", "/signin/link?token=x", "/assets/none", "/review/rv_none", "/review?n=x", "/live"}, guardedPaths...)
	for name := range served {
		paths = append(paths, "/assets/"+name)
	}
	for _, path := range paths {
		resp, _ := h.get(path)
		check(resp)
	}
	resp, _ := h.post("/review/rv_1", decision(guard.Approve), "Sec-Fetch-Site", "cross-site")
	check(resp)
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`))).signIn(ritasKey)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, path := range []string{"/review/rv_1", "/review", "/signout", "/signin", "/signin/link"} {
			if resp, _ := h.post(path, decision(guard.Approve), header...); resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %v answers %d", path, header, resp.StatusCode)
			}
		}
	}
	if len(h.guard.judged) > 0 {
		t.Errorf("decided %v", h.guard.judged)
	}
	if resp, _ := h.post("/review/rv_1", decision(guard.Approve), "Sec-Fetch-Site", "same-origin"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("our own form answers %d", resp.StatusCode)
	}
}

// Behind a proxy that calls the server by another name, and without TLS, browsers say no more than their origin.
func TestOwnAddressIsNoOtherSite(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`)), func(c *Config) { c.URL = "http://guard.example.com/" }).signIn(ritasKey)
	for origin, want := range map[string]int{"http://guard.example.com": http.StatusSeeOther, "http://guard.example.com.evil.example": http.StatusForbidden} {
		if resp, _ := h.post("/review/rv_1", decision(guard.Approve), "Origin", origin); resp.StatusCode != want {
			t.Errorf("a form from %s answers %d, want %d", origin, resp.StatusCode, want)
		}
	}
}

// The rest of the server has the dashboard answer browsers for which there is no page.
func TestRefusalsForBrowsers(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`)))
	for code, want := range map[string]struct {
		status int
		text   string
	}{
		"cross_origin": {http.StatusForbidden, "From another page"}, "host": {http.StatusMisdirectedRequest, "Not under this name"},
		"not_found": {http.StatusNotFound, "There is no such page."}, "method": {http.StatusMethodNotAllowed, "This route does not know the method."},
	} {
		h.routes.GET("/refused/"+code, func(c echo.Context) error {
			return h.web.Refuse(c, want.status, code, "this route does not know the method")
		})
		resp, body := h.get("/refused/" + code)
		if resp.StatusCode != want.status || resp.Header.Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s answers %d with %v", code, resp.StatusCode, resp.Header)
		}
		contains(t, body, want.text)
		lacks(t, body, "Sign out")
	}
	h.signIn(ritasKey)
	_, body := h.get("/refused/not_found")
	contains(t, body, "Sign out")
}

// A page that held a script or a style of its own would need a weaker policy.
func TestPagesHoldNoScriptAndNoStyle(t *testing.T) {
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|https?://`)
	for _, f := range files {
		text, err := templateFiles.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found := inline.Find(text); found != nil {
			t.Errorf("%s holds %q", f.Name(), found)
		}
	}
	script := string(assets["app.js"].content)
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "parseFromString", "createContextualFragment", "http:", "https:"} {
		if strings.Contains(script, sink) {
			t.Errorf("app.js uses %s", sink)
		}
	}
}

// Nothing in this package may switch the escaping of html/template off.
func TestNothingSwitchesEscapingOff(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	off := regexp.MustCompile(`template\.(HTML|JS|JSStr|CSS|URL|Srcset|HTMLAttr)\b`)
	read := 0
	for _, f := range entries {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		read++
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if i.Path.Value == `"text/template"` {
				t.Errorf("%s imports text/template", f.Name())
			}
		}
		if found := off.Find(regexp.MustCompile(`(?m)//.*$`).ReplaceAll(text, nil)); found != nil {
			t.Errorf("%s uses %s", f.Name(), found)
		}
	}
	if read < 10 {
		t.Errorf("only %d files were read", read)
	}
}

func TestScriptAndStyleAreSmall(t *testing.T) {
	const most = 40 << 10
	if n := len(assets["app.js"].content) + len(assets["style.css"].content); n > most {
		t.Errorf("script and style have %d bytes, more than %d", n, most)
	}
}
