package policy

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// document is one policy file as it was read.
type document struct {
	*reader
	defaults     layer
	unknownTools string
	groups       []group
	tools        []toolEntry
	endpoints    []endpointDoc
}

// toolEntry is one entry of "tools:": its name, and what it says itself.
type toolEntry struct {
	at     place
	name   string
	own    layer
	groups []*group // that apply to it, in the order of the files
}

// inheritable are the keys that defaults have in common with tools: those that make sense for a tool that one knows nothing of.
var inheritable = []string{
	"mode", "arguments", "scope", "window", "lease", "hold", "occurrence", "on", "near", "share", "keys", "attempts", "rules", "limits", "approvals",
	"redact", "seal", "done_when", "failed_when", "partial_when", "unknown_when",
}

var (
	documentKeys = keys{now: []string{"version", "defaults", "groups", "tools", "notify"}}
	defaultsKeys = keys{now: append([]string{"unknown_tools"}, inheritable...)}
	toolKeys     = keys{
		now: []string{
			"name", "effect", "kind", "mode", "annotations", "upstream", "schema", "arguments", "scope", "window", "lease", "hold", "resource", "occurrence", "on",
			"near", "share", "keys", "idempotent", "attempts", "rules", "limits", "approvals", "redact", "seal", "done_when", "failed_when", "partial_when",
			"unknown_when",
		},
		later: []string{"probe", "steps", "confirm"},
	}
	groupKeys = keys{now: append([]string{"apply_to"}, toolKeys.now[1:]...), later: toolKeys.later}
)

// readDocument reads the i-th of some policy files.
func readDocument(files []file, i int) *document {
	r, body := parseYAML(files, i)
	d := &document{reader: r}
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
	if v, ok := f["groups"]; ok {
		for _, n := range r.mappings(v.value, "groups", "a group") {
			d.groups = append(d.groups, r.group(n))
		}
	}
	if v, ok := f["tools"]; ok {
		for _, n := range r.mappings(v.value, "tools", "a tool") {
			d.tools = append(d.tools, r.toolEntry(n))
		}
	}
	if v, ok := f["notify"]; ok {
		if !delivers {
			r.add(v.key, "the guard tells no endpoint of held calls yet", "remove notify, and look at the queue of reviews")
		}
		d.endpoints = r.endpoints(v.value)
	}
	if only := files[i].only; only != "" {
		d.checkKept(body, only)
	}
	return d
}

// mappings reads a list of mappings.
func (r *reader) mappings(n ast.Node, what, item string) []ast.Node {
	var list []ast.Node
	for _, n := range r.items(n, what) {
		if !isMapping(n) {
			r.wrongType(n, item, "a mapping")
			continue
		}
		list = append(list, n)
	}
	return list
}

// readDefaults reads "defaults:". What its keys hold is read with each tool, and once for unknown tools.
func (d *document) readDefaults(n ast.Node) {
	d.defaults = d.fields(n, "defaults", defaultsKeys)
	if v, ok := d.defaults["unknown_tools"]; ok {
		d.unknownTools = d.choice(v.value, "unknown_tools", unknownChoices, nil)
	}
	for _, v := range members(d.defaults["on"].value) {
		name, _ := keyName(v.Key)
		if choice, _ := scalarText(v.Value); name == "unknown" && choice == string(Retry) {
			d.add(at(v.Key), "on.unknown: retry cannot be a default, because it needs a tool that honours our key", "set it on each tool that has idempotent: true")
			delete(d.defaults, "on")
		}
	}
}

// toolEntry reads the name of an entry of "tools:". The rest is read when it is complete.
func (r *reader) toolEntry(n ast.Node) toolEntry {
	t := toolEntry{at: at(n), own: r.fields(n, "a tool", toolKeys)}
	e, ok := t.own["name"]
	if !ok {
		r.add(t.at, "the tool has no name", "add \"name:\" with the tool's name or a glob such as \"github__*\"")
		return t
	}
	t.at = e.key
	t.name = r.name(e.value, "the tool's name")
	if strings.Contains(t.name, "**") {
		r.add(at(e.value), fmt.Sprintf("the glob %q has two stars in a row", t.name), "write one *")
	}
	return t
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
