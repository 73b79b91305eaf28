package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxFileBytes = 4 << 20 // one policy file
	maxDepth     = 64      // nested mappings and lists of one value
	maxNesting   = 100     // the same of a file
)

var byteOrderMark = []byte("\ufeff")

// parseYAML reads a file as one YAML document. The node is nil when the text has none, or is not YAML; the reader says why.
func parseYAML(f *file) (*reader, *node) {
	r, whole := &reader{}, place{file: f}
	if len(f.text) > maxFileBytes {
		r.add(whole, fmt.Sprintf("the file has more than %d bytes", maxFileBytes), "split it into several files")
		return r, nil
	}
	if !utf8.Valid(f.text) {
		r.add(whole, "the file is not valid UTF-8", "save it as UTF-8")
		return r, nil
	}
	if line := directive(f.text); line > 0 {
		r.add(place{f, line, 1}, "YAML directives are not part of the policy language", "remove the line")
		return r, nil
	}
	documents, err := loadYAML(bytes.TrimPrefix(f.text, byteOrderMark))
	if err != nil {
		r.syntax(f, err)
		return r, nil
	}
	if len(documents) == 0 {
		r.add(place{f, 1, 1}, "the file holds no policy", "begin it with \"version: 1\"")
		return r, nil
	}
	c := converter{reader: r, file: f}
	if len(documents) > 1 {
		r.add(c.place(documents[1]), "a second YAML document in the file", "put each document into a file of its own")
		return r, nil
	}
	body := new(node)
	c.convert(body, documents[0], 1)
	if len(r.problems) > 0 {
		return r, nil
	}
	return r, body
}

// directive returns the line of a directive at the beginning of a text, 0 where there is none. The YAML library obeys the
// directives that it knows and does not tell.
func directive(text []byte) int {
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, byteOrderMark)) {
		number++
		switch line = bytes.TrimRight(line, " \t\r\n"); {
		case len(line) == 0 || line[0] == '#':
		case line[0] == '%':
			return number
		default:
			return 0
		}
	}
	return 0
}

// loadYAML returns the documents of a text that hold anything. It turns a panic of the YAML library into an error, because a bad file
// must never end the program.
func loadYAML(text []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			documents, err = nil, errors.New("the YAML parser gave up on this text")
		}
	}()
	// Keys that are written twice are refused by reader.entries, which can name both places.
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, err
	}
	for {
		var document yaml.Node
		if err := loader.Load(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		if body := document.Content[0]; !isNothing(body) {
			documents = append(documents, body)
		}
	}
}

// isNothing reports whether there is nothing where a document or value could be.
func isNothing(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == "" && n.Anchor == ""
}

// syntax notes what the YAML library found.
func (r *reader) syntax(f *file, err error) {
	where, message, remedy := place{f, 1, 1}, err.Error(), "mind indentation, quotes and brackets at and just above this place"
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		where, message = syntaxPlace(f, e), e.Message
	}
	switch text := where.lines()[0]; {
	case strings.HasPrefix(message, "unknown anchor"):
		r.unsupported(where)
		return
	case strings.HasPrefix(text, "\t"):
		message, remedy = "a tab stands where only spaces may", "indent with spaces"
	case message == "found unexpected end of stream":
		message, remedy = "the text that begins here has no closing quote", "close it"
	case strings.HasPrefix(message, "control characters"):
		message, remedy = "it holds an invisible control character", "remove it, or write it as an escape within double quotes"
	}
	r.add(where, "not valid YAML: "+message, remedy)
}

// syntaxPlace is where an error is to be mended: where a quote or bracket was opened that the rest of the file does not close, else where
// the library noticed it.
func syntaxPlace(f *file, e *yaml.LoadError) place {
	mark := e.Mark
	if mark.Line == 0 {
		// The library's reader knows only how many bytes it has read.
		read := bytes.TrimPrefix(f.text, byteOrderMark)
		read = read[:min(max(mark.Index, 0), len(read))]
		line := read[bytes.LastIndexByte(read, '\n')+1:]
		return place{f, 1 + bytes.Count(read, []byte("\n")), 1 + utf8.RuneCount(line)}
	}
	where := place{f, mark.Line, max(mark.Column, 1)}
	if e.ContextMark.Line > 0 && strings.TrimSpace(strings.Join(where.lines(), "")) == "" {
		where.line, where.column = e.ContextMark.Line, max(e.ContextMark.Column, 1)
	}
	return where
}

// converter turns nodes of the YAML library into our own, and notes what this language leaves out of YAML.
type converter struct {
	*reader
	file *file
}

func (c *converter) place(y *yaml.Node) place { return place{c.file, y.Line, max(y.Column, 1)} }

func (c *converter) convert(n *node, y *yaml.Node, depth int) {
	n.at = c.place(y)
	c.refuse(y, n.at)
	if depth > maxNesting {
		c.add(n.at, fmt.Sprintf("values are nested more than %d deep", maxNesting), "nest them less deeply")
		return
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mappingNode
		n.entries = make([]entry, len(y.Content)/2)
		values := make([]node, len(n.entries))
		for i := range n.entries {
			key, value := y.Content[2*i], y.Content[2*i+1]
			n.entries[i] = entry{key: c.place(key), value: &values[i]}
			c.key(&n.entries[i], key, value)
			c.convert(&values[i], value, depth+1)
		}
	case yaml.SequenceNode:
		n.kind = listNode
		n.items = make([]*node, len(y.Content))
		values := make([]node, len(y.Content))
		for i := range values {
			n.items[i] = &values[i]
			c.convert(&values[i], y.Content[i], depth+1)
		}
	default:
		n.kind, n.text, n.style = textNode, y.Value, styleOf(y.Style)
		if n.style == plain {
			n.kind = scalarKind(y.Value)
		}
	}
}

// key reads the key of an entry.
func (c *converter) key(e *entry, y, value *yaml.Node) {
	c.refuse(y, e.key)
	if y.Kind != yaml.ScalarNode {
		e.odd = true
		return
	}
	e.name = y.Value
	switch {
	case styleOf(y.Style) != plain:
	case e.name == "<<":
		c.unsupported(e.key)
	case isNothing(value) && strings.Contains(e.name, ":"):
		// Within braces YAML takes "type:string" for a key as a whole.
		c.add(e.key, fmt.Sprintf("%q is a key without a value", e.name), "put a space behind the colon")
	}
}

// refuse notes anchors, aliases and tags.
func (c *converter) refuse(y *yaml.Node, where place) {
	if y.Kind == yaml.AliasNode || y.Anchor != "" {
		c.unsupported(where)
	}
	if y.Style&yaml.TaggedStyle != 0 || y.Tag == "!" {
		c.add(where, "YAML tags are not part of the policy language", "remove the tag")
	}
}

func (r *reader) unsupported(where place) {
	r.add(where, "anchors, aliases and merge keys are not part of the policy language", "write the value out, or put it under defaults")
}

func styleOf(s yaml.Style) style {
	switch {
	case s&yaml.SingleQuotedStyle != 0:
		return singleQuoted
	case s&yaml.DoubleQuotedStyle != 0:
		return doubleQuoted
	case s&yaml.LiteralStyle != 0:
		return literal
	case s&yaml.FoldedStyle != 0:
		return folded
	}
	return plain
}
