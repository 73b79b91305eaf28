package fingerprint

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// readCommand reads a command line of the shell (POSIX.1, chapter 2, and Bash, by mvdan.cc/sh). The form is a command line
// again, with one space between words and one way of quoting.
//
// It joins what every shell runs alike: white space between words, blank and continued lines, comments, redirections before
// and behind the words, and the quoting of words that no expansion touches (ls -l "a b" and ls  -l a\ b).
//
// It keeps apart options in another order or another form, a command name that is quoted, which no alias replaces, commands
// on one line and on two, and the spellings of a word with an expansion, substitution, glob, brace, tilde or history mark:
// such a word stays as it is, to the byte. Compound commands (if, for, case, functions, subshells, [[ ]]), here-documents, redirections that POSIX has not, and exported and
// array assignments are compared as they are written, but for space around them. Compared exactly are texts that do not parse,
// that end in a backslash, have carriage returns or NULs, or more than 16 KiB, and other types.
func readCommand(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	text := v.Text()
	file, fault := parseCommand(text)
	if fault != "" {
		return nil, fault, false
	}
	dst = append(dst, "command "...)
	p := commandPrinter{text: text, out: dst}
	if p.statements(file.Stmts) {
		if endsInEscape(string(p.out)) { // what it escaped was a line's end, which does not count
			return nil, "the command ends in a backslash", false
		}
		return p.out, "", true
	}
	return append(dst, trimBlanks(text)...), "a compound command; compared as it is written", true
}

func parseCommand(text string) (file *syntax.File, fault string) {
	const longest = 16 << 10 // bytes; the parser recurses into what is nested
	switch {
	case len(text) > longest:
		return nil, "the command is too long to be parsed"
	case strings.ContainsAny(text, "\r\x00"):
		return nil, "the command has a carriage return or a NUL"
	case strings.HasPrefix(text, "#!"):
		return nil, "a script that names its interpreter"
	case endsInEscape(text):
		return nil, "the command ends in a backslash"
	case strings.Contains(text, "\\\n") && strings.Contains(text, "#"):
		return nil, "a line goes on, and there may be a comment" // in which the parser lets it go on, and shells do not
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, "not a command that a shell can parse"
	}
	if len(file.Stmts) == 0 {
		return nil, "no command"
	}
	return file, ""
}

// trimBlanks drops what shells take for space around a command; other white space is characters of words, and so is a blank behind
// a backslash.
func trimBlanks(text string) string {
	const blanks = " \t\n"
	text = strings.TrimLeft(text, blanks)
	if trimmed := strings.TrimRight(text, blanks); !endsInEscape(trimmed) {
		return trimmed
	}
	return text
}

// endsInEscape reports whether a backslash at the end quotes what would follow.
func endsInEscape(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// commandPrinter writes simple commands. Its methods return false for what is not one.
type commandPrinter struct {
	text string
	out  []byte
}

func (p *commandPrinter) statements(list []*syntax.Stmt) bool {
	for i, s := range list {
		if i > 0 {
			p.write(p.separator(list[i-1], s))
		}
		if !p.statement(s) {
			return false
		}
		if s.Background {
			p.write(" &")
		}
	}
	return true
}

// separator keeps a line break: what a line defines, such as an alias, the parser of a shell knows from the next line on.
func (p *commandPrinter) separator(before, after *syntax.Stmt) string {
	gap := p.text[before.End().Offset():after.Pos().Offset()]
	switch {
	case strings.Contains(strings.ReplaceAll(gap, "\\\n", ""), "\n"):
		return "\n"
	case before.Background:
		return " "
	default:
		return "; "
	}
}

func (p *commandPrinter) statement(s *syntax.Stmt) bool {
	if s.Coprocess || s.Disown || s.Cmd == nil {
		return false
	}
	if s.Negated {
		p.write("! ")
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		if !p.call(c) {
			return false
		}
	case *syntax.BinaryCmd:
		// Operands without brackets are written in their order, so that they group as before.
		if c.Op != syntax.AndStmt && c.Op != syntax.OrStmt && c.Op != syntax.Pipe || len(s.Redirs) > 0 || c.X.Background || c.Y.Background || !p.statement(c.X) {
			return false
		}
		p.write(" " + c.Op.String() + " ")
		if !p.statement(c.Y) {
			return false
		}
	default:
		return false
	}
	for _, r := range s.Redirs {
		if !p.redirection(r) {
			return false
		}
	}
	return true
}

func (p *commandPrinter) call(c *syntax.CallExpr) bool {
	for i, a := range c.Assigns {
		if a.Naked || a.Name == nil || a.Index != nil || a.Array != nil {
			return false
		}
		p.space(i)
		p.write(a.Name.Value)
		if a.Append {
			p.write("+")
		}
		p.write("=")
		if a.Value != nil && !p.word(a.Value, false) {
			return false
		}
	}
	for i, w := range c.Args {
		p.space(i + len(c.Assigns))
		if !p.word(w, i == 0) {
			return false
		}
	}
	return true
}

// redirection writes one of those that POSIX has. To a shell that does not know it, another is two things: "&>f" is "& >f".
func (p *commandPrinter) redirection(r *syntax.Redirect) bool {
	between := " " // "<" and "<(list)" are not "<<(list)"
	switch r.Op {
	case syntax.RdrIn, syntax.RdrOut, syntax.AppOut, syntax.RdrInOut, syntax.RdrClob:
	case syntax.DplIn, syntax.DplOut:
		between = ""
	default:
		return false
	}
	p.write(" ")
	if r.N != nil {
		if strings.Trim(r.N.Value, "0123456789") != "" {
			return false
		}
		p.write(r.N.Value)
	}
	if after := p.text[r.Word.End().Offset():]; after != "" && strings.IndexByte("<>", after[0]) >= 0 {
		return false // ">&1<f" is ">& 1<f" to some shells
	}
	p.write(r.Op.String() + between)
	return p.word(r.Word, false)
}

func (p *commandPrinter) space(before int) {
	if before > 0 {
		p.write(" ")
	}
}

func (p *commandPrinter) write(s string) { p.out = append(p.out, s...) }

// word writes a word: what it stands for, quoted where it must be, or the word as it is where the shell expands it.
func (p *commandPrinter) word(w *syntax.Word, isName bool) bool {
	value, fixed := p.fixed(w)
	switch {
	case !fixed && strings.Contains(p.source(w), "\\\n"):
		return false // a line that goes on is no part of the word
	case !fixed:
		p.write(p.source(w))
	case value != "" && strings.Trim(value, plainInWords) == "" && (!isName || p.source(w) == value):
		p.write(value)
	default:
		p.write("'" + strings.ReplaceAll(value, "'", `'\''`) + "'")
	}
	return true
}

// plainInWords are the characters that no shell treats in a special way anywhere in a word.
const plainInWords = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%"

func (p *commandPrinter) source(n syntax.Node) string {
	return p.text[n.Pos().Offset():n.End().Offset()]
}

// fixed returns the text that a word always stands for, whatever the variables and files are.
func (p *commandPrinter) fixed(w *syntax.Word) (value string, ok bool) {
	if strings.HasPrefix(p.source(w), "=") {
		return "", false // the Z shell looks a command up
	}
	var b strings.Builder
	for _, part := range w.Parts {
		switch q := part.(type) {
		case *syntax.Lit:
			if !unescape(&b, p.source(q), isPlainUnquoted, func(byte) bool { return true }) {
				return "", false
			}
		case *syntax.SglQuoted:
			if q.Dollar {
				return "", false
			}
			b.WriteString(q.Value)
		case *syntax.DblQuoted:
			if q.Dollar {
				return "", false
			}
			for _, inner := range q.Parts {
				lit, isLit := inner.(*syntax.Lit)
				if !isLit || !unescape(&b, p.source(lit), isPlainQuoted, isEscapable) {
					return "", false
				}
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unescape writes s without the backslashes that quote. plain says which characters stand for themselves, and escapable before
// which ones a backslash quotes; before others it stays.
func unescape(b *strings.Builder, s string, plain, escapable func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == '\n' {
				continue // a line that goes on
			}
			if !escapable(s[i]) {
				b.WriteByte(c)
			}
			b.WriteByte(s[i])
		case !plain(c):
			return false
		default:
			b.WriteByte(c)
		}
	}
	return true
}

// isPlainUnquoted leaves out what begins an expansion of names, files, braces or history in some shell.
func isPlainUnquoted(c byte) bool {
	return c >= 0x80 || c == '=' || strings.IndexByte(plainInWords, c) >= 0
}

// isPlainQuoted leaves out what is special between double quotes, with history too.
func isPlainQuoted(c byte) bool { return strings.IndexByte("$`\\!\"", c) < 0 }

func isEscapable(c byte) bool { return strings.IndexByte("$`\"\\", c) >= 0 }
