package policy

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// inText finds the character of the file at a line (from 1) and column (from 0) of a text's content. Texts that YAML folds, quoted ones
// of several lines and those with rarer escapes are only found as a whole.
func (n *node) inText(line, column int) place {
	where, lines := n.at, n.at.lines()
	switch {
	case n.style == literal:
		for _, below := range lines[1:] {
			if content := strings.TrimLeft(below, " "); strings.TrimSpace(content) != "" {
				return place{where.file, where.line + line, len(below) - len(content) + column + 1}
			}
		}
	case line == 1 && n.style != folded:
		quote, escapes := quotes[n.style], escaped[n.style]
		if !strings.HasPrefix(lines[0], quote+escapes.Replace(n.text)+quote) {
			return where
		}
		before := []rune(n.text)
		before = before[:min(column, len(before))]
		where.column += utf8.RuneCountInString(quote + escapes.Replace(string(before)))
	}
	return where
}

var (
	quotes  = map[style]string{singleQuoted: "'", doubleQuoted: `"`}
	escaped = map[style]*strings.Replacer{
		plain:        strings.NewReplacer(),
		singleQuoted: strings.NewReplacer("'", "''"),
		doubleQuoted: strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`),
	}
)

// lines returns the text of the file from a place on; there is always a first line.
func (p place) lines() []string {
	all := strings.Split(string(bytes.TrimPrefix(p.file.text, byteOrderMark)), "\n")
	if p.line > len(all) {
		return []string{""} // behind the last line
	}
	all = all[p.line-1:]
	for range p.column - 1 {
		_, size := utf8.DecodeRuneInString(all[0])
		all[0] = all[0][size:]
	}
	return all
}
