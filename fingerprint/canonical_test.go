package fingerprint

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// equalJSON compares by another road than ours: encoding/json and big.Rat.
func equalJSON(t interface{ Fatalf(string, ...any) }, a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && rational(t, string(x)).Cmp(rational(t, string(y))) == 0
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equalJSON(t, x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name := range x {
			other, present := y[name]
			if !present || !equalJSON(t, x[name], other) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}

func parseStd(t interface{ Fatalf(string, ...any) }, text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json refuses what Decode took: %v", err)
	}
	return v
}

// jsonTexts generates small values that are often equal in another spelling.
func jsonTexts(depth int) *rapid.Generator[string] {
	scalars := rapid.OneOf(
		rapid.SampledFrom([]string{
			"null", "true", "false", "1", "1.0", "1e0", "10e-1", "-0", "0", "0.0", "9007199254740993", "9007199254740992",
			"9007199254740993.0", `"a"`, `"\u0061"`, `"1"`, `""`, `"é"`, `"e\u0301"`, `"\ud83d\ude00"`, `"😀"`, `"\/"`, `"/"`,
			`"\u2028"`, `"\n"`, `"\u000A"`, `"\u001f"`,
		}),
		decimals(),
		rapid.Map(rapid.String(), strconv.QuoteToGraphic).Filter(json5Free),
	)
	if depth == 0 {
		return scalars
	}
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 0:
			list := rapid.SliceOfN(jsonTexts(depth-1), 0, 3).Draw(t, "list")
			return "[ " + strings.Join(list, " , ") + "]"
		case 1:
			var members []string
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "", "é", "ab"}), 0, 3, rapid.ID).Draw(t, "names") {
				members = append(members, fmt.Sprintf("%q : %s", name, jsonTexts(depth-1).Draw(t, "value")))
			}
			return "{" + strings.Join(members, ",") + "}"
		default:
			return scalars.Draw(t, "scalar")
		}
	})
}

// json5Free keeps the quoted strings that are JSON too.
func json5Free(s string) bool { return json.Valid([]byte(s)) }

func TestEqualCanonicalFormMeansEqualValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := jsonTexts(2).Draw(t, "a")
		b := rapid.OneOf(jsonTexts(2), rapid.Just(a)).Draw(t, "b")
		checkLaw(t, a, b)
	})
}

// checkLaw holds two texts that Decode takes against the law of canonical forms.
func checkLaw(t interface {
	Fatalf(string, ...any)
	Helper()
}, a, b string) {
	t.Helper()
	v, errA := Decode([]byte(a), Limits{})
	w, errB := Decode([]byte(b), Limits{})
	if errA != nil || errB != nil {
		t.Fatalf("%v, %v", errA, errB)
	}
	x, y := string(v.AppendCanonical(nil)), string(w.AppendCanonical(nil))
	if (x == y) != equalJSON(t, parseStd(t, a), parseStd(t, b)) {
		t.Fatalf("%s and %s: canonical %s and %s", a, b, x, y)
	}
	again, err := Decode([]byte(x), Limits{Digits: 2000})
	if err != nil || string(again.AppendCanonical(nil)) != x {
		t.Fatalf("the canonical form %s of %s is not its own: %v", x, a, err)
	}
}

func TestCanonicalSortsByUTF8(t *testing.T) {
	// In UTF-16 units, the order of RFC 8785, U+1F600 comes before U+FF01.
	v := decode(t, `{"\ud83d\ude00":1,"！":2,"z":3}`)
	if got := string(v.AppendCanonical(nil)); got != `{"z":3,"！":2,"😀":1}` {
		t.Errorf("canonical %s", got)
	}
}
