package fingerprint

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
)

func decode(t testing.TB, text string) Value {
	t.Helper()
	v, err := Decode([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("Decode(%.80q): %v", text, err)
	}
	return v
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct {
		text   string
		code   DecodeCode
		path   string
		offset int64
	}{
		{"", Empty, "", 0},
		{" \n", Empty, "", -1},
		{`{"a":1,"a":2}`, DuplicateName, "/a", 7},
		{`{"x":{"a":1,"\u0061":2}}`, DuplicateName, "/x/a", 12},
		{`{"x/y":[0,{"~":NaN}]}`, NotANumber, "/x~1y/1/~0", -1},
		{`[-Infinity]`, NotANumber, "/0", -1},
		{"{\"a\":\"\xff\"}", InvalidUTF8, "/a", 6},
		{"{\"a\xc3\":1}", InvalidUTF8, "", 3},
		{"\"\xed\xa0\x80\"", InvalidUTF8, "", 1},
		{`"\ud800"`, LoneSurrogate, "", 1},
		{`"\udc00"`, LoneSurrogate, "", 1},
		{`"x\uD800\u0041"`, LoneSurrogate, "", 2},
		{`"\ud800\ud800"`, LoneSurrogate, "", -1},
		{`{"\ud800":1}`, LoneSurrogate, "", 2},
		{`1 2`, TrailingData, "", -1},
		{`{}x`, TrailingData, "", -1},
		{`{"a":`, Truncated, "/a", -1},
		{`["a`, Truncated, "/0", -1},
		{`[1,]`, Syntax, "", -1},
		{`{1:2}`, Syntax, "", -1},
		{`[01]`, Syntax, "", -1},
		{`+1`, Syntax, "", -1},
		{`'a'`, Syntax, "", -1},
		{"\ufeff1", Syntax, "", -1},
		{"\"a\nb\"", Syntax, "", -1},
		{`"\x"`, Syntax, "", -1},
		{`[1}`, Syntax, "", -1},
		{`[1e1000000000]`, NumberRange, "/0", -1},
		{`1e-99999999999999999999`, NumberRange, "", -1},
		{`{"n":1.` + strings.Repeat("3", 1000) + `}`, NumberTooLong, "/n", -1},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), TooDeep, strings.Repeat("/0", 64), 65},
		{"[" + strings.Repeat("0,", 9_999) + "0]", TooManyValues, "/9999", -1},
	} {
		_, err := Decode([]byte(c.text), Limits{})
		var e *DecodeError
		if !errors.As(err, &e) {
			t.Errorf("Decode(%.60q) = %v, want a DecodeError", c.text, err)
			continue
		}
		if e.Code != c.code || !strings.HasPrefix(e.Path, c.path) || c.offset >= 0 && e.Offset != c.offset {
			t.Errorf("Decode(%.60q): %s at %q byte %d, want %s at %q byte %d", c.text, e.Code, e.Path, e.Offset, c.code, c.path, c.offset)
		}
		if e.Detail == "" || strings.Contains(e.Error(), "\n") {
			t.Errorf("Decode(%.60q): bad sentence %q", c.text, e)
		}
	}
}

func TestDecodeErrorNeverQuotesValues(t *testing.T) {
	for _, text := range []string{
		`{"card":"4111-secret\x"}`, `{"card":secret}`, `{"card":"secret","card":1}`, "{\"card\":\"secret\xff\"}",
		`{"card":"secret`, `{"pin":4111411141114111,}`, `{"card":"secret" 1}`, `["secret\ud800"]`,
	} {
		_, err := Decode([]byte(text), Limits{})
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "4111") {
			t.Errorf("Decode(%q) = %v", text, err)
		}
	}
	_, err := Decode([]byte(`{"`+strings.Repeat("ü", 5000)+`":[nope]}`), Limits{})
	if err == nil || len(err.Error()) > 2*maxPath {
		t.Errorf("a long name makes an error of %d bytes", len(err.Error()))
	}
}

func TestDecodeLimitsAreExact(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
		"[" + strings.Repeat("0,", 9_998) + "0]",
		strings.Repeat("7", 1000),
		`"` + strings.Repeat("a", 1<<20-2) + `"`,
		"1e999999999", "1e-999999999",
	} {
		decode(t, text)
	}
	small := Limits{Bytes: 12, Depth: 2, Members: 4, Digits: 2}
	for text, code := range map[string]DecodeCode{
		"[[1,22]]": "", "            1": TooLarge, "[[[]]]": TooDeep, "[1,2,3,4]": TooManyValues, "[123]": NumberTooLong,
		"[1.23]": NumberTooLong, `{"a":1,"b":2}`: TooLarge,
	} {
		_, err := Decode([]byte(text), small)
		if e := (*DecodeError)(nil); errors.As(err, &e) && e.Code != code || (err == nil) != (code == "") {
			t.Errorf("Decode(%q) = %v, want %q", text, err, code)
		}
	}
}

// TestDecodeBoundsMemory feeds hostile texts with a byte limit that lets them in.
func TestDecodeBoundsMemory(t *testing.T) {
	texts := map[DecodeCode]string{
		TooDeep:       strings.Repeat("[", 1_000_000),
		NumberTooLong: strings.Repeat("9", 1_000_000),
		TooManyValues: "[" + strings.Repeat("[],", 300_000) + "[]]",
	}
	for code, text := range texts {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode([]byte(text), Limits{Bytes: 10 << 20})
		runtime.ReadMemStats(&after)
		var e *DecodeError
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("Decode = %v, want %s", err, code)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 10*uint64(len(text)) {
			t.Errorf("%s: %d bytes allocated for a text of %d", code, used, len(text))
		}
	}
}

func TestValueAccessors(t *testing.T) {
	text := ` {"z": [1.50, true, null], "a\u0062": "é\n\ud83d\ude00", "": {}} `
	v := decode(t, text)
	if v.Type() != Object || v.Len() != 3 || string(v.Raw()) != strings.TrimSpace(text) {
		t.Fatalf("%s with %d members, raw %s", v.Type(), v.Len(), v.Raw())
	}
	if name, m := v.Member(0); name != "z" || string(m.Raw()) != "[1.50, true, null]" {
		t.Errorf("member 0 is %q: %s", name, m.Raw())
	}
	if m, ok := v.Get("ab"); !ok || m.Text() != "é\n😀" {
		t.Errorf("ab = %q, %v", m.Text(), ok)
	}
	z, _ := v.Get("z")
	if z.Elem(0).Number().String() != "1.5" || !z.Elem(1).Bool() || z.Elem(2).Type() != Null {
		t.Error("the elements of z are wrong")
	}
	for _, absent := range []Value{z.Elem(3), z.Elem(-1), {}} {
		if !absent.IsZero() || absent.Raw() != nil || absent.Type() != Null || absent.Any() != nil {
			t.Error("a value that is not there is not the zero Value")
		}
	}
	if _, ok := v.Get("zz"); ok {
		t.Error("Get found a name that is not there")
	}
	if got := string(v.AppendCanonical(nil)); got != `{"":{},"ab":"é\n😀","z":[1.5,true,null]}` {
		t.Errorf("canonical %s", got)
	}
	any, err := json.Marshal(v.Any())
	if err != nil || string(any) != `{"":{},"ab":"é\n😀","z":[1.50,true,null]}` {
		t.Errorf("Any() = %s, %v", any, err)
	}
}

// TestValueSurvivesThePool decodes many texts at once: a value must not share the scratch space of the next.
func TestValueSurvivesThePool(t *testing.T) {
	var values []Value
	for range 100 {
		values = append(values, decode(t, `{"b":[1,2,{"c":"d"}],"a":"x\ty"}`))
		decode(t, `[9,8,7,6,5,4,3,2,1,{"q":"r"}]`)
	}
	for _, v := range values {
		if got := string(v.AppendCanonical(nil)); got != `{"a":"x\ty","b":[1,2,{"c":"d"}]}` {
			t.Fatalf("canonical %s", got)
		}
	}
}
