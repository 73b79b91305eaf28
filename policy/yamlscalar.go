package policy

import (
	"regexp"
	"strings"
)

// scalarKind is the type of a scalar without quotes, by the core schema of YAML 1.2. What older versions of YAML take for a number, such as
// 0b11 and 1_000, is one as well, so that nobody's text is what another program reads as a number.
func scalarKind(text string) nodeKind {
	if text == "" {
		return nullNode
	}
	switch c := text[0]; {
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.':
		if yamlNumber.MatchString(text) {
			return numberNode
		}
	case c == '~', c|0x20 == 'n', c|0x20 == 't', c|0x20 == 'f':
		switch text {
		case "~", "null", "Null", "NULL":
			return nullNode
		case "true", "True", "TRUE", "false", "False", "FALSE":
			return truthNode
		}
	}
	return textNode
}

// yamlNumber is every spelling of a number.
var yamlNumber = regexp.MustCompile(`^[-+]?(0x[0-9a-fA-F_]+|0o?[0-7_]+|0b[01_]+|([0-9][0-9_]*)?\.?[0-9][0-9_]*([eE][-+]?[0-9]+)?|[0-9][0-9_]*\.|\.inf|\.Inf|\.INF)$|^\.(nan|NaN|NAN)$`)

func (n *node) isTrue() bool { return strings.EqualFold(n.text, "true") }
