package fingerprint

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nlnwa/whatwg-url/url"
	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"pgregory.net/rapid"
)

// The tests of this file hold each shortcut for the usual texts against the general way, whose result it must give.

func TestPlainAddressIsTheLibrarys(t *testing.T) {
	taken := 0
	texts := rapid.OneOf(
		rapid.StringMatching(`([A-Za-z0-9 ]{0,8}<)?[a-zA-Z0-9.+_-]{1,6}@[a-zA-Z0-9.-]{1,9}>?`),
		rapid.StringMatching(`([A-Z][a-z]{1,5} ){0,2}<[a-z]{1,4}@[A-Z0-9]{1,3}(-[a-z0-9]{1,3}){0,2}[.]Example>`),
		rapid.StringMatching(`[a-z]{1,64}@([a-z]{60,64}[.]){0,3}(XN|xn)?-{0,2}[a-z0-9]{1,5}`),
		rapid.StringMatching(`.{0,5}[@<>. a]{1,5}.{0,5}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.TrimSpace(texts.Draw(t, "text"))
		address, ok := plainAddress(text)
		if !ok {
			return
		}
		taken++
		local, domain, note := parseAddress(text)
		got, want := string(appendLowerASCII(nil, address)), string(appendLowerASCII(nil, local))+"@"+domain
		if note != "" || got != want {
			t.Fatalf("%q is read as %q, by the library as %q (%s)", text, got, want, note)
		}
	})
	if taken == 0 {
		t.Error("no text took the shortcut")
	}
}

func TestPlainURLIsTheLibrarys(t *testing.T) {
	taken := 0
	texts := rapid.OneOf(
		rapid.StringMatching(`[hH]ttps?://[a-zA-Z0-9.-]{1,9}(:[0-9]{0,6})?([/?][a-z0-9%./?!$&()*+,;=:@_~'|^-]{0,12})?`),
		rapid.StringMatching(`https?://[a-z]{1,3}([.][A-Za-z0-9]{1,4}){0,3}(:(80|443|8080|65536))?(/[a-zA-Z0-9._%/-]{0,9})?([?]["'=&a-z0-9/;,]{0,9})?`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		got, ok := appendPlainURL(nil, text)
		if !ok {
			return
		}
		taken++
		u, err := url.Parse(text)
		if err != nil || u.Href(false) != string(got) {
			t.Fatalf("%q is read as %q, by the library as %v (%v)", text, got, u, err)
		}
	})
	if taken == 0 {
		t.Error("no text took the shortcut")
	}
}

func TestPlainNumberIsTheLibrarys(t *testing.T) {
	codes := slices.Sorted(maps.Keys(simpleTrunks()))
	if len(codes) < 100 {
		t.Fatalf("only %d countries have simple numbers", len(codes))
	}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "code")
		digits := code + rapid.StringMatching(`[0-9]{1,16}`).Draw(t, "national")
		if found, ok := plainE164(digits); !ok || found != code {
			return
		}
		got, possible := appendE164(nil, digits, true, "")
		number, err := phonenumbers.Parse("+"+digits, "")
		if want := err == nil && phonenumbers.IsPossibleNumber(number); possible != want {
			t.Fatalf("+%s is possible: %v, by the library %v (%v)", digits, possible, want, err)
		}
		if possible && string(got) != phonenumbers.Format(number, phonenumbers.E164) {
			t.Fatalf("+%s is read as %s, by the library as %v", digits, got, number)
		}
	})
}

func TestTimestampIsReadAsByTheSearch(t *testing.T) {
	taken := 0
	texts := rapid.StringMatching(`[0-9]{3}[1-9]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.,][0-9]{1,10})?(Z|z|[+-][012][0-9]:[0-6][0-9])`)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		got, ok := parseTimestamp(text)
		if !ok {
			return
		}
		taken++
		if want, fault := searchLayouts(text); fault != "" || want.granularity != inUTC || !got.Equal(want.time) {
			t.Fatalf("%q is %v, by the search %v (%s)", text, got, want.time, fault)
		}
	})
	if taken == 0 {
		t.Error("no text took the shortcut")
	}
}

func TestASCIIFoldsAsUnicode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		text = strings.Map(func(r rune) rune { return r % 128 }, text)
		want := strings.Join(strings.Fields(cases.Fold().String(text)), " ")
		if got := string(appendFoldedASCII([]byte("x "), text)); got != "x "+want {
			t.Fatalf("%q is folded to %q, want %q", text, got, want)
		}
	})
}

func TestQuotedIsTheLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z"\\ -]{0,9}`)).Draw(t, "text")
		want, err := jsontext.AppendQuote(nil, text)
		if got := string(appendQuoted(nil, text)); err != nil || got != string(want) {
			t.Fatalf("%q is quoted as %s, want %s", text, got, want)
		}
	})
}

// Eight bytes at a time find what one at a time find, also where bytes next to special ones, or with the top bit set, stand around.
func TestPlainLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tricky := rapid.SampledFrom([]byte{0, 1, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 0x9f, 0xa0, 0xa2, 0xdc, 0xff})
		text := rapid.SliceOfN(rapid.OneOf(rapid.Just(byte('a')), rapid.Just(byte('a')), rapid.Just(byte(0xe9)), tricky), 0, 40).Draw(t, "text")
		want := slices.IndexFunc(text, func(c byte) bool { return c < ' ' || c == '"' || c == '\\' })
		if want < 0 {
			want = len(text)
		}
		if got := plainLength(text); got != want {
			t.Fatalf("%q is plain for %d bytes, want %d", text, got, want)
		}
	})
}

func TestCanonicalNumbersAreTheirOwnForm(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,21})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		if !isCanonicalNumber(text) {
			return
		}
		taken++
		if d, err := ParseDecimal(text); err != nil || d.String() != text {
			t.Fatalf("%s is %s, %v", text, d, err)
		}
	})
	if taken == 0 {
		t.Error("no number took the shortcut")
	}
}
