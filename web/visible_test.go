package web

import (
	"strings"
	"testing"
)

// seen is a text as a reader sees it: marks in brackets, strange words in braces.
func seen(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case p.Code != "" && p.Times > 0:
			b.WriteString("[" + p.Code + "×" + strings.Repeat("I", p.Times) + "]")
		case p.Code != "":
			b.WriteString("[" + p.Code + "]")
		case p.Strange != "":
			b.WriteString("{" + p.Text + "}")
		case p.Changed:
			b.WriteString("<" + p.Text + ">")
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestWhatCannotBeSeenIsWrittenOut(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"two\nlines\tand a tab", "two\nlines\tand a tab"},
		{"a\u202eb", "a[U+202E]b"},
		{"a\u200b\u200b\u200bb", "a[U+200B×III]b"},
		{"\x00\x1b[31m\x7f", "[U+0000][U+001B][31m[U+007F]"},
		{"no\u00a0break", "no[U+00A0]break"},
		{"tag \U000e0041", "tag [U+E0041]"},
		{"soft\u00adhyphen", "soft[U+00AD]hyphen"},
		{"blank \u2800\u3164", "blank [U+2800][U+3164]"},
		{"\u2066isolated\u2069", "[U+2066]isolated[U+2069]"},
		{"v\ufe0f", "v[U+FE0F]"},
		{"bad \xff byte", "bad [0xFF] byte"},
		{"a real \ufffd stays", "a real \ufffd stays"},
		{"pаypal pays", "{pаypal} pays"}, // its second letter is Cyrillic
		{"сор is Cyrillic, and cop Latin", "сор is Cyrillic, and cop Latin"},
		{"naïve Ελλάδα 日本語 עברית العربية 👍", "naïve Ελλάδα 日本語 עברית العربية 👍"},
	} {
		if got := seen(visible(c.text)); got != c.want {
			t.Errorf("%q is shown as %q, want %q", c.text, got, c.want)
		}
	}
}

func TestCutCountsWhatIsLeftOut(t *testing.T) {
	s := cutVisible(3, "äöüabc")
	if got := seen(s.Pieces); got != "äöü" || s.Rest != 3 {
		t.Errorf("cut to %q with %d left out", got, s.Rest)
	}
	if s := cutVisible(6, "äöüabc"); s.Rest != 0 {
		t.Errorf("a text that fits is cut by %d", s.Rest)
	}
}

func TestWordDiff(t *testing.T) {
	for _, c := range []struct{ earlier, now, before, after string }{
		{"pay 25 EUR now", "pay 52 EUR now", "pay <25> EUR now", "pay <52> EUR now"},
		{"same", "same", "same", "same"},
		{"", "new", "", "<new>"},
		{"on its way", "on its long way", "on its way", "on its <long >way"},
	} {
		before, after := wordDiff(c.earlier, c.now)
		if seen(before) != c.before || seen(after) != c.after {
			t.Errorf("%q and %q: %q and %q, want %q and %q", c.earlier, c.now, seen(before), seen(after), c.before, c.after)
		}
	}
}

// A comparison of two long texts without a common word must not take the time of their product.
func TestWordDiffIsBounded(t *testing.T) {
	before, after := wordDiff(strings.Repeat("a b ", 5000), strings.Repeat("c d ", 5000))
	if len(before) == 0 || len(after) == 0 {
		t.Error("nothing is shown")
	}
}
