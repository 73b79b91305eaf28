package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// page is a reply that shows a view.
type page struct {
	template string // the file in templates/, without .html
	title    string
	section  section // the part of the dashboard that it belongs to
	view     any
	status   int // 0 for 200
}

// section is an entry of the navigation.
type section string

// The sections.
const (
	atReview   section = "review"
	atEffects  section = "effects"
	atPolicies section = "policies"
	atOverview section = "overview"
)

// frame is what the base layout knows beside the view.
type frame struct {
	Title    string
	Section  section
	Sections []link
	Visitor  *guard.Principal // nil for people who are not signed in
	Dev      bool
	Waiting  string // how many effects wait for a person; "" where none does
	Problem  string // why the newest policies are not in force
	View     any
	Now      time.Time
}

// link is one entry of the navigation.
type link struct {
	Section section
	Name    string
}

var navigation = []link{{atReview, "Review"}, {atEffects, "Effects"}, {atPolicies, "Policies"}, {atOverview, "Overview"}}

//go:embed templates/*.html
var templateFiles embed.FS

// layouts are the files that every page has: the base, and the parts that several pages share.
var layouts = []string{"templates/base.html", "templates/parts.html", "templates/arguments.html"}

// templates are all pages by their name. They are parsed at the start, so a broken one stops every test and the program.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	base := template.Must(template.New("base.html").Funcs(functions).ParseFS(templateFiles, layouts...))
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is constant
	}
	all := map[string]*template.Template{}
	for _, file := range files {
		if slices.Contains(layouts, file) {
			continue
		}
		name := strings.TrimSuffix(path.Base(file), ".html")
		all[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, file))
	}
	return all
}

// functions are what templates may call. None of them returns a type that switches escaping off.
var functions = template.FuncMap{
	"text":    visible,
	"cut":     cutVisible,
	"asset":   assetPath,
	"short":   shortID,
	"iso":     iso,
	"utc":     utc,
	"span":    span,
	"capital": capital,
}

func (p page) send(w *Web, c echo.Context, v visitor) error {
	f := frame{
		Title: plainly(p.title), Section: p.section, Sections: navigation, View: p.view, Now: w.now(), Dev: v.dev,
	}
	if v.principal.Reviews() {
		f.Visitor = &v.principal
		f.Waiting = w.waiting(c.Request().Context(), v.principal)
		if err := w.policies.LastError(); err != nil {
			f.Problem = err.Error()
		}
	}
	t, ok := templates[p.template]
	if !ok {
		return fmt.Errorf("there is no template %q", p.template)
	}
	// The whole page is made before its first byte goes out, so that a failure is a page and not half of one.
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "base.html", f); err != nil {
		return err
	}
	if p.status == 0 {
		p.status = http.StatusOK
	}
	return c.HTMLBlob(p.status, b.Bytes())
}

// mostWaiting is how far the navigation counts.
const mostWaiting = 99

// waiting tells how many effects wait for a person. A ledger that does not answer is told by the page itself.
func (w *Web) waiting(ctx context.Context, p guard.Principal) string {
	list, err := w.guard.Effects(ctx, p, guard.Query{Review: true, Limit: mostWaiting + 1})
	switch {
	case err != nil || len(list) == 0:
		return ""
	case len(list) > mostWaiting:
		return strconv.Itoa(mostWaiting) + "+"
	}
	return strconv.Itoa(len(list))
}

// shortID is the end of an id, by which a person tells two apart.
func shortID(id string) string {
	if len(id) <= 8 {
		return id
	}
	return "…" + id[len(id)-6:]
}

// iso is a time for machines, to the millisecond.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// utc is a time for people whose browser tells no zone.
func utc(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// span is a duration in words, of one unit.
func span(d time.Duration) string {
	count := func(n time.Duration, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch d = d.Abs(); {
	case d < 2*time.Minute:
		return count(d/time.Second, "second")
	case d < 2*time.Hour:
		return count(d/time.Minute, "minute")
	case d < 48*time.Hour:
		return count(d/time.Hour, "hour")
	}
	return count(d/(24*time.Hour), "day")
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
