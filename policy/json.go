package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// jsonNumber is the number grammar of RFC 8259, section 6.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// json gives a YAML value as JSON text, with every number as it was written.
func (r *reader) json(n *node, what string) []byte {
	var b bytes.Buffer
	r.appendJSON(&b, n, what, 0)
	return b.Bytes()
}

func (r *reader) appendJSON(b *bytes.Buffer, n *node, what string, depth int) {
	if depth > maxDepth {
		r.add(n.at, fmt.Sprintf("%s is nested more than %d deep", what, maxDepth), "nest it less deeply")
		return
	}
	switch n.kind {
	case mappingNode:
		b.WriteByte('{')
		for i, e := range r.entries(n, what) {
			if i > 0 {
				b.WriteByte(',')
			}
			appendText(b, e.name)
			b.WriteByte(':')
			r.appendJSON(b, e.value, what, depth+1)
		}
		b.WriteByte('}')
	case listNode:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			r.appendJSON(b, item, what, depth+1)
		}
		b.WriteByte(']')
	case textNode:
		appendText(b, n.text)
	case numberNode:
		if !jsonNumber.MatchString(n.text) {
			r.add(n.at, fmt.Sprintf("%q in %s is not a number of JSON", n.text, what), "write it as a plain decimal number, or in quotes if it is a text")
			b.WriteString("null")
			return
		}
		b.WriteString(n.text)
	case truthNode:
		b.WriteString(strconv.FormatBool(n.isTrue()))
	case nullNode:
		b.WriteString("null")
	}
}

// needsEscape is wider than what encoding/json escapes.
func needsEscape(c rune) bool {
	return c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
}

// value gives a value that json has found good, as a decoder of its text would.
func (n *node) value() any {
	switch n.kind {
	case mappingNode:
		object := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			object[e.name] = e.value.value()
		}
		return object
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.value()
		}
		return list
	case textNode:
		return n.text
	case numberNode:
		return json.Number(n.text)
	case truthNode:
		return n.isTrue()
	}
	return nil
}

// appendText writes a text as encoding/json does.
func appendText(b *bytes.Buffer, s string) {
	if !strings.ContainsFunc(s, needsEscape) {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return
	}
	text, err := json.Marshal(s)
	if err != nil {
		// Marshal has no error for a string; valid UTF-8 was checked with the file.
		text = []byte(`""`)
	}
	b.Write(text)
}

// locate finds the place of the value that a JSON pointer (RFC 6901) names, or of the nearest value above it.
func locate(n *node, pointer string) place {
	where := n.at
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		next := n.find(pointerUnescapes.Replace(step))
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.items) {
			next = n.items[i]
		}
		if next == nil {
			return where
		}
		n = next
		where = n.at
	}
	return where
}
