package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Values that policies conceal. Each has a core that no escape of JSON, HTML or URLs changes, in characters that every one of them
// has to escape.
const (
	sealedCard    = `4<929>zqxSEALEDcardzqx"&ü%/+`
	redactedNote  = `Call <zqxREDACTEDnotezqx> & "tell" him ü%/+ about the broken kettle.`
	otherCard     = `4<929>zqxOTHERcardzqx"&ü%/+`
	cardCore      = "zqxSEALEDcardzqx"
	otherCardCore = "zqxOTHERcardzqx"
	noteCore      = "zqxREDACTEDnotezqx"
)

// spellings are forms in which a text would be found again: as it is in any case, in base64 wherever it begins, and as digits.
func spellings(core string) map[string]*regexp.Regexp {
	forms := map[string]*regexp.Regexp{
		"as it is":   regexp.MustCompile("(?i)" + core),
		"as digits":  regexp.MustCompile("(?i)" + hex.EncodeToString([]byte(core))),
		"as numbers": regexp.MustCompile(strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(core)), " ", `[ ,]+`), "[]")),
	}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + core))
		// The characters at both ends are also made of what stands beside the core.
		forms[fmt.Sprint("in base64, place ", before)] = regexp.MustCompile(regexp.QuoteMeta(text[4 : len(text)-4]))
	}
	return forms
}

// watchman looks for concealed values in what a server gives away.
type watchman struct {
	*testing.T
	forms map[string]map[string]*regexp.Regexp // by core
	seen  int
}

func newWatchman(t *testing.T, cores ...string) *watchman {
	w := &watchman{T: t, forms: map[string]map[string]*regexp.Regexp{}}
	for _, core := range cores {
		w.forms[core] = spellings(core)
	}
	return w
}

// look fails where one of the values is in a text.
func (w *watchman) look(where string, text []byte) {
	w.Helper()
	w.seen++
	plain, err := url.QueryUnescape(string(text))
	if err != nil {
		plain = ""
	}
	for _, readable := range []string{string(text), html.UnescapeString(string(text)), plain} {
		for _, core := range slices.Sorted(maps.Keys(w.forms)) {
			for form, pattern := range w.forms[core] {
				if at := pattern.FindStringIndex(readable); at != nil {
					w.Errorf("%s shows %s, %s: …%q…", where, core, form, readable[max(0, at[0]-120):min(len(readable), at[1]+60)])
					return
				}
			}
		}
	}
}

// visitor asks one server, as one person or agent.
type visitor struct {
	t    *testing.T
	name string
	base string
	key  string
	http *http.Client
}

// newVisitor has a key for the API, and a session for the pages where the key may see them.
func newVisitor(t *testing.T, name, base, key string, pages bool) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, name: name, base: base, key: key, http: &http.Client{Jar: jar, Timeout: patience}}
	if pages {
		resp, err := v.http.PostForm(base+"/signin", url.Values{"key": {key}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s cannot sign in: %s", name, resp.Status)
		}
	}
	return v
}

// ask makes a request with the key, and gives the status, the headers and the body in one text.
func (v *visitor) ask(method, path, body string) (int, []byte) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/v1/") || path == "/metrics" {
		req.Header.Set("Authorization", "Bearer "+v.key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatalf("%s: %s %s: %v", v.name, method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatalf("%s: %s %s: %v", v.name, method, path, err)
	}
	var all bytes.Buffer
	if err := resp.Header.Write(&all); err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, append(all.Bytes(), text...)
}

// readRoutes visits every route of the contract that only reads, with every id where a path has one.
func (v *visitor) readRoutes(w *watchman, ids, tools []string) {
	v.t.Helper()
	_, text := v.ask(http.MethodGet, "/openapi.yaml", "")
	contract, err := openapi3.NewLoader().LoadFromData(text[bytes.Index(text, []byte("openapi:")):])
	if err != nil {
		v.t.Fatal(err)
	}
	for path, item := range contract.Paths.Map() {
		if item.Get == nil || path == "/v1/events" { // which does not end
			continue
		}
		fill := []string{""}
		if strings.Contains(path, "{id}") {
			fill = ids
		} else if strings.Contains(path, "{tool}") {
			fill = tools
		}
		for _, value := range fill {
			if strings.HasPrefix(path, "/v1/reviews/") {
				value = "rv_" + strings.TrimPrefix(value, effectPrefix)
			}
			at := strings.NewReplacer("{id}", value, "{tool}", value).Replace(path)
			status, answer := v.ask(http.MethodGet, at, "")
			if status >= 500 {
				v.t.Errorf("%s: GET %s answers %d: %s", v.name, at, status, answer)
			}
			w.look(v.name+": GET "+at, answer)
		}
	}
}

var link = regexp.MustCompile(`(?:href|src|action|data-[a-z]+)="(/[^"]*)"`)

// readPages follows every link of the dashboard, and returns the pages by their path.
func (v *visitor) readPages(w *watchman, start ...string) map[string][]byte {
	v.t.Helper()
	const most = 600
	pages := map[string][]byte{}
	for todo := start; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if _, known := pages[path]; known || strings.HasPrefix(path, "/live") { // which does not end
			continue
		}
		if len(pages) == most {
			v.t.Fatalf("there are more than %d pages", most)
		}
		status, page := v.ask(http.MethodGet, path, "")
		pages[path] = page
		if status >= 500 {
			v.t.Errorf("%s: %s answers %d: %s", v.name, path, status, page)
		}
		w.look(v.name+": the page "+path, page)
		for _, found := range link.FindAllSubmatch(page, -1) {
			next, _, _ := strings.Cut(html.UnescapeString(string(found[1])), "#")
			todo = append(todo, next)
		}
	}
	return pages
}

// listen reads a stream until the test's end; what it gives is looked at by the function that it returns.
func (v *visitor) listen(w *watchman, path string) (end func()) {
	v.t.Helper()
	ctx, stop := context.WithCancel(v.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/v1/") {
		req.Header.Set("Authorization", "Bearer "+v.key)
	}
	resp, err := (&http.Client{Jar: v.http.Jar}).Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %s answers %s", v.name, path, resp.Status)
	}
	var heard bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(&heard, resp.Body) // it ends with the context
	}()
	return func() {
		stop()
		<-ended
		resp.Body.Close()
		if !bytes.Contains(heard.Bytes(), []byte("data:")) {
			v.t.Errorf("%s heard nothing from %s: %q", v.name, path, heard.Bytes())
		}
		w.look(v.name+": the stream "+path, heard.Bytes())
	}
}

// readFiles looks at every file in a folder, and gives all bytes of them.
func readFiles(t *testing.T, w *watchman, folder string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if w != nil {
			w.look("the file "+path, text)
		}
		all = append(all, text...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
