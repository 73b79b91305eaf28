package fingerprint

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func compare(t *testing.T, earlier, now string) Comparison {
	t.Helper()
	s := newSpec(t, refundSpec()...)
	return Compare(s.Terms(decode(t, earlier)), s.Terms(decode(t, now)))
}

func TestCompareSaysWhy(t *testing.T) {
	got := compare(t,
		`{"order_id":7,"amount":25,"currency":"EUR","reason":"broken","list":[1, 2]}`,
		`{"order_id":"7","amount":"25.00","currency":"EUR","notify":false,"note":null,"request_id":"x","list":[1,2.0]}`)
	want := Comparison{
		Same: true,
		Because: []string{
			`order_id: 7 and "7" are both id 7`,
			`amount: 25 and "25.00" are both money 25 EUR`,
			`list: [1, 2] and [1,2.0] are the same JSON value`,
			`note: absent and null both count as absent`,
			`notify: absent and false are both bool false`,
		},
		Differs: []Difference{
			{"reason", Commentary, `"broken"`, "", false},
			{"request_id", Volatile, "", `"x"`, false},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCompareListsEveryDifference(t *testing.T) {
	got := compare(t, `{"order_id":7,"amount":25,"gone":1}`, `{"order_id":8,"amount":26,"reason":"x","added":2}`)
	want := Comparison{Because: []string{}, Differs: []Difference{
		{"order_id", Identity, "7", "8", true},
		{"added", Material, "", "2", true},
		{"amount", Material, "25", "26", true},
		{"gone", Material, "1", "", true},
		{"reason", Commentary, "", `"x"`, false},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c := Compare(nil, nil); !c.Same || c.Because == nil || c.Differs == nil {
		t.Errorf("no terms against no terms: %+v", c)
	}
}

func TestBecauseIsShort(t *testing.T) {
	long := strings.Repeat("ü", 5000)
	c := compare(t, `{"order_id":"`+long+`"}`, `{"order_id":" `+long+` "}`)
	if !c.Same || len(c.Because) != 1 {
		t.Fatalf("%+v", c)
	}
	if n := utf8.RuneCountInString(c.Because[0]); n > 3*maxQuoted+50 || !utf8.ValidString(c.Because[0]) {
		t.Errorf("a phrase of %d characters", n)
	}
}
