package fingerprint

import (
	"slices"
	"strings"
	"testing"
)

func TestNewSpecRefuses(t *testing.T) {
	for part, args := range map[string][]Argument{
		`argument "a" is declared twice`:      {{Name: "a"}, {Name: "b"}, {Name: "a"}},
		"needs a name":                        {{}},
		"there is no role 7":                  {{Name: "a", Role: 7}},
		"currency is an option of kind money": {{Name: "a", Currency: "EUR"}},
		"minor is an option of kind money":    {{Name: "a", Kind: Kind{"number"}, Minor: true}},
		"aliases is an option of kind enum":   {{Name: "a", Kind: Kind{"name"}, Aliases: map[string][]string{"x": nil}}},
		"zone is an option of kind datetime":  {{Name: "a", Kind: Kind{"date"}, Zone: "UTC"}},
		"round is an option of kind datetime": {{Name: "a", Round: "1m"}},
		`"XQZ" is not a currency code`:        {{Name: "a", Kind: Kind{"money"}, Currency: "XQZ"}},
		"cannot be its own currency":          {{Name: "a", Kind: Kind{"money"}, Currency: "a"}},
		"declare it as an enum":               {{Name: "a", Kind: Kind{"money"}, Currency: "b"}, {Name: "b", Kind: Kind{"money"}, Currency: "a"}},
		`"Mars/Olympus" is not a time zone`:   {{Name: "a", Kind: Kind{"datetime"}, Zone: "Mars/Olympus"}},
		"differs from machine to machine":     {{Name: "a", Kind: Kind{"datetime"}, Zone: "Local"}},
		`"7m" is not a duration that divides`: {{Name: "a", Kind: Kind{"datetime"}, Round: "7m"}},
		`"-1m" is not a duration`:             {{Name: "a", Kind: Kind{"datetime"}, Round: "-1m"}},
		"default: invalid JSON":               {{Name: "a", Default: []byte("{")}},
		"stands for both":                     {{Name: "a", Kind: Kind{"enum"}, Aliases: map[string][]string{"x": {"q"}, "y": {"Q"}}}},
		"a value is blank":                    {{Name: "a", Kind: Kind{"enum"}, Aliases: map[string][]string{"x": {" "}}}},
		`argument "z": round`:                 {{Name: "y", Round: "1m"}, {Name: "z", Round: "1m"}},
	} {
		_, err := NewSpec(args)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("NewSpec(%+v) = %v, want %q in it", args, err, part)
		}
	}
}

func TestSpecDigestChangesWithEveryOption(t *testing.T) {
	variants := map[string]Argument{
		"plain":      {Name: "a"},
		"name":       {Name: "b"},
		"role":       {Name: "a", Role: Identity},
		"commentary": {Name: "a", Role: Commentary},
		"kind":       {Name: "a", Kind: Kind{"id"}},
		"list":       {Name: "a", Kind: Kind{"list of id"}},
		"money":      {Name: "a", Kind: Kind{"money"}},
		"currency":   {Name: "a", Kind: Kind{"money"}, Currency: "EUR"},
		"other":      {Name: "a", Kind: Kind{"money"}, Currency: "USD"},
		"sibling":    {Name: "a", Kind: Kind{"money"}, Currency: "currency"},
		"minor":      {Name: "a", Kind: Kind{"money"}, Minor: true},
		"enum":       {Name: "a", Kind: Kind{"enum"}},
		"alias":      {Name: "a", Kind: Kind{"enum"}, Aliases: map[string][]string{"x": {"y"}}},
		"aliases":    {Name: "a", Kind: Kind{"enum"}, Aliases: map[string][]string{"x": {"y", "z"}}},
		"alias back": {Name: "a", Kind: Kind{"enum"}, Aliases: map[string][]string{"y": {"x"}}},
		"datetime":   {Name: "a", Kind: Kind{"datetime"}},
		"zone":       {Name: "a", Kind: Kind{"datetime"}, Zone: "Europe/Berlin"},
		"round":      {Name: "a", Kind: Kind{"datetime"}, Round: "1m"},
		"default":    {Name: "a", Default: []byte("1")},
		"null":       {Name: "a", Default: []byte("null")},
		"absent":     {Name: "a", NullIsAbsent: true},
	}
	seen := map[string]string{(*Spec)(nil).Digest(): "nil"}
	for what, a := range variants {
		d := newSpec(t, a).Digest()
		if other, taken := seen[d]; taken || len(d) != 64 {
			t.Errorf("%s has the digest %q of %s", what, d, other)
		}
		seen[d] = what
	}
}

func TestSpecDigestIgnoresSpelling(t *testing.T) {
	a := []Argument{
		{Name: "at", Kind: Kind{"datetime"}, Round: "60s"},
		{Name: "state", Kind: Kind{"enum"}, Aliases: map[string][]string{"open": {"new", "todo"}}},
		{Name: "n", Default: []byte(`{"a": 1.0, "b": [ ]}`)},
		{Name: "amount", Kind: Kind{"money"}, Currency: "currency"},
	}
	b := []Argument{
		{Name: "currency", Kind: Kind{"enum"}},
		{Name: "amount", Kind: Kind{"money"}, Currency: "currency"},
		{Name: "n", Default: []byte(`{"b":[],"a":1}`)},
		{Name: "state", Kind: Kind{"enum"}, Aliases: map[string][]string{"open": {"todo", "new"}}},
		{Name: "at", Kind: Kind{"datetime"}, Round: "1m"},
	}
	s, r := newSpec(t, a...), newSpec(t, b...)
	if s.Digest() != r.Digest() {
		t.Error("the digest depends on spelling")
	}
	var names []string
	for _, a := range s.Arguments() {
		names = append(names, a.Name)
	}
	if want := []string{"amount", "at", "currency", "n", "state"}; !slices.Equal(names, want) {
		t.Errorf("arguments %v, want %v", names, want)
	}
	if newSpec(t).Digest() != (*Spec)(nil).Digest() {
		t.Error("an empty spec is not the nil one")
	}
}

// TestMoneyReadsItsSibling: a currency that is left to its default, or that an alias names, is one currency.
func TestMoneyReadsItsSibling(t *testing.T) {
	s := newSpec(t,
		Argument{Name: "amount", Kind: Kind{"money"}, Currency: "currency"},
		Argument{Name: "currency", Kind: Kind{"enum"}, Aliases: map[string][]string{"EUR": {"euro", "euros"}}, Default: []byte(`"EUR"`)})
	m := newMaker(t)
	want := m.Sum(s, refund, decode(t, `{"amount":5,"currency":"EUR"}`))
	if got := s.Terms(decode(t, `{"amount":5,"currency":"EUR"}`))[0].Normal; got != "money 5 EUR" {
		t.Fatalf("amount is %q", got)
	}
	for text, same := range map[string]bool{
		`{"amount":"5.00"}`: true, `{"amount":"€5","currency":"Euro"}`: true, `{"amount":"5 EUR","currency":"eur"}`: true,
		`{"amount":5,"currency":"Peso"}`: false, `{"amount":5,"currency":"USD"}`: false, `{"amount":"$5"}`: false,
	} {
		if got := m.Sum(s, refund, decode(t, text)); (got.Key == want.Key) != same {
			t.Errorf("%s: same is %v; %+v", text, !same, s.Terms(decode(t, text)))
		}
	}
}
