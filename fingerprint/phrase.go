package fingerprint

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxShown  = 60 // most characters of a value or name in a sentence
	maxListed = 3  // most arguments that a sentence names in one place
)

// effectNoun names an effect type: the name of a tool without the server that has it. What stands before a dot is kept,
// because "mail.send" says more than "send".
func effectNoun(effect string) string {
	last := effect[strings.LastIndexAny(effect, "/:")+1:]
	last = last[strings.LastIndex(last, "__")+1:]
	if last = strings.Trim(last, "_ "); last == "" {
		last = "effect"
	}
	return visible(last, maxShown)
}

// noun names what an argument holds: order_id is an order, newItemIds are new items.
func noun(argument string) string {
	words := nameWords(argument)
	if last := len(words) - 1; last > 0 {
		switch words[last] {
		case "id":
			words = words[:last]
		case "ids":
			words = words[:last]
			words[last-1] += "s"
		}
	}
	switch {
	case len(words) == 0:
		return fmt.Sprintf("argument %q", visible(argument, maxShown))
	case len(words) == 1 && slices.Contains(unspeakable, words[0]):
		return fmt.Sprintf("%q", words[0])
	}
	return visible(strings.Join(words, " "), maxShown)
}

// unspeakable are names that no sentence can bear without quotes.
var unspeakable = []string{"to", "from", "by", "at", "in", "on", "of", "for", "with", "as", "is", "and", "or"}

// nameWords splits a name at everything that is no letter or digit and before capitals, and writes the words small.
func nameWords(name string) []string {
	var b strings.Builder
	before := ' '
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.Fields(b.String())
}

func listNouns(pairs []TermPair) string {
	nouns := make([]string, len(pairs))
	for i, p := range pairs {
		nouns[i] = noun(p.Argument)
	}
	return list(nouns)
}

// list joins phrases: "a, b and c". Of many it has the first ones and tells how many more there are.
func list(phrases []string) string {
	if n := len(phrases); n > maxListed {
		phrases = append(phrases[:maxListed:maxListed], fmt.Sprintf("%d more", n-maxListed))
	}
	if len(phrases) == 1 {
		return phrases[0]
	}
	last := len(phrases) - 1
	return strings.Join(phrases[:last], ", ") + " and " + phrases[last]
}

func differMore(n int) string {
	if n == 1 {
		return "1 more argument differs"
	}
	return fmt.Sprintf("%d more arguments differ", n)
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiouAEIOU") {
		return "An"
	}
	return "A"
}

// another is "another order" and "other flights".
func another(noun string) string {
	if strings.HasSuffix(noun, "s") && !strings.HasSuffix(noun, "ss") {
		return "other " + noun
	}
	return "another " + noun
}

// preposition is "of" before the one thing that an id names and "for" before all else.
func preposition(acted []TermPair) string {
	if words := nameWords(acted[0].Argument); len(acted) == 1 && len(words) > 1 && words[len(words)-1] == "id" {
		return "of"
	}
	return "for"
}

// equalValue names an argument that is equal in two spellings by the value that both have.
func equalValue(p TermPair) string {
	name := noun(p.Argument)
	if p.Now.Normal == "" {
		return "no " + name
	}
	value := payload(p.Now.Normal)
	if p.Argument == "" || tag(p.Now.Normal) == "money" {
		return visible(value, maxShown)
	}
	return name + " " + visible(value, maxShown)
}

// shownValues writes the two values of an argument in which two calls differ, so that the difference is seen.
func shownValues(p TermPair) (earlier, now string) {
	for _, write := range []func(Term) string{spoken, func(t Term) string { return t.Raw }, func(t Term) string { return t.Normal }} {
		if earlier, now = write(p.Earlier), write(p.Now); earlier != now {
			break
		}
	}
	return Excerpts(earlier, now)
}

// spoken writes a value as one would say it: an amount with its currency, a text without the marks of JSON.
func spoken(t Term) string {
	if t.Raw == "" || tag(t.Normal) == "money" {
		return payload(t.Normal)
	}
	v, err := Decode([]byte(t.Raw), Limits{})
	if err != nil || v.Type() != String {
		return t.Raw
	}
	if text := v.Text(); text != "" && !strings.ContainsFunc(text, unicode.IsSpace) {
		return text
	}
	return t.Raw
}

func tag(normal string) string {
	name, _, _ := strings.Cut(normal, " ")
	return name
}

func payload(normal string) string {
	_, value, _ := strings.Cut(normal, " ")
	return value
}

// Excerpts shows two values beside each other: each cut to 60 characters, where they begin to differ, and with what cannot be seen
// written as an escape.
func Excerpts(a, b string) (string, string) {
	if utf8.RuneCountInString(a) <= maxShown && utf8.RuneCountInString(b) <= maxShown {
		return visible(a, maxShown), visible(b, maxShown)
	}
	const lead = 20 // characters before the difference
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	for n := 0; start > 0 && n < lead; {
		if start--; utf8.RuneStart(a[start]) {
			n++
		}
	}
	if start == 0 {
		return visible(a, maxShown), visible(b, maxShown)
	}
	return "…" + visible(a[start:], maxShown-1), "…" + visible(b[start:], maxShown-1)
}

// visible writes at most so many characters of a text, with an escape in place of each that cannot be seen or would change
// how others are seen.
func visible(s string, most int) string {
	var b strings.Builder
	n := 0 // characters in b
	for i, r := range s {
		shown := string(r)
		if !unicode.IsPrint(r) {
			shown = escape(r)
		}
		width := utf8.RuneCountInString(shown)
		rest := 0 // what has to fit behind this character
		if i+utf8.RuneLen(r) < len(s) {
			rest = 1
		}
		if n+width+rest > most {
			b.WriteString("…")
			break
		}
		b.WriteString(shown)
		n += width
	}
	return b.String()
}

func escape(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\r':
		return `\r`
	}
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
