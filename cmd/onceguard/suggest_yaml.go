package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// suggestedArgument is one argument as "arguments:" declares it, with the reason.
type suggestedArgument struct {
	Name     string              `json:"name"`
	Role     fingerprint.Role    `json:"role"`
	Kind     fingerprint.Kind    `json:"kind"`
	Currency string              `json:"currency,omitzero"`
	Minor    bool                `json:"minor,omitzero"`
	Default  json.RawMessage     `json:"default,omitzero"`
	Fields   []suggestedArgument `json:"fields,omitzero"`
	Why      string              `json:"why,omitzero"`
	Seen     string              `json:"seen,omitzero"`  // how often recorded calls have it
	Check    bool                `json:"check,omitzero"` // a person should check it
}

func suggestArgument(a policy.InferredArgument, seen string) suggestedArgument {
	s := declaredArgument(a.Argument)
	s.Why, s.Seen, s.Check = a.Why, seen, !a.Sure
	return s
}

func declaredArgument(a fingerprint.Argument) suggestedArgument {
	s := suggestedArgument{Name: a.Name, Role: a.Role, Kind: a.Kind, Currency: a.Currency, Minor: a.Minor, Default: a.Default}
	for _, f := range a.Fields {
		s.Fields = append(s.Fields, declaredArgument(f))
	}
	return s
}

// yamlWriter writes lines, each with an optional comment.
type yamlWriter struct{ bytes.Buffer }

// commentColumn is where comments begin, behind lines that are not longer.
const commentColumn = 56

func (w *yamlWriter) line(text, comment string) {
	w.WriteString(text)
	if comment != "" {
		fmt.Fprintf(w, "%s# %s", strings.Repeat(" ", max(1, commentColumn-utf8.RuneCountInString(text))), oneLine(comment))
	}
	w.WriteByte('\n')
}

// remark writes a comment of its own line.
func (w *yamlWriter) remark(indent, text string) { w.WriteString(indent + "# " + oneLine(text) + "\n") }

// oneLine makes a text fit for a comment: descriptions come from strangers and could end the line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, s)
}

// yaml writes the suggestion as a policy file.
func (s *suggestion) yaml() []byte {
	var w yamlWriter
	read, check := 0, 0
	for _, t := range s.Tools {
		if t.Kind == policy.Read {
			read++
		}
		check += t.checks()
	}
	w.remark("", "Suggested from "+strings.Join(s.Sources, ", ")+":")
	w.remark("", fmt.Sprintf("%s, of which %d only read. A person should look at %s, marked CHECK.", plural(len(s.Tools), "tool"), read, plural(check, "line")))
	w.remark("", "Arguments are material and compared exactly unless said otherwise.")
	for _, skipped := range s.Skipped {
		w.remark("", fmt.Sprintf("CHECK: no policy for %s: %s", show(skipped.Name), skipped.Why))
	}
	w.WriteString("version: 1\ntools:\n")
	for i := range s.Tools {
		if i > 0 {
			w.WriteByte('\n')
		}
		w.tool(&s.Tools[i])
	}
	return w.Bytes()
}

func (t *suggestedTool) checks() int {
	n := 0
	if t.Check {
		n++
	}
	for _, a := range t.Arguments {
		if a.Check {
			n++
		}
	}
	return n
}

func (w *yamlWriter) tool(t *suggestedTool) {
	if t.Description != "" {
		w.remark("  ", t.Description)
	}
	w.WriteString("  - name: " + yamlText(t.Name) + "\n")
	for _, r := range t.Remarks {
		w.remark("    ", r)
	}
	if t.Kind == policy.Read || t.Why != "" {
		w.line("    kind: "+string(t.Kind), reason(t.Why, "", t.Check))
	}
	if t.Kind == policy.Read {
		return
	}
	if len(t.Arguments) == 0 {
		w.remark("    ", "No argument is known, so they are inferred from each call.")
		return
	}
	w.WriteString("    arguments:\n")
	for _, a := range t.Arguments {
		w.argument("      ", a)
	}
}

func (w *yamlWriter) argument(indent string, a suggestedArgument) {
	comment := reason(a.Why, a.Seen, a.Check)
	if len(a.Fields) == 0 {
		w.line(indent+yamlText(a.Name)+": {"+strings.Join(a.options(), ", ")+"}", comment)
		return
	}
	w.line(indent+yamlText(a.Name)+":", comment)
	for _, o := range a.options() {
		w.line(indent+"  "+o, "")
	}
	w.line(indent+"  fields:", "")
	for _, f := range a.Fields {
		w.argument(indent+"    ", f)
	}
}

// options lists what is declared of an argument, but for its fields.
func (a *suggestedArgument) options() []string {
	var list []string
	if a.Role != fingerprint.Material {
		list = append(list, "role: "+a.Role.String())
	}
	if a.Role.Decides() {
		list = append(list, "kind: "+a.Kind.String())
	}
	if a.Currency != "" {
		list = append(list, "currency: "+yamlText(a.Currency))
	}
	if a.Minor {
		list = append(list, "minor: true")
	}
	if a.Default != nil {
		list = append(list, "default: "+yamlJSON(a.Default))
	}
	return list
}

func reason(why, seen string, check bool) string {
	if seen != "" {
		why = strings.TrimPrefix(why+"; "+seen, "; ")
	}
	if check {
		return "CHECK: " + why
	}
	return why
}

// plainYAML matches the texts that mean themselves in YAML without quotes, whatever its version.
var plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

// notTexts are words that YAML takes for something else.
var notTexts = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}

// yamlText writes a text. A quoted one is also one in JSON.
func yamlText(s string) string {
	if plainYAML.MatchString(s) && !slices.Contains(notTexts, strings.ToLower(s)) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // Encode has no error for a string
	}
	return strings.TrimSpace(b.String())
}

// yamlJSON writes a JSON value in YAML's flow style.
func yamlJSON(text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "null" // what was inferred from decoded JSON is JSON
	}
	return flow(v)
}

func flow(v any) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, flow(name)+": "+flow(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = flow(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return yamlText(v)
	default:
		return fmt.Sprint(v) // true, false and numbers with their digits
	case nil:
		return "null"
	}
}
