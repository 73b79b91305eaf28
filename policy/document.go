package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// The limits of a policy's values.
const (
	maxName       = 256 // bytes of a tool's name, an effect type or a scope label
	maxConditions = 100 // of one tool
	maxExpression = 10_000
	maxWhy        = 500

	minDuration = time.Second
	maxWindow   = 3650 * day
	maxLease    = 7 * day
	maxHold     = 90 * day
	maxAttempts = 1000
)

// document is one policy file as it was read.
type document struct {
	*reader
	label        string // the file's name in Rule.Source
	defaults     settings
	unknownTools string
	tools        []toolDoc
}

// toolDoc is one entry of "tools:".
type toolDoc struct {
	at         place
	name       string
	effect     string
	kind       string
	upstream   *httpDoc
	schema     ast.Node
	arguments  []argumentDoc
	argumentAt place // of the key "arguments"; zero when it is not there, and then arguments are inferred
	settings   settings
	resource   *resourceDoc
	occurrence occurrenceDoc
	idempotent bool
	attempts   int
	conditions []conditionDoc
	outcomes   []expressionDoc
	states     []string // of outcomes
}

// conditionDoc is one entry of "rules:".
type conditionDoc struct {
	at        place
	condition expressionDoc
	then      Action
	why       string
}

// expressionDoc is one CEL expression with where it stands.
type expressionDoc struct {
	key  string
	node ast.Node
	text string
}

var (
	documentKeys = keys{now: []string{"version", "defaults", "tools"}}
	defaultsKeys = keys{
		now:   []string{"unknown_tools", "window", "lease", "hold", "scope", "on", "near", "share", "keys"},
		later: []string{"mode", "redact", "limits"},
	}
	toolKeys = keys{
		now: []string{"name", "effect", "kind", "upstream", "schema", "arguments", "scope", "window", "lease", "hold", "resource", "occurrence", "on",
			"near", "share", "keys", "idempotent", "attempts", "rules", "done_when", "failed_when", "partial_when", "unknown_when"},
		later: []string{"limits", "probe", "steps", "redact", "mode", "confirm"},
	}
	conditionKeys = keys{now: []string{"if", "then", "why"}}
	onKeys        = keys{now: onNames()}
)

func onNames() []string {
	names := make([]string, len(onTable))
	for i, e := range onTable {
		names[i] = e.key
	}
	return names
}

// readDocument reads one policy file. label is its name in Rule.Source.
func readDocument(file, label string, text []byte) *document {
	r, body := parseYAML(file, text)
	d := &document{reader: r, label: label}
	if body == nil {
		return d
	}
	if !isMapping(body) {
		r.wrongType(body, "a policy file", "a mapping")
		return d
	}
	f := r.fields(body, "a policy file", documentKeys)
	if v, ok := f["version"]; !ok {
		r.add(at(body), "the file does not say which version of the policy language it is written in", "begin it with \"version: 1\"")
	} else if n, whole := v.value.(*ast.IntegerNode); !whole || n.GetToken().Value != "1" {
		r.add(at(v.value), "the file is written in a version of the policy language that this program does not know", "write \"version: 1\"")
	}
	if v, ok := f["defaults"]; ok {
		d.readDefaults(v.value)
	}
	if v, ok := f["tools"]; ok {
		for _, n := range r.items(v.value, "tools") {
			if !isMapping(n) {
				r.wrongType(n, "a tool", "a mapping")
				continue
			}
			d.tools = append(d.tools, r.tool(n))
		}
	}
	return d
}

func (d *document) readDefaults(n ast.Node) {
	f := d.fields(n, "defaults", defaultsKeys)
	d.defaults = d.settings(f)
	if v, ok := f["unknown_tools"]; ok {
		d.unknownTools = d.choice(v.value, "unknown_tools", unknownChoices, nil)
		d.defaults.places["unknown_tools"] = v.key
	}
	if d.defaults.on.Unknown == Retry {
		d.add(d.defaults.places["on.unknown"], "on.unknown: retry cannot be a default, because it needs a tool that honours our key",
			"set it on each tool that has idempotent: true")
		d.defaults.on.Unknown = ""
	}
}

// settings reads the keys that defaults and tools have in common.
func (r *reader) settings(f map[string]entry) settings {
	s := settings{places: make(map[string]place)}
	for _, key := range []string{"window", "lease", "hold", "scope", "share", "keys"} {
		e, ok := f[key]
		if !ok {
			continue
		}
		s.places[key] = e.key
		switch key {
		case "window":
			s.window = r.duration(e.value, key, minDuration, maxWindow)
		case "lease":
			s.lease = r.duration(e.value, key, minDuration, maxLease)
		case "hold":
			s.hold = r.duration(e.value, key, minDuration, maxHold)
		case "scope":
			s.scope = r.scope(e.value)
		case "share":
			s.share = Share(r.choice(e.value, key, []string{string(ShareSubject), string(ShareTenant)}, nil))
		case "keys":
			s.keys = Keys(r.choice(e.value, key, []string{string(KeysHint), string(KeysTrusted)}, nil))
		}
	}
	if e, ok := f["on"]; ok {
		s.on = r.on(e.value, s.places)
	}
	if e, ok := f["near"]; ok {
		s.near = r.near(e.value, s.places)
	}
	return s
}

func (r *reader) on(n ast.Node, places map[string]place) On {
	var on On
	f := r.fields(n, "on", onKeys)
	for _, row := range onTable {
		e, ok := f[row.key]
		if !ok {
			continue
		}
		words := make([]string, len(row.choices))
		for i, c := range row.choices {
			words[i] = string(c)
		}
		places["on."+row.key] = e.key
		*row.of(&on) = Choice(r.choice(e.value, "on."+row.key, words, row.later))
	}
	return on
}

// scope reads the parts of a scope.
func (r *reader) scope(n ast.Node) []string {
	parts := r.strings(n, "scope")
	for _, part := range parts {
		name, label := strings.CutPrefix(part, ScopeLabel)
		switch {
		case label && name != "" && len(name) <= maxName:
		case label:
			r.add(at(n), fmt.Sprintf("%q in scope names no label", part), "write \"label:NAME\"")
		case !slices.Contains([]string{ScopeRun, ScopeAgent, ScopeSubject, ScopeTenant}, part):
			r.add(at(n), fmt.Sprintf("scope cannot hold %q", part), suggest(part, []string{ScopeRun, ScopeAgent, ScopeSubject, ScopeTenant, "label:NAME"}))
		}
	}
	if slices.Contains(parts, ScopeTenant) && len(parts) > 1 {
		r.add(at(n), "scope names the tenant beside other parts, but the tenant is in every scope", "remove \"tenant\", or write [tenant] alone")
	}
	if list, ok := n.(*ast.SequenceNode); ok && len(list.Values) == 0 {
		r.add(at(n), "scope is empty", "write [tenant] if nothing but the tenant divides effects, or remove the key")
	}
	return parts
}

// tool reads one entry of "tools:".
func (r *reader) tool(n ast.Node) toolDoc {
	f := r.fields(n, "a tool", toolKeys)
	t := toolDoc{at: at(n), kind: string(Write), settings: r.settings(f)}
	if e, ok := f["name"]; !ok {
		r.add(t.at, "the tool has no name", "add \"name:\" with the tool's name or a glob such as \"github__*\"")
	} else {
		t.at = e.key
		t.name = r.name(e.value, "the tool's name")
		if strings.Contains(t.name, "**") {
			r.add(at(e.value), fmt.Sprintf("the glob %q has two stars in a row", t.name), "write one *")
		}
	}
	if e, ok := f["effect"]; ok {
		t.effect = r.name(e.value, "effect")
	}
	if e, ok := f["kind"]; ok {
		t.kind = r.choice(e.value, "kind", []string{string(Write), string(Read)}, nil)
	}
	if e, ok := f["upstream"]; ok {
		t.upstream = r.upstream(e.value)
	}
	if e, ok := f["schema"]; ok {
		t.schema = e.value
	}
	if e, ok := f["arguments"]; ok {
		t.argumentAt = e.key
		t.arguments = r.arguments(e.value)
	}
	if e, ok := f["resource"]; ok {
		t.resource = r.resource(e)
	}
	if e, ok := f["occurrence"]; ok {
		t.occurrence = r.occurrence(e)
	}
	if e, ok := f["idempotent"]; ok {
		t.idempotent = r.truth(e.value, "idempotent")
	}
	if e, ok := f["attempts"]; ok {
		t.attempts = r.integer(e.value, "attempts", 1, maxAttempts)
	}
	if e, ok := f["rules"]; ok {
		t.conditions = r.conditions(e.value)
	}
	for _, state := range outcomeStates {
		if e, ok := f[state+"_when"]; ok {
			t.outcomes = append(t.outcomes, r.expression(e))
			t.states = append(t.states, state)
		}
	}
	if t.kind == string(Read) {
		r.refuseOnRead(f)
	}
	return t
}

// refuseOnRead notes the keys that say something about effects: a read tool has none, so they would not be enforced.
func (r *reader) refuseOnRead(f map[string]entry) {
	for _, key := range toolKeys.now {
		e, ok := f[key]
		if ok && !slices.Contains([]string{"name", "kind", "upstream", "schema"}, key) {
			r.add(e.key, fmt.Sprintf("a tool of kind read passes straight through, so %q would not be enforced", key), "remove it, or make the tool kind: write")
		}
	}
}

// name reads an identifier such as a tool's name.
func (r *reader) name(n ast.Node, what string) string {
	s := r.string(n, what)
	if len(s) > maxName {
		r.add(at(n), fmt.Sprintf("%s has more than %d bytes", what, maxName), "shorten it")
		return ""
	}
	for _, c := range s {
		if unicode.IsSpace(c) || !unicode.IsPrint(c) {
			r.add(at(n), fmt.Sprintf("%s %q holds white space or an invisible character", what, s), "remove it")
			return ""
		}
	}
	return s
}

func (r *reader) conditions(n ast.Node) []conditionDoc {
	list := r.items(n, "rules")
	if len(list) > maxConditions {
		r.add(at(n), fmt.Sprintf("a tool has more than %d rules", maxConditions), "join some of them with ||")
		return nil
	}
	var conditions []conditionDoc
	for _, item := range list {
		c := conditionDoc{at: at(item)}
		f := r.fields(item, "a rule", conditionKeys)
		if e, ok := f["if"]; ok {
			c.condition = r.expression(e)
		} else {
			r.add(c.at, "the rule has no condition", "add \"if:\" with a CEL expression, or \"if: 'true'\"")
		}
		if e, ok := f["then"]; ok {
			c.then = Action(r.choice(e.value, "then", []string{string(ActAllow), string(ActHold), string(ActDeny)}, nil))
		} else {
			r.add(c.at, "the rule does not say what follows", "add \"then: allow\", \"then: hold\" or \"then: deny\"")
		}
		if e, ok := f["why"]; ok {
			c.why = strings.TrimSpace(r.string(e.value, "why"))
			if len(c.why) > maxWhy {
				r.add(e.key, fmt.Sprintf("why has more than %d bytes", maxWhy), "say it in one sentence")
			}
		}
		conditions = append(conditions, c)
	}
	return conditions
}

// expression reads a CEL expression. A bare true or false is one, though YAML does not take it for a text.
func (r *reader) expression(e entry) expressionDoc {
	doc := expressionDoc{key: e.name, node: e.value}
	if b, ok := e.value.(*ast.BoolNode); ok {
		doc.text = strconv.FormatBool(b.Value)
		return doc
	}
	doc.text = r.string(e.value, e.name)
	if len(doc.text) > maxExpression {
		r.add(at(e.value), fmt.Sprintf("%s has more than %d bytes", e.name, maxExpression), "split it into several rules")
		doc.text = ""
	}
	return doc
}
