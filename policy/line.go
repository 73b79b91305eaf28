package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Line is one line of an effective rule: a value, and where it was written. Values are as the policy has them, so that
// "${env:NAME}" is never resolved; a header's value that is written out is left out.
type Line struct {
	Path   []string        // keys from the outside in, such as "on", "done"
	Value  json.RawMessage // one of the policy's values as JSON
	Origin string          // file:line as in Rule.Source; "" for what the language itself says
}

// Lines returns the effective rule, with all that it inherits and with what is built in, in the order of the language's keys.
func (r *Rule) Lines() []Line {
	var list []Line
	rest := r.lines.written()
	for _, key := range toolKeys.now {
		start := len(list)
		for len(rest) > 0 && rest[0].Path[0] == key {
			list, rest = append(list, rest[0]), rest[1:]
		}
		if r.Kind == Write {
			list = appendBuiltin(list, list[start:], key, r)
		}
	}
	return list
}

// lines makes those that were written when somebody asks for them.
type lines struct {
	said   layer
	kind   Kind
	schema *schema

	writing sync.Once
	list    []Line
}

func (l *lines) written() []Line {
	if l == nil {
		return nil
	}
	l.writing.Do(func() {
		w := lineWriter{reader: new(reader)}
		for _, key := range toolKeys.now {
			e, ok := l.said.get(key)
			switch deeper, merges := merged[key]; {
			case !ok || l.kind == Read && !slices.Contains(readKeys, key):
			case key == "schema":
				w.list = append(w.list, Line{Path: []string{key}, Value: l.schema.text, Origin: e.key.source()})
			default:
				w.value([]string{key}, e.key, e.value, deeper, merges)
			}
		}
		l.list = w.list
	})
	return l.list
}

// lineWriter writes values as lines. They were read before, so that nothing is wrong with them.
type lineWriter struct {
	*reader
	list []Line
}

// value writes a value, or the values of a mapping that is merged.
func (w *lineWriter) value(path []string, at place, n *node, deeper merging, merges bool) {
	if merges && len(n.entries) > 0 {
		for _, e := range n.entries {
			next, merges := deeper[e.name]
			w.value(append(slices.Clone(path), e.name), e.key, e.value, next, merges)
		}
		return
	}
	text := w.json(n, "a value")
	if len(path) == 4 && path[2] == "headers" && !bytes.Contains(text, []byte("${env:")) {
		text = []byte(`"…"`)
	}
	w.list = append(w.list, Line{Path: path, Value: text, Origin: at.source()})
}

// appendBuiltin adds what the language says of a key where the policies say nothing. said are the lines about the key.
func appendBuiltin(list, said []Line, key string, r *Rule) []Line {
	add := func(value any, path ...string) {
		if slices.ContainsFunc(said, func(l Line) bool { return slices.Equal(l.Path, path) }) {
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			text = []byte("null") // texts and numbers have no error
		}
		list = append(list, Line{Path: path, Value: text})
	}
	switch key {
	case "effect":
		if r.Effect != "" {
			add(r.Effect, key)
		}
	case "kind":
		add(r.Kind, key)
	case "mode":
		add(r.Mode, key)
	case "window":
		add(ShowDuration(r.Window), key)
	case "lease":
		add(ShowDuration(r.Lease), key)
	case "hold":
		expires := func(l Line) bool { return slices.Equal(l.Path, []string{"approvals", "expires"}) }
		if !slices.ContainsFunc(r.lines.written(), expires) {
			add(ShowDuration(r.Hold), key)
		}
	case "on":
		for _, row := range onTable {
			add(*row.of(&r.On), key, row.key)
		}
	case "near":
		add(r.Near.Same, key, "same")
		add(r.Near.Near, key, "near")
	case "share":
		add(r.Share, key)
	case "keys":
		add(r.Keys, key)
	}
	return list
}

// String gives the line as "on.done: replay".
func (l Line) String() string { return fmt.Sprintf("%s: %s", strings.Join(l.Path, "."), l.Value) }
