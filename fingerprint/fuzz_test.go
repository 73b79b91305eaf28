package fingerprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e3,"x\n\u00e9"],"b":{"c":null}}`, `{"a":1,"\u0061":2}`, `"\ud800"`, "\"\xff\"", `[NaN]`, `[[[[`, `1e99999999999`, ` 0 `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Decode(text, Limits{})
		if fault := newDiagnosis(text, DefaultLimits).read(); (fault == nil) != (err == nil) {
			t.Fatalf("the scanner says %v, the library %v", err, fault)
		}
		if err != nil {
			e := (*DecodeError)(nil)
			if !errors.As(err, &e) || e.Code == "" || e.Detail == "" || e.Offset < 0 || e.Offset > int64(len(text)) || !utf8.ValidString(e.Path) {
				t.Fatalf("bad error %#v", err)
			}
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("Decode takes what encoding/json refuses: %q", text)
		}
		if !reflect.DeepEqual(v.Any(), parseStd(t, string(text))) {
			t.Fatalf("%q is read as %v", text, v.Any())
		}
		if strings.TrimSpace(string(text)) != string(v.Raw()) {
			t.Fatalf("the raw text of %q is %q", text, v.Raw())
		}
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add(`{"a":1,"b":[2.50]}`, `{"b":[25e-1],"a":1.0}`)
	f.Add(`9007199254740993`, `9007199254740992`)
	f.Add(`"\u0041"`, `"A"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, text := range []string{a, b} {
			if _, err := Decode([]byte(text), Limits{}); err != nil || hasHugeExponent(text) {
				t.Skip("not two texts that Decode and big.Rat take")
			}
		}
		checkLaw(t, a, b)
	})
}

// hasHugeExponent keeps big.Rat, which expands numbers, from filling the memory.
func hasHugeExponent(text string) bool {
	for rest := text; rest != ""; {
		e := strings.IndexAny(rest, "eE")
		if e < 0 {
			return false
		}
		rest = strings.TrimLeft(rest[e+1:], "+-0")
		if digits, _ := leadingDigits(rest); len(digits) > 3 {
			return true
		}
	}
	return false
}

func FuzzKinds(f *testing.F) {
	kinds, _ := KindNames()
	for i, seed := range []string{
		`{"a":[1]}`, `" 007 "`, `"Curly ’quotes’ – ½ ﬁ"`, `"In_progress-2"`, `"+1.50"`, `"-1,234.50 €"`, `"Yes"`, `"A <a.b+c@EXÄMPLE.com>"`,
		`"Mon, 20 May 2024 13:00:00.5 +0200"`, `"24/04/2024"`, `"HTTP://user@EXAMPLE.com:80/a/../b?q=1#/x"`,
		`"12,5 %"`, `"1 hour and 30.5 min"`, `"+49 (0)30 123456 ext. 007"`, `"the U.S.A."`, `"zh_hant-tw"`, `".//~/a/../b/"`,
		`"A='x y' b <(c) 2>&1 | d \"$e\" f\\ g; # h"`, `"DE89 3704 0044 0532 0130 00"`, `"4111-1111-1111-1111"`, `"{\"a\": [1.0]}"`, `{"a":{"b":1}}`,
	} {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		kind := kinds[int(n)%len(kinds)]
		v, err := Decode([]byte(text), Limits{})
		if err != nil {
			t.Skip("not JSON")
		}
		canonical := string(v.AppendCanonical(nil))
		for _, of := range []string{"", "list of ", "set of ", "map of "} {
			form := readAs(t, of+kind, text)
			checkTag(t, of+kind, form)
			if again := readAs(t, of+kind, canonical); again != form {
				t.Fatalf("%s%s of %s is %q, of its canonical form %q", of, kind, text, form, again)
			}
		}
		switch kind {
		case "money", "datetime", "bool", "exact", "object", "auto", "markdown", "html":
		default:
			checkIdempotent(t, kind, text)
		}
	})
}

// FuzzKindPairs holds collections to what their elements are: equal elements are one in a set, and only they may change
// places in a list.
func FuzzKindPairs(f *testing.F) {
	kinds, _ := KindNames()
	for i, pair := range [][2]string{
		{`{"a":1}`, `"{\"a\":1.0}"`}, {`"7"`, `7`}, {`"a-b"`, `"A B"`}, {`"5 %"`, `5`}, {`"90 min"`, `"PT1H30M"`}, {`"+49 (0)30 123456"`, `"+4930123456"`},
		{`"a;b"`, `"a\nb"`}, {`"a@b.example"`, `"a@b.example, c@d.example"`}, {`[1]`, `"[1]"`}, {`null`, `""`},
	} {
		for n := range kinds {
			f.Add(uint8(n+i), pair[0], pair[1])
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, a, b string) {
		kind := kinds[int(n)%len(kinds)]
		for _, text := range []string{a, b} {
			if _, err := Decode([]byte(text), Limits{}); err != nil {
				t.Skip("not two JSON texts")
			}
		}
		same := readAs(t, kind, a) == readAs(t, kind, b)
		read := func(of string, texts ...string) string { return readAs(t, of+kind, "["+strings.Join(texts, ",")+"]") }
		if read("set of ", a, b) != read("set of ", b, a, b) {
			t.Fatalf("set of %s: the order of %s and %s counts", kind, a, b)
		}
		if (read("set of ", a, b) == read("set of ", a)) != same {
			t.Fatalf("%s and %s are equal as %s: %v, in a set not so", a, b, kind, same)
		}
		if (read("list of ", a, b) == read("list of ", b, a)) != same {
			t.Fatalf("%s and %s are equal as %s: %v, in a list not so", a, b, kind, same)
		}
	})
}

func FuzzSum(f *testing.F) {
	spec, err := NewSpec(refundSpec())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("acme", "refund", "r1", `{"order_id":"7","amount":"25.00","currency":"EUR"}`, `{"order_id":7,"amount":25,"currency":"eur"}`)
	f.Add("", "", "", `5`, `{"":5}`)
	f.Add("a", "b", "c", `{"reason":"x","notify":null}`, `{}`)
	f.Fuzz(func(t *testing.T, tenant, effect, run, a, b string) {
		v, errA := Decode([]byte(a), Limits{})
		w, errB := Decode([]byte(b), Limits{})
		if errA != nil || errB != nil {
			t.Skip("not JSON")
		}
		m := newMaker(t)
		in := Input{Tenant: tenant, Effect: effect, Scope: []ScopePart{{"run", run}}}
		x, y := m.Sum(spec, in, v), m.Sum(spec, in, w)
		c := Compare(spec.Terms(v), spec.Terms(w))
		if c.Same != (x.Key == y.Key) || c.Same != bytes.Equal(x.Key.Common(), y.Key.Common()) {
			t.Fatalf("Compare says %v, the keys are %s and %s", c.Same, x.Key, y.Key)
		}
		if c.Same && x.Identity != y.Identity || x.Key == x.Identity || x.Key.IsZero() {
			t.Fatalf("%+v", x)
		}
		for _, d := range c.Differs {
			if d.Decides && c.Same {
				t.Fatalf("same in spite of %+v", d)
			}
		}
	})
}
