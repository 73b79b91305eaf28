package web

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"
)

// piece is a part of a text as a page shows it. Template "text" writes it.
type piece struct {
	Text    string
	Code    string // the code point of a character that cannot be seen; Text is its name then
	Times   int    // how often Code stands there in a row; 0 for once
	Strange string // why characters that look like others stand out
	Changed bool   // it is not in the text beside this one
}

// maxShown is the most characters of a value on a page that shows several.
const maxShown = 2000

// visible splits a text so that all of it can be seen: controls, marks of direction, spaces of no width and the like
// become code points, and letters of another script inside a word stand out.
func visible(s string) []piece { return appendVisible(nil, s, false) }

// shown is a text that may be cut.
type shown struct {
	Before int // characters that are left out before it
	Pieces []piece
	Rest   int // characters that are left out
}

// cutVisible is visible for at most most characters.
func cutVisible(most int, s string) shown {
	head, rest := cutText(s, most)
	return shown{Pieces: visible(head), Rest: rest}
}

// cutText returns the first most characters of a text and how many are left out.
func cutText(s string, most int) (head string, rest int) {
	n := 0
	for i := range s {
		if n == most {
			return s[:i], utf8.RuneCountInString(s[i:])
		}
		n++
	}
	return s, 0
}

// appendVisible appends the pieces of a text.
func appendVisible(all []piece, s string, changed bool) []piece {
	from := 0
	flush := func(to int) {
		if to > from {
			all = appendWords(all, s[from:to], changed)
		}
	}
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(s[i:])
		}
		if !hidden(r) && !(r == utf8.RuneError && size == 1) {
			continue
		}
		flush(i)
		from = i + size
		p := piece{Code: fmt.Sprintf("U+%04X", r), Text: runenames.Name(r), Changed: changed}
		if r == utf8.RuneError && size == 1 {
			p = piece{Code: fmt.Sprintf("0x%02X", s[i]), Text: "a byte that is not UTF-8", Changed: changed}
		}
		if last := len(all) - 1; last >= 0 && sameMark(all[last], p) {
			all[last].Times = max(all[last].Times, 1) + 1
			continue
		}
		all = append(all, p)
	}
	flush(len(s))
	return all
}

// sameMark reports whether two pieces are the same hidden character, so that a thousand in a row are one mark.
func sameMark(a, b piece) bool { return a.Code != "" && a.Code == b.Code && a.Changed == b.Changed }

// hidden reports whether a character cannot be told from nothing or from another one by looking. Line ends and tabs can.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\t', r == ' ':
		return false
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Z, r):
		return true
	case unicode.Is(unicode.Variation_Selector, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	case r == 0x2800: // the empty Braille pattern
		return true
	}
	return !unicode.IsPrint(r) && !unicode.IsMark(r)
}

// appendWords appends a text without hidden characters; words that mix scripts are pieces of their own.
func appendWords(all []piece, s string, changed bool) []piece {
	from := 0
	for at := 0; at < len(s); {
		end := len(s)
		if n := strings.IndexFunc(s[at:], notInWord); n >= 0 {
			end = at + n
		}
		if end == at {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
			continue
		}
		if why := mixed(s[at:end]); why != "" {
			if at > from {
				all = append(all, piece{Text: s[from:at], Changed: changed})
			}
			all = append(all, piece{Text: s[at:end], Strange: why, Changed: changed})
			from = end
		}
		at = end
	}
	if from < len(s) {
		all = append(all, piece{Text: s[from:], Changed: changed})
	}
	return all
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }

// plainly is visible for where no marks can be drawn, such as the title of a page.
func plainly(s string) string {
	var b strings.Builder
	for _, p := range visible(s) {
		if p.Code != "" {
			b.WriteString("[" + p.Code + "]")
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// alike are the scripts whose letters look like each other's.
var alike = []struct {
	name   string
	script *unicode.RangeTable
}{{"Latin", unicode.Latin}, {"Cyrillic", unicode.Cyrillic}, {"Greek", unicode.Greek}, {"Armenian", unicode.Armenian}, {"Cherokee", unicode.Cherokee}}

// mixed says which scripts a word mixes whose letters look alike; "" for one that mixes none.
func mixed(word string) string {
	var found []string
	for _, a := range alike {
		if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(a.script, r) }) {
			found = append(found, a.name)
		}
	}
	if len(found) < 2 {
		return ""
	}
	return "letters of " + strings.Join(found, " and ") + " in one word"
}
