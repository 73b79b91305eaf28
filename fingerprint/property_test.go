package fingerprint

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readAs returns the form of a JSON text under a kind without options.
func readAs(t interface{ Fatalf(string, ...any) }, kind, text string) string {
	k, err := ParseKind(kind)
	if err != nil {
		t.Fatalf("%v", err)
	}
	read, err := k.compile(&declared{Argument: Argument{Kind: k}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	v, err := Decode([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	form, _ := read.normalise(nil, call{emptySpec, Value{}}, v)
	return string(form)
}

func quote(s string) string { return string(appendQuoted(nil, s)) }

// spellings generates texts that each kind can read, digits included.
var spellings = map[string]*rapid.Generator[string]{
	"id":       rapid.StringMatching(`[A-Za-zé_ #-]{0,4}[0-9]{1,20}[a-z]?`),
	"name":     rapid.StringMatching(`[A-Za-zÄßﬁ '’–-]{0,6}[0-9²½٣]{1,4}[ .,]?`).Filter(hasDigit),
	"enum":     rapid.StringMatching(`[A-Z]?[a-z]{1,3}[-_ ]?[0-9]{1,3}`),
	"number":   rapid.StringMatching(`[+-]?[1-9][0-9]{0,20}(\.[0-9]{1,5})?`),
	"money":    rapid.StringMatching(`(EUR |\$|-)?[1-9][0-9]{0,2}([, ’][0-9]{3}){0,3}([.][0-9]{2})?( €)?`),
	"email":    rapid.StringMatching(`[a-zA-Z0-9.+-]{1,8}[0-9]{1,3}@[a-zA-Z]{1,4}[0-9]{1,3}\.(com|example)`),
	"datetime": rapid.StringMatching(`20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,10})?)?( ?(Z|UTC|[+-]0[0-9]:00))?`),
	"date":     rapid.StringMatching(`(20[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3][0-9][./-][01][0-9][./-]20[0-9]{2}|(Mar|June) [0-3]?[0-9], 20[0-9]{2})`),
	"url":      rapid.StringMatching(`https?://[a-z]{1,3}[0-9]{1,3}\.example(:[1-9][0-9]{1,3})?/[a-z0-9/.%-]{0,5}(\?[a-z]=[0-9]{1,3})?(#/[0-9]{1,2})?`).Filter(withoutParents),
	"percent":  rapid.StringMatching(`[+-]?(0|[1-9][0-9]{0,5})([.,][0-9]{1,3})? ?(%|percent)?`),
	"duration": rapid.StringMatching(`-?(P([0-9]{1,3}[YMWD]){0,2}T?([0-9]{1,3}(\.[0-9]{1,10})?[HMS])?|([0-9]{1,4}(\.[0-9]{1,3})? ?(h|min|s|ms|days) ?){1,2})`).Filter(hasDigit),
	"phone":    rapid.StringMatching(`\+?[0-9]{1,3}[ (./-]{0,2}[0-9]{0,4}[ ).-]{0,2}[0-9]{2,6}( ?(x|ext\.|;ext=)[0-9]{1,3})?`),
	"language": rapid.StringMatching(`(es|en|de|fr)[-_]([0-9]{3}|1901|1996|x-[a-z][0-9]{1,3})`),
	"path":     rapid.StringMatching(`[~./]{0,3}[a-z0-9]{0,3}(/{1,2}[.a-z0-9]{1,3}){0,3}/?`).Filter(hasDigit),
	"command":  rapid.StringMatching(`[a-z]{1,2}[0-9]( +(-[a-z0-9]|'[0-9 $]{1,3}'|"[0-9$ ]{1,3}"|[0-9]\\ [0-9]|\$[0-9]|[0-9]?> ?f[0-9]|\| ?[a-z][0-9]|\*[0-9]|; ?a[0-9]|~[0-9])){0,4}`),
	"iban":     rapid.Map(rapid.StringMatching(`[A-Z]{2}[0-9A-Z]{11,30}`), withCheckDigits),
	"card":     rapid.Map(rapid.StringMatching(`[0-9]{11,18}`), withLuhnDigit),
	"json":     rapid.StringMatching(`\{"[a-z]":\[("[a-z0-9 ]{0,4}",){0,2}-?[1-9][0-9]{0,20}(\.[0-9]{1,3})?\]\}`),
}

// withCheckDigits makes an account number of a country and the rest: the digits for which the remainder is 1.
func withCheckDigits(s string) string {
	for check := 2; check <= 98; check++ {
		code := fmt.Sprintf("%s%02d%s", s[:2], check, s[2:])
		if v, err := Decode([]byte(quote(code)), Limits{}); err == nil {
			if _, _, ok := readIBAN(nil, call{}, v); ok {
				return code
			}
		}
	}
	panic("no check digits for " + s)
}

func withLuhnDigit(s string) string {
	for check := range 10 {
		code := fmt.Sprint(s, check)
		if v, err := Decode([]byte(quote(code)), Limits{}); err == nil {
			if _, _, ok := readCard(nil, call{}, v); ok {
				return code
			}
		}
	}
	panic("no check digit for " + s)
}

// withoutParents leaves out URLs in which ".." takes a segment away, whatever its digits are.
func withoutParents(s string) bool { return !strings.Contains(s, "/..") }

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// TestChangedDigitIsNeverEqual changes one digit of a value: whatever its kind joins, it must not join this.
func TestChangedDigitIsNeverEqual(t *testing.T) {
	for kind, texts := range spellings {
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
				other := rapid.SampledFrom([]byte("0123456789")).Draw(t, "digit")
				if other == s[at] {
					return
				}
				changed := s[:at] + string(other) + s[at+1:]
				a, b := readAs(t, kind, quote(s)), readAs(t, kind, quote(changed))
				if a == b {
					t.Fatalf("%q and %q are both %s", s, changed, a)
				}
			})
		})
	}
}

// TestFormsReadAsThemselves reads the content of a form again.
func TestFormsReadAsThemselves(t *testing.T) {
	texts := maps.Clone(spellings)
	texts["country"] = rapid.SampledFrom(slices.Sorted(maps.Keys(countryCodes())))
	texts["language"] = rapid.OneOf(spellings["language"], rapid.SampledFrom(slices.Sorted(maps.Keys(languageCodes()))))
	texts["command"] = rapid.OneOf(spellings["command"], rapid.StringMatching(`[a-z]([a1 '"\\$;&|<>(){}=~*!#é\n-]|\\\n| [0-9]>|\$'x'|<\(a\)|&&){0,9}`))
	for kind, texts := range texts {
		if kind == "money" || kind == "datetime" {
			continue // their forms say more than a value does
		}
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := rapid.OneOf(texts, rapid.String()).Draw(t, "text")
				checkIdempotent(t, kind, quote(s))
			})
		})
	}
}

func checkIdempotent(t interface{ Fatalf(string, ...any) }, kind, text string) {
	form := readAs(t, kind, text)
	content, read := strings.CutPrefix(form, kind+" ")
	if !read {
		return
	}
	if again := readAs(t, kind, quote(content)); again != form {
		t.Fatalf("%s %s is %q, which reads as %q", kind, text, form, again)
	}
}

func TestSetsAreFreeOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"exact", "id", "name", "email", "money"}).Draw(t, "kind")
		list := rapid.SliceOfN(jsonTexts(1), 2, 6).Draw(t, "list")
		shuffled := append(append([]string{}, list...), list[0])
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		a := readAs(t, "set of "+kind, "["+strings.Join(list, ",")+"]")
		b := readAs(t, "set of "+kind, "["+strings.Join(shuffled, ",")+"]")
		if a != b {
			t.Fatalf("set of %s: %s and %s are %s and %s", kind, list, shuffled, a, b)
		}
	})
}

// TestKindsRespectExactEquality: two spellings of one JSON value are never told apart by any kind, and each form says
// how it was read.
func TestKindsRespectExactEquality(t *testing.T) {
	base, _ := KindNames()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(base).Draw(t, "kind")
		of := rapid.SampledFrom([]string{"", "list of ", "set of ", "map of "}).Draw(t, "of")
		text := jsonTexts(2).Draw(t, "value")
		v, err := Decode([]byte(text), Limits{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		a, b := readAs(t, of+kind, text), readAs(t, of+kind, string(v.AppendCanonical(nil)))
		if a != b {
			t.Fatalf("%s of %s is %q, of its canonical form %q", of+kind, text, a, b)
		}
		checkTag(t, of+kind, a)
	})
}

func checkTag(t interface{ Fatalf(string, ...any) }, kind, form string) {
	tag, content, ok := strings.Cut(form, " ")
	first, _, _ := strings.Cut(kind, " ")
	known := tag == first || first == "auto" || tag == "exact" || fmt.Sprint(first, tag) == "datedatetime" || fmt.Sprint(first, tag) == "datetimedate"
	if !ok || !known || content == "" {
		t.Fatalf("%q is no form of kind %s", form, kind)
	}
}
