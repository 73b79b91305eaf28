package fingerprint

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func sentenceSpec(t *testing.T) *Spec {
	t.Helper()
	return newSpec(t,
		Argument{Name: "order_id", Role: Identity, Kind: mustKind(t, "id")},
		Argument{Name: "amount", Kind: mustKind(t, "money"), Currency: "EUR"},
		Argument{Name: "reason", Role: Commentary},
		Argument{Name: "requestId", Role: Volatile},
	)
}

func mustKind(t *testing.T, name string) Kind {
	t.Helper()
	k, err := ParseKind(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSentence(t *testing.T) {
	s := sentenceSpec(t)
	for _, c := range []struct{ effect, earlier, now, want string }{
		{"refund", `{"order_id":"A-7","amount":25}`, `{"order_id":"A-7","amount":25}`, "The same refund, written alike."},
		{"refund", `{"order_id":"A-7","amount":25,"reason":"broken"}`, `{"order_id":" A-7 ","amount":"25.00","reason":"late"}`,
			"The same refund: order A-7 and 25 EUR are equal in other spelling; only the reason differs, which does not count."},
		{"refund", `{"order_id":"A-7","amount":25}`, `{"order_id":"A-7","amount":"25.00"}`, "The same refund: 25 EUR is equal in other spelling."},
		{"refund", `{"order_id":"A-7","requestId":1}`, `{"order_id":"A-7","reason":"x","requestId":2}`, "The same refund: only the reason and request differ, which do not count."},
		{"payments.refund", `{"order_id":"A-7","amount":25,"reason":"x"}`, `{"order_id":"A-7","amount":30}`, "Another payments.refund of the same order: the amount is 30 EUR instead of 25 EUR."},
		{"refund", `{"order_id":"A-7","amount":25}`, `{"order_id":"A-8","amount":25}`, "A refund of another order: the order is A-8 instead of A-7."},
		{"mcp__shop__item", `{"order_id":"A-7","amount":25}`, `{"order_id":"A-8","amount":26}`, "An item of another order: the order is A-8 instead of A-7; the amount is 26 EUR instead of 25 EUR."},
		{"refund", `{"amount":25}`, `{"amount":30}`, "Another refund: the amount is 30 EUR instead of 25 EUR."},
		{"refund", `{"order_id":"A-7","amount":25}`, `{"order_id":"A-7"}`, "Another refund of the same order: the amount 25 EUR is gone."},
		{"refund", `{"order_id":"A-7"}`, `{"order_id":"A-7","giftWrap":true}`, "Another refund of the same order: the gift wrap true is new."},
		{"refund", `{"order_id":"A-7","n":1}`, `{"order_id":"A-7","n":"1"}`, `Another refund of the same order: the n is "1" instead of 1.`},
		{"refund", `{"order_id":"A-7","a":1,"b":1,"c":1,"d":1}`, `{"order_id":"A-7","a":2,"b":2,"c":2,"d":2}`,
			"Another refund of the same order: the a is 2 instead of 1; the b is 2 instead of 1; the c is 2 instead of 1; 1 more argument differs."},
		{"refund", `[1]`, `[2]`, "Another refund: its arguments are [2] instead of [1]."},
		{"refund", `{"order_id":"A-7","note":"a b"}`, `{"order_id":"A-7","note":"a\u202e"}`, `Another refund of the same order: the note is a\u202e instead of "a b".`},
		{"", `{"___":1}`, `{"___":2}`, `Another effect: the argument "___" is 2 instead of 1.`},
	} {
		if got := Sentence(c.effect, s.Terms(decode(t, c.earlier)), s.Terms(decode(t, c.now)), Nearness{}); got != c.want {
			t.Errorf("%s and %s:\ngot  %s\nwant %s", c.earlier, c.now, got, c.want)
		}
	}
}

func TestSentenceAboutWordings(t *testing.T) {
	identity := Term{Argument: "to", Raw: `"a@x.eu"`, Normal: "email a@x.eu", Kind: "email", Role: Identity}
	body := func(words string) Term {
		return Term{Argument: "body", Raw: `"` + words + `"`, Normal: "text " + words, Kind: "text", Role: Material}
	}
	amount := func(n string) Term { return Term{Argument: "n", Raw: n, Normal: "number " + n, Kind: "number"} }
	earlier := []Term{identity, body("we pay"), amount("1")}
	for _, c := range []struct {
		now     []Term
		wording Nearness
		want    string
	}{
		{[]Term{identity, body("we will pay"), amount("1")}, Nearness{Alike, 0.834, "body", ""}, "The same mail but for the wording of body (0.83 alike)."},
		{[]Term{identity, body("we will pay"), amount("1")}, Nearness{SameWording, 0.95, "body", ""}, "The same mail but for the wording of body (0.95 alike)."},
		{[]Term{identity, body("..."), amount("1")}, Nearness{Alike, 0, "body", ""}, "The same mail but for the wording of body, which only one of them fills in."},
		{[]Term{identity, body("goodbye"), amount("1")}, Nearness{Different, 0.1, "body", ""}, `Another mail for the same "to": the body says something else (0.10 alike).`},
		{[]Term{identity, body("we pay 2"), amount("1")}, Nearness{Different, 0.9, "body", "only one says 2"}, `Another mail for the same "to": the body says something else, as only one says 2.`},
		{[]Term{identity, body("we will pay"), amount("2")}, Nearness{Alike, 0.83, "body", ""},
			`Another mail for the same "to": the body is "we will pay" instead of "we pay"; the n is 2 instead of 1.`},
		{[]Term{identity, body("we will pay"), amount("1")}, Nearness{}, `Another mail for the same "to": the body is "we will pay" instead of "we pay".`},
	} {
		if got := Sentence("mail", earlier, c.now, c.wording); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestSentenceShowsWhereLongValuesDiffer(t *testing.T) {
	s := sentenceSpec(t)
	long := strings.Repeat("päge ", 400)
	got := Sentence("write", s.Terms(decode(t, `{"body":"`+long+`1 of 3"}`)), s.Terms(decode(t, `{"body":"`+long+`2 of 3"}`)), Nearness{})
	if want := `Another write: the body is …päge päge päge päge 2 of 3" instead of …päge päge päge päge 1 of 3".`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAlign(t *testing.T) {
	s := sentenceSpec(t)
	pairs := Align(s.Terms(decode(t, `{"order_id":7,"amount":25,"reason":"a","gone":1}`)), s.Terms(decode(t, `{"order_id":"7","amount":25,"reason":"b","new":2}`)))
	var got []string
	for _, p := range pairs {
		got = append(got, p.Argument+" "+string(p.Standing))
	}
	want := "order_id respelled, amount equal, new differs, gone differs, reason ignored, requestId equal"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// Whatever the calls hold, the sentence is one short line that shows nothing of what cannot be seen.
func TestSentenceIsFitToBeShown(t *testing.T) {
	spec := sentenceSpec(t)
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ab\x{0000}\x{202e}\x{10ffff}\n]{0,200}`))
	call := rapid.Custom(func(t *rapid.T) []Term {
		var terms []Term
		for range rapid.IntRange(0, 5).Draw(t, "terms") {
			terms = append(terms, Term{
				Argument: text.Draw(t, "argument"), Raw: text.Draw(t, "raw"), Normal: text.Draw(t, "normal"),
				Kind: rapid.SampledFrom([]string{"text", "id", "money"}).Draw(t, "kind"), Role: Role(rapid.IntRange(0, 3).Draw(t, "role")),
			})
		}
		return terms
	})
	rapid.Check(t, func(t *rapid.T) {
		now := call.Draw(t, "now")
		w := Nearness{Verdict: Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")), Score: 0.5, Contrast: text.Draw(t, "contrast")}
		if len(now) > 0 {
			w.Argument = now[0].Argument
		}
		got := Sentence(text.Draw(t, "effect"), call.Draw(t, "earlier"), now, w)
		if n := utf8.RuneCountInString(got); n > 1000 || !strings.HasSuffix(got, ".") || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%d characters: %q", n, got)
		}
		Sentence("x", spec.Terms(Value{}), now, w)
	})
}
