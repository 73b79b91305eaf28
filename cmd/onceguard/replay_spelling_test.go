package main

import "testing"

func TestSameTextFollowsJSONValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":2}`, ` { "b" : 2.0, "a" : 1e0 } `, true},
		{`{"a":"é"}`, `{"a":"\u00e9"}`, true},
		{`{"a":0.10}`, `{"a":0.1}`, true},
		{`{"a":{"x":[1,{"y":2,"z":3}]}}`, `{"a":{"x":[1,{"z":3,"y":2}]}}`, true},
		{`{"a":9007199254740992}`, `{"a":9007199254740993}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":" x"}`, `{"a":"x"}`, false},
		{`{"a":1,"a":1}`, `{"a":1}`, false}, // which value it has depends on the reader
		{`{"a":1} x`, `{"a":1}`, false},
		{`nonsense`, `nonsense`, true},
		{`{"a":1e999999999}`, `{"a":1e999999999}`, true}, // would fill the memory if it were written out
	} {
		if got := sameText(c.a) == sameText(c.b); got != c.same {
			t.Errorf("%s and %s: same is %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

func TestRespellKeepsTheValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"order_id": "A-1", "amount": 25, "parts": [3, 1, 2], "note": "tab\t\"quoted\" é 😀 <&>", "deep": {"b": null, "a": true}}`,
		`{"a":0,"b":-0,"c":-7,"d":1.50,"e":1E+3,"f":123456789012345678901234567890}`,
		`{}`, `[]`, `"x"`, `7`,
		`{"twice":1,"twice":2}`,
		`no JSON at all`,
	} {
		spellings := map[string]bool{}
		for seed := range uint64(64) {
			other := respell(text, seed)
			spellings[other] = true
			if sameText(other) != sameText(text) {
				t.Errorf("%s was respelled as %s, which has another value", text, other)
			}
		}
		t.Logf("%d spellings of %.30s", len(spellings), text)
	}
	if n := spellingsOf(`{"a":25,"b":"x"}`); n < 12 {
		t.Errorf("only %d spellings of a small object", n)
	}
}

func spellingsOf(text string) int {
	seen := map[string]bool{}
	for seed := range uint64(16) {
		seen[respell(text, seed)] = true
	}
	return len(seen)
}

func TestChanceIsFairAndFixed(t *testing.T) {
	t.Parallel()
	const rounds = 20_000
	for _, probability := range []float64{0, 0.05, 0.5, 1} {
		hits := 0
		for line := range uint64(rounds) {
			if chance(probability, 7, line, 1, 1) {
				hits++
			}
		}
		share := float64(hits) / rounds
		if diff := share - probability; diff > 0.01 || diff < -0.01 {
			t.Errorf("a chance of %g came true in %g of the cases", probability, share)
		}
	}
	// A seed that a report names must bring the same losses in every build.
	if got, want := hash64(7, 1, 1), uint64(0x75147321b3be3a6f); got != want {
		t.Errorf("the hash is %#x, want %#x", got, want)
	}
	if hash64(7, 1, 2) == hash64(7, 2, 1) {
		t.Error("the order of the parts does not matter")
	}
}
