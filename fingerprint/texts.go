package fingerprint

// Text is one argument that is compared by its wording: Material and of kind text, markdown or html.
type Text struct {
	Argument string // its common name
	Words    string // its wording, without markup, as the exact key folds it; "" for a blank text
}

// Texts returns the texts of a call in the order of their names; nil when the spec declares none or the call has none.
// A text that is absent or null is not among them, and neither is a value of another type than string: that one is
// compared exactly, as a part of Sum.Near.
func (s *Spec) Texts(args Value) []Text {
	s = s.orEmpty()
	if !s.texts || !isObject(args) {
		return nil
	}
	var texts []Text
	for a := range s.visit(args) {
		if a.textPart() == wording {
			v, _ := a.counts(a.value)
			texts = append(texts, Text{a.name, string(foldings[a.Kind.String()](nil, v.Text()))})
		}
	}
	return texts
}

// foldings hold how each kind of text is folded for its form.
var foldings = map[string]func(dst []byte, text string) []byte{
	"text":     appendWords,
	"markdown": appendMarkdownWords,
	"html":     appendHTMLWords,
}

// isText reports whether the argument is one that is compared by its wording.
func (d *declared) isText() bool {
	switch d.Kind.name {
	case "text", "markdown", "html":
		return d.Role == Material
	}
	return false
}

// textPart is what an argument of a call is to the comparison of wordings.
type textPart uint8

const (
	noText  textPart = iota // it must be equal
	wording                 // it is compared by its wording
	silent                  // it could have been a text, and says nothing: it is absent or null
)

func (a argument) textPart() textPart {
	if !a.isText() || a.shadowed {
		return noText
	}
	switch v, _ := a.counts(a.value); {
	case v.IsZero() || v.Type() == Null:
		return silent
	case v.Type() == String:
		return wording
	default:
		return noText
	}
}

// textReader is the reader of a kind of text. Blank texts and other types are compared exactly.
func textReader(kind string) reader {
	fold := foldings[kind]
	return func(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
		if v.Type() != String {
			return nil, "not a string", false
		}
		dst = append(append(dst, kind...), ' ')
		form = fold(dst, v.Text())
		if len(form) == len(dst) {
			return nil, "blank", false
		}
		return form, "", true
	}
}
