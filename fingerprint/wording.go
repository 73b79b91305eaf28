package fingerprint

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
)

// tokenClass is what a token of a text is to the comparison.
type tokenClass uint8

const (
	plainWord    tokenClass = iota
	functionWord            // joins others
	negationWord            // turns what is said into its opposite
	figure                  // a number, an ordinal, an identifier: anything with a digit; the sign of a currency
	address                 // of mail, or a link
)

// token is one word of a text, in the spelling in which it is compared.
type token struct {
	word  string
	class tokenClass
}

// tokens is a text taken apart.
type tokens struct {
	*vocabulary
	list     []int32      // numbers of the vocabulary
	language [tongues]int // how many function words of each there are
	fillers  int          // words that stand where a text is to be written
	strong   bool         // one of them has hardly another use
}

// vocabulary numbers the tokens of several texts, so that a word is looked up in tables only once.
type vocabulary struct {
	tokens []token
	lexis  []wordEntry
	words  map[string]int32 // words, by how they are written
	others map[token]int32
}

func newVocabulary() *vocabulary {
	return &vocabulary{words: map[string]int32{}, others: map[token]int32{}}
}

func (v *vocabulary) enter(t token, e wordEntry) int32 {
	v.tokens, v.lexis = append(v.tokens, t), append(v.lexis, e)
	return int32(len(v.tokens) - 1)
}

// word returns the number of a word.
func (v *vocabulary) word(word string) int32 {
	n, known := v.words[word]
	if !known {
		e := lexicon[word]
		t := token{word, plainWord}
		switch {
		case e.number != "":
			t = token{e.number, figure}
		case e.negation:
			t.class = negationWord
		case e.tongues != 0:
			t.class = functionWord
		}
		n = v.enter(t, e)
		v.words[word] = n
	}
	return n
}

// other returns the number of a token that no table knows.
func (v *vocabulary) other(t token) int32 {
	n, known := v.others[t]
	if !known {
		n = v.enter(t, wordEntry{})
		v.others[t] = n
	}
	return n
}

// tokenize takes a text apart: one that a kind of text has folded, or any other.
func tokenize(v *vocabulary, text string) *tokens {
	t := &tokens{vocabulary: v, list: make([]int32, 0, len(text)/5+1)}
	for chunk := range strings.FieldsSeq(strings.ToLower(text)) {
		t.chunk(chunk)
	}
	return t
}

// chunk reads a part of a text without white space.
func (t *tokens) chunk(chunk string) {
	if plain := trimPunctuation(chunk); isPlainWord(plain) {
		t.word(plain)
		return
	}
	if a := addressOf(chunk); a != "" {
		t.other(a, address)
		return
	}
	if e := lexicon[chunk]; e.filler || e.number != "" {
		t.word(chunk)
		return
	}
	clock := strings.IndexByte(chunk, ':') >= 0
	signed := len(chunk) > 1 && chunk[0] == '-' && isDigit(chunk[1])
	for parts := words.FromString(chunk); parts.Next(); {
		part := parts.Value()
		first, _ := utf8.DecodeRuneInString(part)
		switch {
		case hasFigure(part):
			if clock && part == "00" {
				continue // a full hour: 10:00 is 10 o'clock
			}
			t.figure(part, signed)
			signed = false
		case isWord(first) || len(part) > 1 && part[0] == '_':
			t.word(part)
		case first == '%', unicode.Is(unicode.Sc, first):
			t.other(part, figure) // it says what a number is
		case unicode.IsSymbol(first) && first >= utf8.RuneSelf: // a picture
			t.other(part, plainWord)
		}
	}
}

func trimPunctuation(s string) string {
	isMark := func(c byte) bool { return strings.IndexByte(`.,:;!?"'()[]`, c) >= 0 }
	for s != "" && isMark(s[0]) {
		s = s[1:]
	}
	for s != "" && isMark(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isPlainWord(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return s != ""
}

func (t *tokens) word(word string) {
	n := t.vocabulary.word(word)
	e := &t.lexis[n]
	if e.filler {
		t.fillers++
		t.strong = t.strong || e.strongFiller
	}
	for langs := e.tongues; langs != 0; langs &= langs - 1 {
		t.language[bits.TrailingZeros8(langs)]++
	}
	t.list = append(t.list, n)
}

func (t *tokens) other(word string, class tokenClass) {
	t.list = append(t.list, t.vocabulary.other(token{word, class}))
}

// figure reads a part with a digit in it. A number and the letters that are written behind it are two tokens: 10am, 5kg,
// 24h. The letters of an ordinal are none: 2nd, 1er.
func (t *tokens) figure(part string, negative bool) {
	if !negative && part[0] != '0' && strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }) < 0 {
		t.other(part, figure)
		return
	}
	digits := strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyzº")
	unit := part[len(digits):]
	if len(unit) > 4 || !isNumeral(digits) {
		t.other(part, figure)
		return
	}
	number := plainNumeral(digits)
	if negative {
		number = "-" + number
	}
	t.other(number, figure)
	switch unit {
	case "", "st", "nd", "rd", "th", "er", "re", "ème", "º":
	default:
		t.word(unit)
	}
}

func isNumeral(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.,") == "" && isDigit(s[0])
}

// plainNumeral writes the usual spellings of a number in one way: without commas between groups of three, zeros in front,
// and zeros at the end of a fraction. "10.000" may be either and stays as it is.
func plainNumeral(s string) string {
	if isGrouped(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	whole, fraction, pointed := strings.Cut(s, ".")
	if pointed && !strings.Contains(fraction, ".") && len(fraction) != 3 {
		if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
			s = whole
		} else {
			s = whole + "." + fraction
		}
	}
	for len(s) > 1 && s[0] == '0' && isDigit(s[1]) {
		s = s[1:]
	}
	return s
}

// isGrouped reports whether every comma of a number has three digits behind it.
func isGrouped(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	if strings.IndexByte(whole, ',') < 0 {
		return false
	}
	groups := strings.Split(whole, ",")
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return false
		}
	}
	return len(groups[0]) <= 3
}

func hasFigure(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r >= '0' && r <= '9' || r >= utf8.RuneSelf && unicode.IsNumber(r)
	})
}

// addressOf returns the mail address or link that a part of a text is, without what is only around it, else "".
func addressOf(chunk string) string {
	at := strings.IndexByte(chunk, '@')
	link := strings.Contains(chunk, "://") || strings.Contains(chunk, "www.")
	if at < 1 && !link {
		return ""
	}
	s := strings.Trim(chunk, `.,:;!?"'()[]<>{}*`)
	s = strings.TrimSuffix(s, "'s")
	if link {
		if start := strings.Index(s, "://"); start >= 0 {
			s = s[start+len("://"):]
		}
		return strings.TrimSuffix(strings.TrimPrefix(s, "www."), "/")
	}
	if at := strings.IndexByte(s, '@'); at < 1 || !strings.Contains(s[at:], ".") {
		return ""
	}
	return strings.TrimPrefix(s, "mailto:")
}

// isEmpty reports whether the text has no wording to speak of: no word at all, one in brackets or after a dollar sign that
// stands for another, or nothing but words that stand where a text is to be written.
func (t *tokens) isEmpty(text string) bool {
	if len(t.list) == 0 || isTemplate(text) {
		return true
	}
	return t.strong && t.fillers == len(t.list)
}

// maxTemplate is the most words of what stands for a text in brackets.
const maxTemplate = 6

// isTemplate recognises a variable of a template: {{body}}, ${body}, $body, <body>, [insert body here], %s.
func isTemplate(text string) bool {
	text = strings.Trim(text, " .")
	if strings.Count(text, " ") >= maxTemplate || len(text) < 2 {
		return false
	}
	if name, ok := strings.CutPrefix(text, "$"); ok && !hasFigure(name[:1]) && !strings.Contains(name, " ") {
		return true
	}
	pairs := []string{"{}", "<>", "[]"}
	inner := strings.TrimPrefix(text, "$")
	for _, p := range pairs {
		if inner[0] == p[0] && inner[len(inner)-1] == p[1] && !strings.ContainsAny(inner[1:len(inner)-1], "[]<>/@:") {
			return true
		}
	}
	return text == "%s" || text == "%v"
}

// commonLanguage returns the language of which a pair of texts has the most function words.
func commonLanguage(a, b *tokens) tongue {
	best := english
	for lang := range tongue(tongues) {
		if a.language[lang]+b.language[lang] > a.language[best]+b.language[best] {
			best = lang
		}
	}
	return best
}

// unique sorts a list and drops repetitions.
func unique[T int32 | int64](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}
