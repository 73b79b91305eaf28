package fingerprint

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// inlineElements do not part the words around them.
var inlineElements = elementSet(`a abbr acronym b bdi bdo big cite code data dfn em font i ins kbd label mark nobr q samp small span strong time tt u var wbr`)

// partingElements part the words around them, and say nothing else.
var partingElements = elementSet(`address area article aside audio base blockquote body br button canvas caption center col colgroup
 dd details dialog dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html
 iframe img input legend li link main map menu meta meter nav noscript object ol optgroup option output p param picture pre
 progress rp rt ruby search section select source summary svg table tbody td template textarea tfoot th thead title tr track ul video`)

// layoutAttributes are those that change nothing but how a page looks or is loaded.
var layoutAttributes = elementSet(`align bgcolor border cellpadding cellspacing charset class color decoding dir face height id lang
 loading rel role size style tabindex target valign width xmlns`)

func elementSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// appendHTMLWords appends the form of kind html, for a text with HTML markup (the WHATWG HTML standard, by the tokenizer of
// x/net/html).
//
// The form is what kind text makes of the words that are seen, with the targets of links and images, and any other
// attribute that is not only for layout, in angle brackets where they stand. It joins character references with their
// characters, elements that do not part words with nothing ("<b>1</b>0" and "10"), those that do with a space, the
// order of attributes, and different style sheets, comments, classes and layout attributes.
//
// It keeps apart what another script, link, picture, form value or unknown element makes another page, raised, lowered
// and struck-out words from plain ones ("10<sup>2</sup>" and "102"), and an unfinished tag at the end. Words that
// style sheets hide count as seen. Blank strings, markup without a word, and other types are compared exactly.
func appendHTMLWords(dst []byte, s string) []byte {
	if strings.IndexByte(s, '<') < 0 {
		return appendWords(dst, html.UnescapeString(s))
	}
	var seen strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for style := false; ; {
		switch z.Next() {
		case html.ErrorToken:
			seen.Write(z.Raw())
			return appendWords(dst, seen.String())
		case html.TextToken:
			if !style {
				seen.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			style = t.Data == "style"
			writeTag(&seen, t)
		case html.EndTagToken:
			style = false
			writeElement(&seen, z.Token().Data, "/")
		case html.CommentToken:
			// What the standard calls a bogus comment may be a template's instruction, or no markup at all.
			if raw := z.Raw(); !strings.HasPrefix(string(raw), "<!--") {
				seen.Write(raw)
			}
		}
	}
}

// writeTag writes what a start tag says beside the words around it.
func writeTag(seen *strings.Builder, t html.Token) {
	writeElement(seen, t.Data, "")
	slices.SortStableFunc(t.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	for _, a := range t.Attr {
		switch {
		case layoutAttributes[a.Key]:
		case a.Val == "" || !isTarget(a.Key):
			seen.WriteString(" <" + a.Key + " " + a.Val + "> ")
		default:
			seen.WriteString(" <" + strings.TrimSpace(a.Val) + "> ")
		}
	}
}

// isTarget reports whether the value of an attribute says enough without its name.
func isTarget(key string) bool { return key == "href" || key == "src" || key == "alt" }

func writeElement(seen *strings.Builder, name, end string) {
	switch {
	case inlineElements[name]:
	case partingElements[name] || name == "style":
		seen.WriteByte(' ')
	default: // a mark, a script, or an element that the standard does not know
		seen.WriteString(" <" + end + name + "> ")
	}
}
