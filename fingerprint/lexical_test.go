package fingerprint

import (
	"context"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// likenessOf compares two texts as kind text folds them.
func likenessOf(t interface{ Fatalf(string, ...any) }, l *Lexical, earlier, now string) Likeness {
	all, err := l.Compare(context.Background(), []Wording{{string(appendWords(nil, earlier)), string(appendWords(nil, now))}})
	if err != nil || len(all) != 1 {
		t.Fatalf("Compare: %d likenesses, %v", len(all), err)
	}
	return all[0]
}

func TestLexicalFindsRewordings(t *testing.T) {
	l := NewLexical(nil)
	for earlier, now := range map[string]string{
		"Rent for the flat":                             "Rent for the flat, as agreed with Ms Long",
		"Please find the report of the audit attached.": "The audit's report is attached, please have a look.",
		"We are shipping your parcel on Monday, 3 June": "Your parcel ships Monday, June 3",
		"Your invoice of 1,250.00 EUR is due at 10:00":  "The invoice over 1250 EUR is due by 10am",
		"Die Rechnung für den März liegt bei":           "Anbei liegt die Rechnung für März",
		"Nous vous envoyons la facture du mois":         "La facture du mois vous est envoyée",
		"Le enviamos la factura del mes":                "Enviamos la factura de este mes",
		"Reset the password of ann@b.example":           "Password reset for ann@b.example was asked for",
		"The customer wants a refund. This is not in the terms, so a person has to decide about the refund.": "Customer wants a refund; a person must decide.",
	} {
		if got := likenessOf(t, l, earlier, now); got.Score < DefaultNear || got.Score >= DefaultSame || got.Contrast != "" || got.Empty {
			t.Errorf("%q and %q: %+v", earlier, now, got)
		}
	}
}

func TestLexicalFindsContrasts(t *testing.T) {
	l := NewLexical([][]string{{"Draft", "signed"}, {"Lyon", "Nice", "Pau"}})
	for _, pair := range [][3]string{
		{"Part 1 of 3", "Part 2 of 3", `"1", this one "2"`},
		{"The first instalment", "The second instalment", `"1", this one "2"`},
		{"You came in 1st!", "You came in 3rd!", `"1", this one "3"`},
		{"Deine zweite Mahnung", "Deine dritte Mahnung", `"2", this one "3"`},
		{"The last reminder", "The first reminder", ""},
		{"Pay 50 for order A-17", "Pay 500 for order A-17", `"50", this one "500"`},
		{"Balance is -5", "Balance is 5", `"-5", this one "5"`},
		{"All received mails of Ann", "All sent mails of Ann", `"receiv", this one "sent"`},
		{"Buy ten shares", "Sell ten shares", `"buy", this one "sell"`},
		{"Konto gesperrt", "Konto entsperrt", ""},
		{"Facture de janvier", "Facture de février", ""},
		{"Abrir la cuenta", "Cerrar la cuenta", ""},
		{"See you on Monday", "See you on Tuesday", `"monday", this one "tuesday"`},
		{"Please approve the invoice", "Please do not approve the invoice", `only one says "not"`},
		{"It isn't done", "It is done", `only one says "isn't"`},
		{"Wir kommen", "Wir kommen nicht", `only one says "nicht"`},
		{"Read www.a.example/x", "Read www.b.example/x", `"a.example/x", this one "b.example/x"`},
		{"Ask ann@b.example", "Ask bob@b.example", `"ann@b.example", this one "bob@b.example"`},
		{"The draft of the contract", "The signed contract", ""},
		{"A trip to Nice", "A trip to Pau", `"nice", this one "pau"`},
	} {
		for _, p := range [][2]string{{pair[0], pair[1]}, {pair[1], pair[0]}} {
			got := likenessOf(t, l, p[0], p[1])
			if got.Contrast == "" || p[0] == pair[0] && !strings.Contains(got.Contrast, pair[2]) {
				t.Errorf("%q and %q: %+v", p[0], p[1], got)
			}
		}
	}
	if got := likenessOf(t, NewLexical(nil), "A trip to Nice", "A trip to Pau"); got.Contrast != "" {
		t.Errorf("the opposites of one Lexical are in another: %+v", got)
	}
}

func TestLexicalOneSidedIsNotTheSame(t *testing.T) {
	l := NewLexical(nil)
	long := strings.Repeat("some words that say what the matter is about and who will look after it ", 5)
	for _, more := range []string{" 7", " AB12", " at x@y.example", " at https://x.example", ", never"} {
		got := likenessOf(t, l, long, long+"indeed"+more)
		if got.Score >= DefaultSame || got.Score < DefaultNear {
			t.Errorf("with %q: %+v", more, got)
		}
	}
	for _, p := range [][2]string{{"discount of 5%", "discount of 5"}, {"pay $5", "pay €5"}, {"pay 5", "pay £5"}} {
		if got := likenessOf(t, l, p[0], p[1]); got.Score >= DefaultSame {
			t.Errorf("%q and %q: %+v", p[0], p[1], got)
		}
	}
	if got := likenessOf(t, l, "from Ann to Bob", "from Bob to Ann"); got.Score >= DefaultSame || got.Score < DefaultNear {
		t.Errorf("another order: %+v", got)
	}
	if got := likenessOf(t, l, long, long+"indeed"); got.Score < DefaultSame {
		t.Errorf("one word more in a long text: %+v", got)
	}
}

func TestLexicalTellsOthersApart(t *testing.T) {
	l := NewLexical(nil)
	for earlier, now := range map[string]string{
		"The meeting about the roof is cancelled": "Please send me the offer for the new kitchen",
		"Lunch with Ann":                  "Rent",
		"Thank you for your help with it": "We have asked for the key of the room",
	} {
		if got := likenessOf(t, l, earlier, now); got.Score >= DefaultNear || got.Empty {
			t.Errorf("%q and %q: %+v", earlier, now, got)
		}
	}
}

func TestLexicalFindsEmptyTexts(t *testing.T) {
	l := NewLexical(nil)
	for text, empty := range map[string]bool{
		"": true, " ...": true, "-": true, "TODO": true, "n/a": true, "TBD.": true, "{{body}}": true, "${text}": true, "$code": true, "<summary>": true,
		"[insert the text here]": true, "Lorem ipsum": true, "placeholder text": true, "%s": true, "(text goes here)": true,
		"Text": false, "$5": false, "Hi": false, "no": false, "👍": false, "[see https://x.example]": false, "<b>": true, "empty the bin": false,
	} {
		if got := likenessOf(t, l, text, "the report of the audit is attached"); got.Empty != empty || empty && got.Contrast != "" {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestLexicalProperties(t *testing.T) {
	l := NewLexical(nil)
	texts := rapid.OneOf(wordy, rapid.String(), rapid.StringMatching(`((not|no|the|buy|sell|1st|two|May|pas|und|a@b\.c|www\.x\.y|never|-5|5,000) ){0,6}`))
	rapid.Check(t, func(t *rapid.T) { checkLikeness(t, l, texts.Draw(t, "a"), texts.Draw(t, "b")) })
}

// checkLikeness holds the promises of Likeness for any two texts, folded or not.
func checkLikeness(t interface{ Fatalf(string, ...any) }, l *Lexical, a, b string) {
	all, err := l.Compare(context.Background(), []Wording{{a, b}, {b, a}, {a, a}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	ab, ba, aa := all[0], all[1], all[2]
	if !(ab.Score >= 0 && ab.Score <= 1) || math.Abs(ab.Score-ba.Score) > 1e-9 || ab.Empty != ba.Empty || (ab.Contrast == "") != (ba.Contrast == "") {
		t.Fatalf("%q and %q: %+v, the other way %+v", a, b, ab, ba)
	}
	if aa.Score != 1 || aa.Contrast != "" {
		t.Fatalf("%q and itself: %+v", a, aa)
	}
	if ab.Empty && ab.Contrast != "" || strings.Contains(ab.Contrast, `""`) {
		t.Fatalf("%q and %q: %+v", a, b, ab)
	}
	if alone, err := l.Compare(context.Background(), []Wording{{b, a}}); err != nil || math.Abs(alone[0].Score-ba.Score) > 1e-9 {
		t.Fatalf("%q and %q alone: %+v, %v", a, b, alone, err)
	}
}

func FuzzLexical(f *testing.F) {
	l := NewLexical(nil)
	f.Add("Part 1 of 3", "Part 2 of 3")
	f.Add("Bitte nicht löschen", "Bitte löschen")
	f.Add("{{body}}", "1st 2nd -5 10:00 10am ½ x@y.z https://a.b/ Ⅳ n't")
	f.Fuzz(func(t *testing.T, a, b string) { checkLikeness(t, l, a, b) })
}

func TestLexicalStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewLexical(nil).Compare(ctx, []Wording{{"a", "b"}}); err == nil {
		t.Error("a comparison that nobody waits for succeeded")
	}
}

// TestLexicalTakesLinearTime would not end within the test's time if every word were set against every other.
func TestLexicalTakesLinearTime(t *testing.T) {
	l := NewLexical(nil)
	for _, part := range []string{"buy 1 not ", "a@b.c ", "www.a.b/ ", "1,2,3,", "[[", "n't", "ab"} {
		likenessOf(t, l, strings.Repeat(part, 1<<18/len(part)), strings.Repeat(part, 1<<17/len(part))+" sell 2")
	}
}

func TestPlainNumerals(t *testing.T) {
	for in, want := range map[string]string{
		"30,000": "30000", "1,250.00": "1250", "10.000": "10.000", "050": "50", "0": "0", "00": "0", "50.0": "50", "7.25": "7.25", "0.5": "0.5",
		"1,5": "1,5", "1.2.3": "1.2.3", "12,34,567": "12,34,567", "5.": "5", "1,000.500": "1000.500",
	} {
		if got := plainNumeral(in); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

// BenchmarkLexical compares a text of 1 KB with fifty others, as a call with fifty candidates does.
func BenchmarkLexical(b *testing.B) {
	l := NewLexical(nil)
	text := strings.Repeat("The customer asks for a refund of order 4711 because the parcel arrived damaged on Monday. ", 11)
	pairs := make([]Wording, 50)
	for i := range pairs {
		words := strings.Fields(text)
		words[i] = "candidate" + string(rune('a'+i%26))
		pairs[i] = Wording{strings.Join(words, " ") + strings.Repeat("!", i), text}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Compare(context.Background(), pairs); err != nil {
			b.Fatal(err)
		}
	}
}
