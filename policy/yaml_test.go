package policy

import "testing"

// Scalars are what YAML 1.2 makes of them, but for numbers of older versions, which are no texts here.
func TestScalarKinds(t *testing.T) {
	for kind, scalars := range map[nodeKind][]string{
		nullNode:   {"", "~", "null", "Null", "NULL"},
		truthNode:  {"true", "True", "TRUE", "false", "False", "FALSE"},
		numberNode: {"0", "1", "-1", "+1", "1.5", ".5", "5.", "1e5", "-1.5E-3", "9223372036854775808", "0x1F", "0o17", "017", "08", "0b11", "1_000", ".inf", "-.Inf", ".nan"},
		textNode: {
			"yes", "no", "on", "off", "y", "N", "nULL", "tRUE", "a", "-", "+", ".", "_1", "-_", "1.2.3", "1h", "2024-01-31", "12:30", "0x", "0b2", "1e", "inf", "nan", "$5", "１",
		},
	} {
		for _, s := range scalars {
			if got := scalarKind(s); got != kind {
				t.Errorf("%q is %s, want %s", s, got, kind)
			}
			_, n := parseYAML(&file{name: "p.yaml", text: []byte("key: [\"" + s + "\"]")})
			if quoted := n.entries[0].value.items[0]; quoted.kind != textNode || quoted.text != s {
				t.Errorf("in quotes %q is %s %q", s, quoted.kind, quoted.text)
			}
		}
	}
}

// What a person sees of a place in an expression must be the place in the file.
func TestPlacesWithinTexts(t *testing.T) {
	for name, c := range map[string]struct {
		yaml         string
		line, column int    // in the text
		want         [2]int // in the file
	}{
		"plain":            {"key: a + b", 1, 4, [2]int{1, 10}},
		"single quotes":    {"key: 'it''s + b'", 1, 7, [2]int{1, 15}},
		"double quotes":    {`key: "a \"x\" + b"`, 1, 8, [2]int{1, 17}},
		"beyond ASCII":     {`key: "äöü + b"`, 1, 6, [2]int{1, 13}},
		"rarer escape":     {`key: "\u0061 + b"`, 1, 4, [2]int{1, 6}},
		"quotes folded":    {"key: \"a\n  + b\"", 1, 4, [2]int{1, 6}},
		"literal":          {"key: |\n  a\n    + b\n", 2, 4, [2]int{3, 7}},
		"literal, blank":   {"key: |\n\n  a\n  + b\n", 3, 2, [2]int{4, 5}},
		"folded":           {"key: >\n  a\n  + b\n", 1, 4, [2]int{1, 6}},
		"byte order mark":  {"\ufeffkey: a + b", 1, 4, [2]int{1, 10}},
		"column too large": {"key: a", 1, 50, [2]int{1, 7}},
	} {
		_, n := parseYAML(&file{name: "p.yaml", text: []byte(c.yaml)})
		got := n.entries[0].value.inText(c.line, c.column)
		if got.line != c.want[0] || got.column != c.want[1] {
			t.Errorf("%s: %d:%d, want %d:%d", name, got.line, got.column, c.want[0], c.want[1])
		}
	}
}
