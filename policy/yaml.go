package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxFileBytes = 4 << 20 // one policy file
	maxDepth     = 64      // nested mappings and lists
	// maxIndent bounds block nesting, because each level of it needs a column more.
	maxIndent = 400
)

// reader reads the values of one YAML document and notes what is wrong with them. Its methods return the zero value for what
// they cannot read: a document with problems is never used.
type reader struct{ report }

// parseYAML reads the i-th of some files as one YAML document. The node is nil when the text has none, or is not YAML; the
// reader says why.
func parseYAML(files []file, i int) (*reader, ast.Node) {
	r, text := &reader{report{files: files}}, files[i].text
	whole, start := place{file: i}, place{i, 1, 1}
	if len(text) > maxFileBytes {
		r.add(whole, fmt.Sprintf("the file has more than %d bytes", maxFileBytes), "split it into several files")
		return r, nil
	}
	if !utf8.Valid(text) {
		r.add(whole, "the file is not valid UTF-8", "save it as UTF-8")
		return r, nil
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(text), "\ufeff"))
	for _, t := range tokens {
		// Values of several files are merged, and each must still know where it was written. Nobody reads the offset but to print it.
		t.Position.Offset = i
	}
	if r.refuse(tokens); len(r.problems) > 0 {
		return r, nil
	}
	tree, err := parseTokens(tokens)
	if err != nil {
		r.syntax(start, err)
		return r, nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc.Body == nil:
		case body == nil:
			body = doc.Body
		default:
			r.add(at(doc.Body), "a second YAML document in the file", "put each document into a file of its own")
			return r, nil
		}
	}
	if body == nil {
		r.add(start, "the file holds no policy", "begin it with \"version: 1\"")
	}
	return r, body
}

// refuse looks for what this language leaves out of YAML, and for nesting that would exhaust the parser's stack.
func (r *reader) refuse(tokens token.Tokens) {
	flow := 0
	for _, t := range tokens {
		p := tokenPlace(t)
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			r.add(p, "anchors, aliases and merge keys are not part of the policy language", "write the value out, or put it under defaults")
		case token.TagType:
			r.add(p, "YAML tags are not part of the policy language", "remove the tag")
		case token.DirectiveType:
			r.add(p, "YAML directives are not part of the policy language", "remove the line")
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow == 0 && t.Position.Column > maxIndent {
				r.add(p, fmt.Sprintf("the text is indented by more than %d columns", maxIndent), "nest it less deeply")
				return
			}
		}
		if flow > maxDepth {
			r.add(p, fmt.Sprintf("values are nested more than %d deep", maxDepth), "nest them less deeply")
			return
		}
	}
}

// parseTokens turns a panic of the YAML library into an error, because a bad file must never end the program.
func parseTokens(tokens token.Tokens) (tree *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			tree, err = nil, errors.New("the YAML parser gave up on this text")
		}
	}()
	// Duplicate keys are allowed here and refused by entries, which can name both places.
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

func (r *reader) syntax(where place, err error) {
	var located yaml.Error
	message := err.Error()
	if errors.As(err, &located) {
		message = located.GetMessage()
		if t := located.GetToken(); t != nil && t.Position != nil {
			where = place{where.file, t.Position.Line, max(t.Position.Column, 1)}
		}
	}
	r.add(where, "not valid YAML: "+message, "mind indentation, quotes and brackets at and just above this place")
}

// at is where a node begins.
func at(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		// The token of a block mapping is its first colon.
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return place{0, 1, 1}
	}
	return tokenPlace(t)
}

func tokenPlace(t *token.Token) place {
	return place{t.Position.Offset, t.Position.Line, max(t.Position.Column, 1)}
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// entry is one key of a mapping with its value.
type entry struct {
	name  string
	key   place
	value ast.Node
}

// entries reads a mapping with any keys, in the order of the file.
func (r *reader) entries(n ast.Node, what string) []entry {
	if !isMapping(n) {
		r.wrongType(n, what, "a mapping")
		return nil
	}
	values := members(n)
	list := make([]entry, 0, len(values))
	twin := twins(values)
	for _, v := range values {
		name, ok := keyName(v.Key)
		where := at(v.Key)
		if !ok {
			r.add(where, "a key of "+what+" is not plain text", "use a text as the key")
			continue
		}
		if first := twin(name, list); first != nil {
			r.add(where, fmt.Sprintf("the key %q of %s is written twice, first on line %d", name, what, first.key.line), "keep one of them")
			continue
		}
		list = append(list, entry{name: name, key: where, value: v.Value})
	}
	return list
}

// twins returns a search for an entry with a name among those that were read. Most mappings are too small for a map to pay.
func twins(values []*ast.MappingValueNode) func(name string, read []entry) *entry {
	const few = 16
	if len(values) <= few {
		return func(name string, read []entry) *entry {
			for i := range read {
				if read[i].name == name {
					return &read[i]
				}
			}
			return nil
		}
	}
	seen, known := make(map[string]int, len(values)), 0
	return func(name string, read []entry) *entry {
		for ; known < len(read); known++ {
			seen[read[known].name] = known
		}
		if i, ok := seen[name]; ok {
			return &read[i]
		}
		return nil
	}
}

func keyName(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}

// keys are the keys that a mapping may have: those of this version, and those that the language will have later.
type keys struct{ now, later []string }

// fields reads a mapping with a fixed set of keys.
func (r *reader) fields(n ast.Node, what string, valid keys) map[string]entry {
	found := make(map[string]entry)
	for _, e := range r.entries(n, what) {
		switch {
		case slices.Contains(valid.now, e.name):
			found[e.name] = e
		case slices.Contains(valid.later, e.name):
			r.add(e.key, fmt.Sprintf("this version does not have %q yet, and ignoring it would promise what is not enforced", e.name), "remove it")
		default:
			r.add(e.key, fmt.Sprintf("unknown key %q in %s", e.name, what), suggest(e.name, valid.now))
		}
	}
	return found
}

// wrongType notes that n is not of the wanted type.
func (r *reader) wrongType(n ast.Node, what, wanted string) {
	if _, null := n.(*ast.NullNode); null {
		r.add(at(n), what+" has no value", "give it "+wanted+", or remove the key")
		return
	}
	remedy := "write " + wanted
	if wanted == "a text" {
		remedy = "put it in quotes"
		switch n.(type) {
		case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
			remedy = "write one text"
		}
	}
	r.add(at(n), fmt.Sprintf("%s is %s where %s is needed", what, typeName(n), wanted), remedy)
}

func typeName(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	}
	return "something else"
}
