package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfigFile bounds a configuration file, in bytes.
const maxConfigFile = 64 << 10

// fileEntry is one setting of a configuration file.
type fileEntry struct {
	key, value string
	place      string // file:line:column of the key
}

// readConfigFile reads a YAML file with one mapping of names to plain values. The error names file, line and
// column.
func readConfigFile(name string) ([]fileEntry, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	if len(text) > maxConfigFile {
		return nil, fmt.Errorf("%s: the configuration file has more than %d bytes", name, maxConfigFile)
	}
	return parseConfigFile(name, text)
}

func parseConfigFile(name string, text []byte) (entries []fileEntry, err error) {
	defer func() {
		if recover() != nil {
			entries, err = nil, fmt.Errorf("%s: the YAML parser gave up on this text", name)
		}
	}()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	var problems []error
	for i, doc := range tree.Docs {
		if i > 0 && doc.Body != nil {
			return nil, fmt.Errorf("%s: a second YAML document in the file; put all settings into one", place(name, doc.Body))
		}
		found, bad := mapping(name, doc.Body)
		entries, problems = append(entries, found...), append(problems, bad...)
	}
	return entries, errors.Join(problems...)
}

// mapping reads the settings of a document. An empty one has none.
func mapping(file string, body ast.Node) (entries []fileEntry, problems []error) {
	var values []*ast.MappingValueNode
	switch m := body.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		return nil, []error{fmt.Errorf("%s: write one setting a line, such as \"addr: 127.0.0.1:7411\"", place(file, body))}
	}
	for _, v := range values {
		where := place(file, v.Key)
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			problems = append(problems, fmt.Errorf("%s: the name of a setting is a plain word", where))
			continue
		}
		value, ok := scalar(v.Value)
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s needs one plain value", where, key.Value))
			continue
		}
		entries = append(entries, fileEntry{key.Value, value, where})
	}
	return entries, problems
}

// scalar gives the text of a plain value as it was written.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func place(file string, n ast.Node) string {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return fmt.Sprintf("%s:%d:%d", file, t.Position.Line, t.Position.Column)
	}
	return file
}

// syntaxError says where the YAML is broken, without the library's drawing of it.
func syntaxError(file string, err error) error {
	located, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return fmt.Errorf("%s: not valid YAML: %w", file, err)
	}
	if t := located.GetToken(); t != nil && t.Position != nil {
		file = fmt.Sprintf("%s:%d:%d", file, t.Position.Line, t.Position.Column)
	}
	return fmt.Errorf("%s: not valid YAML: %s", file, located.GetMessage())
}

// yamlScalar writes a text so that it is read back as the same text.
func yamlScalar(s string) string {
	b, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return string(b[:len(b)-1])
}
