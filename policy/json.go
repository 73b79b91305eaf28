package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// jsonNumber is the number grammar of RFC 8259, section 6.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// json gives a YAML value as JSON text, with every number as it was written.
func (r *reader) json(n ast.Node, what string) []byte {
	var b bytes.Buffer
	r.appendJSON(&b, n, what, 0)
	return b.Bytes()
}

func (r *reader) appendJSON(b *bytes.Buffer, n ast.Node, what string, depth int) {
	if depth > maxDepth {
		r.add(at(n), fmt.Sprintf("%s is nested more than %d deep", what, maxDepth), "nest it less deeply")
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
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
	case *ast.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			r.appendJSON(b, item, what, depth+1)
		}
		b.WriteByte(']')
	case *ast.BoolNode:
		b.WriteString(strconv.FormatBool(n.Value))
	case *ast.NullNode:
		b.WriteString("null")
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		text := n.GetToken().Value
		if !jsonNumber.MatchString(text) {
			r.add(at(n), fmt.Sprintf("%q in %s is not a number of JSON", text, what), "write it as a plain decimal number, or in quotes if it is a text")
			text = "null"
		}
		b.WriteString(text)
	case *ast.StringNode:
		// The YAML library takes numbers that no machine word holds for texts.
		if plain(n) && jsonNumber.MatchString(n.Value) {
			b.WriteString(n.Value)
			return
		}
		appendText(b, n.Value)
	case *ast.LiteralNode:
		appendText(b, n.Value.Value)
	default:
		r.add(at(n), what+" holds a value that JSON does not have", "write a mapping, a list, a text, a number, true, false or null")
		b.WriteString("null")
	}
}

func appendText(b *bytes.Buffer, s string) {
	text, err := json.Marshal(s)
	if err != nil {
		// Marshal has no error for a string; valid UTF-8 was checked with the file.
		text = []byte(`""`)
	}
	b.Write(text)
}

// locate finds the place of the value that a JSON pointer (RFC 6901) names, or of the nearest value above it.
func locate(n ast.Node, pointer string) place {
	where := at(n)
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		step = pointerUnescapes.Replace(step)
		var next ast.Node
		switch v := n.(type) {
		case *ast.MappingNode:
			for _, m := range v.Values {
				if name, ok := keyName(m.Key); ok && name == step {
					next = m.Value
				}
			}
		case *ast.SequenceNode:
			if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v.Values) {
				next = v.Values[i]
			}
		}
		if next == nil {
			return where
		}
		n = next
		where = at(n)
	}
	return where
}
