package fingerprint

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendMarkdownWords appends the form of kind markdown, for a text with Markdown markup (CommonMark 0.31).
//
// The form is what kind text makes of the words without the marks of emphasis, headings, bullets, code spans and code
// fences, rules between sections, and backslashes before punctuation; a link is its text and then its target in angle
// brackets. What is not surely such a mark is kept as written, so that it splits two texts rather than joins them:
//
//   - asterisks and underscores inside words or around anything but words ("2*3*4", "snake_case", "**/*.go");
//   - bullets before anything but a word ("- 5" may be a number), and the numbers of ordered lists;
//   - struck-out text, quotes, tables, task boxes, HTML, and links by reference; marks inside code.
//
// Blank strings, marks without a word, and other types are compared exactly.
func appendMarkdownWords(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, "\\`*_#~-+[=") {
		return appendWords(dst, s)
	}
	var words markdownWords
	fence := ""
	for line := range strings.Lines(unescapeNewlines(s)) {
		line = strings.TrimSpace(line)
		switch mark := fenceMark(line); {
		case fence != "" && mark == line && strings.HasPrefix(mark, fence):
			fence = ""
		case fence != "":
			words.out = append(words.out, line...)
		case mark != "":
			fence = mark
		case !isRule(line):
			words.line(withoutBlockMarks(line))
		}
		words.out = append(words.out, '\n')
	}
	return appendWords(dst, string(words.out))
}

// fenceMark returns the run of three or more backticks or tildes that a line begins with, "" where it opens no code.
func fenceMark(line string) string {
	for _, c := range []string{"`", "~"} {
		info := strings.TrimLeft(line, c)
		if len(line)-len(info) >= 3 && !strings.Contains(info, "`") {
			return line[:len(line)-len(info)]
		}
	}
	return ""
}

// isRule reports whether a line is a rule or underlines a heading.
func isRule(line string) bool {
	if len(line) < 3 || strings.IndexByte("-=*_", line[0]) < 0 {
		return false
	}
	return strings.Trim(line, line[:1]+" \t") == ""
}

// withoutBlockMarks drops the mark of a heading or bullets from a line.
func withoutBlockMarks(line string) string {
	if heading := strings.TrimLeft(line, "#"); len(line)-len(heading) <= 6 && strings.HasPrefix(heading, " ") {
		if text := strings.TrimRight(heading, "#"); strings.HasSuffix(text, " ") {
			heading = text
		}
		line = strings.TrimSpace(heading)
	}
	for len(line) > 2 && strings.IndexByte("-*+", line[0]) >= 0 && line[1] == ' ' {
		rest := strings.TrimLeft(line[2:], " ")
		if first, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, "*_`[\"'(")); !unicode.IsLetter(first) {
			break
		}
		line = rest
	}
	return line
}

// markdownWords is a text whose marks are taken out as they are found to be some.
type markdownWords struct {
	out      []byte
	openings []delimiter // runs that may begin emphasis
	brackets []int       // where in out a bracket may begin a link
	dropped  []span      // parts of out that were marks
}

// delimiter is a run of asterisks or underscores in markdownWords.out.
type delimiter struct {
	at, length int
	mark       byte
}

// line appends one line without its inline marks.
func (w *markdownWords) line(s string) {
	start := len(w.out)
	unclosed := map[int]bool{} // lengths of backtick runs that nothing closes
	before := ' '
	for i := 0; i < len(s); {
		size := 1
		switch c := s[i]; c {
		case '\\':
			size = w.escape(s[i:])
		case '`':
			size = w.code(s[i:], unclosed)
		case '*', '_':
			size = len(s[i:]) - len(strings.TrimLeft(s[i:], s[i:i+1]))
			w.emphasis(c, size, before, s[i+size:])
		case '[':
			w.brackets = append(w.brackets, len(w.out))
			w.out = append(w.out, c)
		case ']':
			size = w.link(s[i:])
		default:
			_, size = utf8.DecodeRuneInString(s[i:])
			w.out = append(w.out, s[i:i+size]...)
		}
		before, _ = utf8.DecodeLastRuneInString(s[:i+size])
		i += size
	}
	w.drop(start)
}

// escape appends the character that a backslash takes its meaning from.
func (w *markdownWords) escape(s string) (size int) {
	if len(s) > 1 && s[1] < utf8.RuneSelf && (unicode.IsPunct(rune(s[1])) || unicode.IsSymbol(rune(s[1]))) {
		w.out = append(w.out, s[1])
		return 2
	}
	if len(s) > 1 {
		w.out = append(w.out, '\\')
	}
	return 1
}

// code appends a code span as it is, or a run of backticks that nothing closes.
func (w *markdownWords) code(s string, unclosed map[int]bool) (size int) {
	rest := strings.TrimLeft(s, "`")
	length := len(s) - len(rest)
	for at := 0; !unclosed[length]; {
		next := strings.IndexByte(rest[at:], '`')
		if next < 0 {
			unclosed[length] = true
			break
		}
		after := strings.TrimLeft(rest[at+next:], "`")
		if end := at + next; len(rest)-len(after)-end == length {
			w.out = append(w.out, rest[:end]...)
			return length + end + length
		}
		at = len(rest) - len(after)
	}
	w.out = append(w.out, s[:length]...)
	return length
}

// emphasis appends a run of marks between what stands before and after it, and drops it with the run that it closes.
func (w *markdownWords) emphasis(mark byte, length int, before rune, rest string) {
	at := len(w.out)
	w.out = append(w.out, strings.Repeat(string(mark), length)...)
	after, _ := utf8.DecodeRuneInString(rest)
	opens := !isWord(before) && (isWord(after) || strings.ContainsRune("*_`[\"'(“‘", after))
	closes := !isWord(after) && (isWord(before) || strings.ContainsRune("*_`])\"'”’.,:;!?%", before))
	for left := length; closes && left > 0 && len(w.openings) > 0; {
		o := w.openings[len(w.openings)-1]
		if o.mark != mark || o.length > left {
			break
		}
		w.openings = w.openings[:len(w.openings)-1]
		w.dropped = append(w.dropped, span{int32(o.at), int32(o.at + o.length)}, span{int32(at), int32(at + o.length)})
		at, left, opens = at+o.length, left-o.length, false
	}
	if opens {
		w.openings = append(w.openings, delimiter{at, length, mark})
	}
}

// maxTarget is the most bytes of a link's target that are looked for behind its text.
const maxTarget = 4096

// link appends the target of a link whose text ends with the bracket that s begins with, or that bracket.
func (w *markdownWords) link(s string) (size int) {
	if len(w.brackets) > 0 {
		open := w.brackets[len(w.brackets)-1]
		w.brackets = w.brackets[:len(w.brackets)-1]
		if strings.HasPrefix(s, "](") {
			if end := strings.IndexByte(s[:min(len(s), maxTarget)], ')'); end > 0 {
				w.dropped = append(w.dropped, span{int32(open), int32(open + 1)})
				target := strings.TrimSpace(s[2:end])
				w.out = append(w.out, " <"+strings.TrimSuffix(strings.TrimPrefix(target, "<"), ">")+"> "...)
				return end + 1
			}
		}
	}
	w.out = append(w.out, ']')
	return 1
}

// drop takes the marks out of what was appended since start. No emphasis or link goes beyond a line.
func (w *markdownWords) drop(start int) {
	mark := make([]bool, len(w.out)-start)
	for _, d := range w.dropped {
		for i := d.start; i < d.end; i++ {
			mark[int(i)-start] = true
		}
	}
	kept := w.out[:start]
	for i, c := range w.out[start:] {
		if !mark[i] {
			kept = append(kept, c)
		}
	}
	w.out, w.openings, w.brackets, w.dropped = kept, w.openings[:0], w.brackets[:0], w.dropped[:0]
}
