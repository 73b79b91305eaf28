package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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

// isGeneral reports whether the file says something of tools that others define.
func (d *document) isGeneral() bool {
	return len(d.defaults) > 0 || len(d.groups) > 0 || len(d.endpoints) > 0
}

// toolEntry is one entry of "tools:": its name, and what it says itself.
type toolEntry struct {
	at   place
	name string
	own  layer
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

// readDocument reads a policy file.
func readDocument(f *file) *document {
	r, body := parseYAML(f)
	d := &document{reader: r}
	if body == nil {
		return d
	}
	if body.kind != mappingNode {
		r.wrongType(body, "a policy file", "a mapping")
		return d
	}
	said := r.fields(body, "a policy file", documentKeys)
	if v, ok := said.get("version"); !ok {
		r.add(body.at, "the file does not say which version of the policy language it is written in", "begin it with \"version: 1\"")
	} else if v.value.kind != numberNode || v.value.text != "1" {
		r.add(v.value.at, "the file is written in a version of the policy language that this program does not know", "write \"version: 1\"")
	}
	if v, ok := said.get("defaults"); ok {
		d.readDefaults(v.value)
	}
	if v, ok := said.get("groups"); ok {
		for _, n := range r.mappings(v.value, "groups", "a group") {
			d.groups = append(d.groups, r.group(n))
		}
	}
	if v, ok := said.get("tools"); ok {
		for _, n := range r.mappings(v.value, "tools", "a tool") {
			d.tools = append(d.tools, r.toolEntry(n))
		}
	}
	if v, ok := said.get("notify"); ok {
		d.endpoints = r.endpoints(v.value)
	}
	if f.only != "" {
		d.checkKept(body, f.only)
	}
	return d
}

// mappings reads a list of mappings.
func (r *reader) mappings(n *node, what, item string) []*node {
	var list []*node
	for _, n := range r.items(n, what) {
		if n.kind != mappingNode {
			r.wrongType(n, item, "a mapping")
			continue
		}
		list = append(list, n)
	}
	return list
}

// readDefaults reads "defaults:". What its keys hold is read with each tool, and once for unknown tools.
func (d *document) readDefaults(n *node) {
	d.defaults = d.fields(n, "defaults", defaultsKeys)
	if v, ok := d.defaults.get("unknown_tools"); ok {
		d.unknownTools = d.choice(v.value, "unknown_tools", unknownChoices, nil)
	}
	if v, ok := d.defaults.get("on"); ok {
		if choice, ok := layer(v.value.entries).get("unknown"); ok && choice.value.text == string(Retry) {
			d.add(choice.key, "on.unknown: retry cannot be a default, because it needs a tool that honours our key", "set it on each tool that has idempotent: true")
			d.defaults = slices.DeleteFunc(slices.Clone(d.defaults), func(e entry) bool { return e.name == "on" })
		}
	}
}

// toolEntry reads the name of an entry of "tools:". The rest is read when it is complete.
func (r *reader) toolEntry(n *node) toolEntry {
	t := toolEntry{at: n.at, own: r.fields(n, "a tool", toolKeys)}
	e, ok := t.own.get("name")
	if !ok {
		r.add(t.at, "the tool has no name", "add \"name:\" with the tool's name or a glob such as \"github__*\"")
		return t
	}
	t.at = e.key
	t.name = r.name(e.value, "the tool's name")
	if strings.Contains(t.name, "**") {
		r.add(e.value.at, fmt.Sprintf("the glob %q has two stars in a row", t.name), "write one *")
	}
	return t
}

// name reads an identifier such as a tool's name.
func (r *reader) name(n *node, what string) string {
	s := r.string(n, what)
	if len(s) > maxName {
		r.add(n.at, fmt.Sprintf("%s has more than %d bytes", what, maxName), "shorten it")
		return ""
	}
	for _, c := range s {
		if unicode.IsSpace(c) || !unicode.IsPrint(c) {
			r.add(n.at, fmt.Sprintf("%s %q holds white space or an invisible character", what, s), "remove it")
			return ""
		}
	}
	return s
}
