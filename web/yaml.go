package web

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/onceguard/onceguard/policy"
)

// yamlLine is a line of a policy as people write it.
type yamlLine struct {
	Number int
	Text   string
	Origin string // file:line; "" for what the language itself says, and for lines that go on
	Own    bool   // it was written by somebody
}

// yamlOf writes an effective rule as an entry of "tools:". Lines come in the order of their keys, so that those of one mapping follow each other.
func yamlOf(lines []policy.Line) []yamlLine {
	var all []yamlLine
	add := func(text, origin string, own bool) {
		all = append(all, yamlLine{len(all) + 1, text, origin, own})
	}
	var open []string // the keys of mappings that are written at the moment
	for _, l := range lines {
		depth := 0
		for depth < len(l.Path)-1 && depth < len(open) && open[depth] == l.Path[depth] {
			depth++
		}
		open = open[:depth]
		for ; depth < len(l.Path)-1; depth++ {
			add(indent(depth)+yamlKey(l.Path[depth])+":", "", l.Origin != "")
			open = append(open, l.Path[depth])
		}
		head := indent(depth) + yamlKey(l.Path[depth]) + ":"
		for i, text := range yamlValue(l.Value) {
			switch {
			case i == 0 && text == "":
				add(head, l.Origin, l.Origin != "")
			case i == 0:
				add(head+" "+text, l.Origin, l.Origin != "")
			default:
				add(indent(depth+1)+text, "", l.Origin != "")
			}
		}
	}
	return all
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

// plainKey is a key that needs no quotes, unless it is one of wordKeys.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// wordKeys are words that mean something else in YAML 1.2. "on", which older versions read as a truth, is the language's own.
var wordKeys = []string{"true", "false", "null"}

// yamlKey quotes a key where YAML needs it.
func yamlKey(key string) string {
	if plainKey.MatchString(key) && !slices.Contains(wordKeys, strings.ToLower(key)) {
		return key
	}
	if strings.ContainsFunc(key, hidden) || !utf8.ValidString(key) {
		return strconv.QuoteToASCII(key) // whose escapes YAML has as well
	}
	text, err := yaml.Marshal(key)
	if err != nil {
		return key // no string fails
	}
	return strings.TrimSuffix(string(text), "\n")
}

// shortFlow is the longest value that is written in one line.
const shortFlow = 90

// yamlValue writes a JSON value: in one line where it is short, else as a block that begins on the line after an empty one.
func yamlValue(value []byte) []string {
	var ordered any
	if err := yaml.UnmarshalWithOptions(value, &ordered, yaml.UseOrderedMap()); err != nil {
		return []string{string(value)} // JSON is YAML, except for oddities that the policy's own reader refuses
	}
	if list, ok := ordered.([]any); ok && slices.ContainsFunc(list, isMapping) {
		if rows := yamlItems(list); rows != nil {
			return rows
		}
	} else if line, short := yamlFlow(ordered); short {
		return []string{line}
	}
	block, err := yaml.MarshalWithOptions(ordered, yaml.Indent(2), yaml.IndentSequence(false), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return []string{string(value)}
	}
	rows := strings.Split(strings.TrimSuffix(string(block), "\n"), "\n")
	switch ordered.(type) {
	case yaml.MapSlice, []any:
		return append([]string{""}, rows...)
	}
	return rows // a long text
}

func isMapping(v any) bool {
	_, is := v.(yaml.MapSlice)
	return is
}

// yamlItems writes a list with an item on each line; nil if one is too long for that.
func yamlItems(list []any) []string {
	rows := []string{""}
	for _, item := range list {
		line, short := yamlFlow(item)
		if !short {
			return nil
		}
		rows = append(rows, "- "+line)
	}
	return rows
}

// yamlFlow writes a value in one line, and reports whether that is short.
func yamlFlow(v any) (line string, short bool) {
	flow, err := yaml.MarshalWithOptions(v, yaml.Flow(true))
	line = strings.TrimSuffix(string(flow), "\n")
	return line, err == nil && len(line) <= shortFlow && !strings.Contains(line, "\n")
}
