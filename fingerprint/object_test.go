package fingerprint

import (
	"strings"
	"testing"
)

func flightFields() []Argument {
	return []Argument{
		{Name: "number", Role: Identity, Kind: Kind{"enum"}},
		{Name: "date", Role: Identity, Kind: Kind{"date"}},
		{Name: "price", Role: Commentary},
		{Name: "paid", Kind: Kind{"money"}, Currency: "currency", NullIsAbsent: true},
		{Name: "seats", Kind: Kind{"number"}, Default: []byte("1")},
	}
}

func TestObject(t *testing.T) {
	want := `object {"date":"date 2024-05-19","number":"enum ab1","seats":"number 1"}`
	checkSpellings(t, Argument{Fields: flightFields()}, []spelled{{want,
		[]string{
			`{"number":"AB1","date":"2024-05-19"}`, `{"date":"19 May 2024","number":"ab1","price":99}`, `{"number":"AB1","date":"2024-05-19","seats":"1"}`,
			`{"number":"AB1","date":"2024-05-19","paid":null}`, `"{\"number\": \"AB1\", \"date\": \"2024-05-19\"}"`,
		},
		[]string{
			`{"number":"AB2","date":"2024-05-19"}`, `{"number":"AB1","date":"2024-05-18"}`, `{"number":"AB1","date":"2024-05-19","seats":2}`,
			`{"number":"AB1","date":"2024-05-19","meal":"x"}`, `{"number":"AB1","date":"2024-05-19","paid":5}`, `{"number":"AB1"}`, `{}`, `[]`, `"x"`, `null`,
			`[{"number":"AB1","date":"2024-05-19"}]`, `{"number":"AB1","date":null}`,
		}}})
	checkSpellings(t, Argument{Kind: Kind{"set of exact"}, Fields: flightFields()}, []spelled{{
		`set ["object {\"date\":\"date 2024-05-19\",\"number\":\"enum ab1\",\"seats\":\"number 1\"}","object {\"number\":\"enum x\",\"seats\":\"number 1\"}"]`,
		[]string{`[{"number":"AB1","date":"2024-05-19"},{"number":"x"}]`, `[{"number":"X","price":1},{"number":"AB1","date":"2024/05/19"},{"number":"x"}]`},
		[]string{`[{"number":"AB1","date":"2024-05-19"}]`, `[{"number":"AB1","date":"2024-05-19"},{"number":"y"}]`},
	}})
}

func TestFieldsReadTheirOwnSiblings(t *testing.T) {
	checkSpellings(t, Argument{Kind: Kind{"list of object"}, Fields: []Argument{{Name: "amount", Kind: Kind{"money"}, Currency: "unit"}}}, []spelled{{
		`list ["object {\"amount\":\"money 5 EUR\",\"unit\":\"enum eur\"}"]`,
		[]string{`[{"amount":"5,00","unit":"EUR"}]`, `[{"amount":5,"unit":"eur"}]`}, []string{`[{"amount":5,"unit":"USD"}]`, `[{"amount":5}]`},
	}})
}

func TestFieldsMakeTheKind(t *testing.T) {
	fields := []Argument{{Name: "f"}}
	for kind, want := range map[string]string{"exact": "object", "list": "list of object", "set": "set of object", "map of list": "map of list of object", "object": "object"} {
		k, err := ParseKind(kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := newSpec(t, Argument{Name: "a", Kind: k, Fields: fields}).Arguments()[0]; got.Kind.String() != want || len(got.Fields) != 1 {
			t.Errorf("%s with fields is %+v, want kind %s", kind, got, want)
		}
	}
	deep := []Argument{{Name: "f"}}
	for range maxKindDepth {
		deep = []Argument{{Name: "f", Fields: deep}}
	}
	newSpec(t, deep...)
	for part, a := range map[string]Argument{
		"nested more than 4 deep":                       {Name: "a", Fields: deep},
		"fields is an option of kind object, not of id": {Name: "a", Kind: Kind{"id"}, Fields: fields},
		`fields: argument "f": round`:                   {Name: "a", Fields: []Argument{{Name: "f", Round: "1m"}}},
		"has no common name":                            {Name: "a", Fields: []Argument{{Name: "f", As: "g"}}},
		"region is an option of kind phone":             {Name: "a", Region: "DE"},
		"providers is an option of kind email":          {Name: "a", Providers: []string{"gmail.com"}},
		`"no domain" is not a domain`:                   {Name: "a", Kind: Kind{"email"}, Providers: []string{"no domain"}},
	} {
		if _, err := NewSpec([]Argument{a}); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %q in it", err, part)
		}
	}
}

func TestSpecDigestCoversFields(t *testing.T) {
	variants := map[string]Argument{
		"object":     {Name: "a", Kind: Kind{"object"}},
		"field":      {Name: "a", Fields: []Argument{{Name: "f"}}},
		"other":      {Name: "a", Fields: []Argument{{Name: "g"}}},
		"kind":       {Name: "a", Fields: []Argument{{Name: "f", Kind: Kind{"id"}}}},
		"commentary": {Name: "a", Fields: []Argument{{Name: "f", Role: Commentary}}},
		"default":    {Name: "a", Fields: []Argument{{Name: "f", Default: []byte("1")}}},
		"two":        {Name: "a", Fields: []Argument{{Name: "f"}, {Name: "g"}}},
		"deep":       {Name: "a", Fields: []Argument{{Name: "f", Fields: []Argument{{Name: "g"}}}}},
		"deeper":     {Name: "a", Fields: []Argument{{Name: "f", Fields: []Argument{{Name: "g", Kind: Kind{"id"}}}}}},
		"phone":      {Name: "a", Kind: Kind{"phone"}},
		"region":     {Name: "a", Kind: Kind{"phone"}, Region: "DE"},
		"email":      {Name: "a", Kind: Kind{"email"}},
		"providers":  {Name: "a", Kind: Kind{"email"}, Providers: []string{"gmail.com"}},
		"provider":   {Name: "a", Kind: Kind{"email"}, Providers: []string{"gmail.com", "mail.example"}},
	}
	seen := make(map[string]string)
	for what, a := range variants {
		d := newSpec(t, a).Digest()
		if other, taken := seen[d]; taken {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[d] = what
	}
	same := [][2]Argument{
		{{Name: "a", Kind: Kind{"phone"}, Region: "de"}, variants["region"]},
		{{Name: "a", Kind: Kind{"email"}, Providers: []string{"MAIL.example", "googlemail.com", "gmail.com"}}, variants["provider"]},
		{{Name: "a", Kind: Kind{"object"}, Fields: []Argument{{Name: "g"}, {Name: "f"}}}, variants["two"]},
	}
	for _, pair := range same {
		if newSpec(t, pair[0]).Digest() != newSpec(t, pair[1]).Digest() {
			t.Errorf("%+v and %+v have two digests", pair[0], pair[1])
		}
	}
}
