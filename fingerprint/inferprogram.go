package fingerprint

import "strings"

// looksLikeProgram reports whether a text is written as programs are and letters hardly ever: a statement of SQL that changes
// something, a line that ends as only code does, or a block behind a word that opens one. It errs on the side of
// prose that is compared exactly: that keeps apart, and joins nothing.
func looksLikeProgram(s string) bool {
	if isStatement(s) {
		return true
	}
	opened, depth := false, 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, " \t\r\n")
		code := strings.TrimLeft(line, " \t")
		if code == "" {
			continue
		}
		if opened && len(line)-len(code) > depth {
			return true
		}
		for _, end := range []string{" {", "){", ");", "};"} {
			if strings.HasSuffix(code, end) {
				return true
			}
		}
		opened, depth = opensBlock(code), len(line)-len(code)
	}
	return false
}

// opensBlock recognises "if a:". A sentence that ends like that begins with a capital.
func opensBlock(line string) bool {
	if !strings.HasSuffix(line, ":") {
		return false
	}
	word, _, _ := strings.Cut(strings.TrimSuffix(line, ":"), " ")
	switch word {
	case "if", "elif", "else", "for", "while", "def", "async", "class", "with", "try", "except", "finally", "match", "case":
		return true
	}
	return false
}

// isStatement recognises statements of SQL by their first words.
func isStatement(s string) bool {
	var words [3]string
	n := 0
	for word := range strings.FieldsSeq(s) {
		words[n] = word
		if n++; n == len(words) {
			break
		}
	}
	is := func(i int, word string) bool { return strings.EqualFold(words[i], word) }
	switch {
	case is(0, "insert"), is(0, "merge"):
		return is(1, "into")
	case is(0, "delete"):
		return is(1, "from")
	case is(0, "update"):
		return is(2, "set")
	case is(0, "create"), is(0, "alter"), is(0, "drop"):
		return is(1, "table")
	}
	return false
}
