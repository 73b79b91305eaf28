package fingerprint

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestTextForms(t *testing.T) {
	for text, want := range map[string]string{
		`"Hello  World "`:                         "text hello world",
		`"I’m “here” – now…"`:                     `text i'm "here" - now...`,
		`"a\u00a0\u2003b\u202fc\u200bd\ufeff"`:    "text a b cd",
		`"Grüße, STRASSE, ﬁx"`:                    "text grüsse, strasse, fix",
		`"gru\u0308sse"`:                          "text grüsse",
		`"one\\ntwo\\r\\n\\nthree\\\\nfour"`:      "text one two three four",
		`"see C:\\new\\dir\\file"`:                `text see C:\new\dir\file`,
		`"a \\neq b"`:                             `text a \neq b`,
		`"it\\nis \\\"so\\\""`:                    `text it is \"so\"`,
		`"Pay $5, +5 or −5"`:                      "text pay $5, +5 or -5",
		`"10.000 10,000 10²"`:                     "text 10.000 10,000 10²",
		`"Order PEP4e0 at https://b.example/AbC"`: "text order PEP4e0 at https://b.example/AbC",
		`"MAX_SIZE of GitHub at WWW.Example.com"`: "text MAX_SIZE of GitHub at WWW.Example.com",
		`"\u0603 \u06dd"`:                         "text \u0603 \u06dd",
		`"☎\ufe0f"`:                               "text ☎",
		`""`:                                      `exact ""`,
		`" \u200b\\n"`:                            "exact \" \u200b\\\\n\"",
		`5`:                                       "exact 5",
		`null`:                                    "exact null",
	} {
		if got := readAs(t, "text", text); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestHTMLForms(t *testing.T) {
	for text, want := range map[string]string{
		`<p>Hello <b>World</b></p>`:                              "hello world",
		`<b>1</b>0 and <td>1</td><td>0</td>`:                     "10 and 1 0",
		`10<sup>2</sup> <del>5</del> <s>6</s>`:                   "10 <sup> 2 </sup> <del> 5 </del> <s> 6 </s>",
		`see <a class=x href="https://x.example/AbC?n=1">it</a>`: "see <https://x.example/AbC?n=1> it",
		`<img width=5 alt="A Cat" src=c.png>`:                    "<a cat> <c.png>",
		`<style>p {color: red}</style>a<!-- note 5 -->b`:         "ab",
		`a&nbsp;&amp;&#x20AC;5<br/>b`:                            "a &€5 b",
		`no markup &lt; 5`:                                       "no markup < 5",
		`<script>send(5)</script>`:                               "<script> send(5) </script>",
		`<?php echo 5 ?>`:                                        "<?php echo 5 ?>",
		`the <price 5> of it`:                                    "the <price> <5 > of it",
		`if a <b and c`:                                          "if a <b and c",
		`<input type="checkbox" checked value="7">`:              "<checked > <type checkbox> <value 7>",
		`<p onclick="pay(5)" style="x" id=7>a</p>`:               "<onclick pay(5)> a",
	} {
		if got := string(appendHTMLWords(nil, text)); got != want {
			t.Errorf("%s\n is %q\nwant %q", text, got, want)
		}
	}
	if got := readAs(t, "html", `"<br><p></p>"`); got != `exact "<br><p></p>"` {
		t.Errorf("markup without a word is %q", got)
	}
}

func TestMarkdownForms(t *testing.T) {
	for text, want := range map[string]string{
		"# Title #\n\n- one\n* two\n+ **three**":              "title one two three",
		"Title\n===\ntext\n***\nmore":                         "title text more",
		"**Bold**, *it*, __b__, _i_ and ***both***":           "bold, it, b, i and both",
		"**bold *it***":                                       "bold it",
		"2*3*4 snake_case a * b * c **/*.go *.md":             "2*3*4 snake_case a * b * c **/*.go *.md",
		"- 5 apples\n+ 5\n-5\n1. one\n2) two":                 "- 5 apples + 5 -5 1. one 2) two",
		"use `a*b*` and ``c ` d``, or ` alone":                "use a*b* and c ` d, or ` alone",
		"```go\nx := *p * 2\n- y\n```\nend":                   "x := *p * 2 - y end",
		"~~~\na\n```\nb\n~~~~\n*c*":                           "a ``` b c",
		`a \*b\* \- 5\. c\`:                                   "a *b* - 5. c",
		"[the *site*](https://x.example/A 'T') ![Pic](p.png)": "the site <https://x.example/A 't'> !pic <p.png>",
		"[a][ref] [b] (c) [d](e":                              "[a][ref] [b] (c) [d](e",
		"~~old~~ > 5 | a | [x] done":                          "~~old~~ > 5 | a | [x] done",
		"one\\n\\n## two\\n- three":                           "one two three",
		"*unfinished and\nnext*":                              "*unfinished and next*",
		"plain":                                               "plain",
	} {
		if got := string(appendMarkdownWords(nil, text)); got != want {
			t.Errorf("%s\n is %q\nwant %q", text, got, want)
		}
	}
}

// wordy generates what texts are made of: words, digits, marks and what is hardly seen.
var wordy = rapid.StringMatching(`([A-Za-zäéßﬁ]{1,5}|[0-9]{1,4}|[0-9][.,][0-9]{3}|\$[0-9]|[-+*_#<>\\"'’“–…()\[\]!]{1,3}|[\x{200b}\x{a0}\x{ad}]|\\n| |\n){1,12}`)

func TestTextsReadAsThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkIdempotent(t, "text", quote(rapid.OneOf(wordy, rapid.String()).Draw(t, "text")))
	})
}

func TestTextsOfOneUnicodeFormAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"text", "markdown", "html"}).Draw(t, "kind")
		s := rapid.OneOf(wordy, rapid.String()).Draw(t, "text")
		a, b := readAs(t, kind, quote(norm.NFC.String(s))), readAs(t, kind, quote(norm.NFD.String(s)))
		if a != b && !strings.HasPrefix(a, "exact ") {
			t.Fatalf("%s %q: %q and %q", kind, s, a, b)
		}
	})
}

// TestChangedDigitChangesTheText changes one digit that is seen; in a comment, a layout attribute or the rank of a heading it would not count.
func TestChangedDigitChangesTheText(t *testing.T) {
	texts := rapid.StringMatching(`([A-Za-z]{1,4}|[*_~]{1,2}[0-9a-z]{1,3}[*_~]{1,2}|[-+#*>=] |[0-9]{1,3}|[0-9]\. |\[[0-9a]\]\([0-9a]{1,2}\)|` + "`[0-9]`" + `|<b>[0-9]</b>|<a href=[0-9]>|</?[a-z]{1,2}>| |\n|\\n){1,10}`).Filter(hasDigit)
	for _, kind := range []string{"text", "markdown", "html"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := texts.Draw(t, "text")
				var places []int
				for i := range len(s) {
					if isDigit(s[i]) {
						places = append(places, i)
					}
				}
				at := rapid.SampledFrom(places).Draw(t, "place")
				changed := s[:at] + string('0'+(s[at]-'0'+1)%10) + s[at+1:]
				if a, b := readAs(t, kind, quote(s)), readAs(t, kind, quote(changed)); a == b {
					t.Fatalf("%q and %q are both %s", s, changed, a)
				}
			})
		})
	}
}

// TestLongTextsTakeLinearTime would not end within the test's time if a mark that nothing closes were searched for again
// and again.
func TestLongTextsTakeLinearTime(t *testing.T) {
	for _, part := range []string{"[", "](", "*a ", "`", "`` ` ", "[a](", "<b ", "<a href=", "\\", "\\n", "_a_ *"} {
		text := strings.Repeat(part, 1<<18/len(part))
		for _, fold := range foldings {
			fold(nil, text)
		}
	}
}

// TestWordsByPieces holds the way that folds a text piece by piece against the plain one.
func TestWordsByPieces(t *testing.T) {
	plain := func(s string) string { return string(appendFoldedWords(nil, 0, unescapeNewlines(foldText(s)))) }
	letters := []rune("aZ9 _/\\nw.\t\u2014\u00a0\u0301e\u00ad\uff3c\uff21\u0130\u2007\ufe0f\u1e9e\u3000-\u2019")
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.SampledFrom(letters)).Draw(t, "text"))
		if got, want := string(appendWords(nil, s)), plain(s); got != want {
			t.Fatalf("%q is %q, want %q", s, got, want)
		}
	})
	for _, s := range []string{"www.Example.com", "WWW.x", "www.", "aB", "Ab", "A1", "  ", "e \u0301", "a\u00a0b c"} {
		if got, want := string(appendWords(nil, s)), plain(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}
