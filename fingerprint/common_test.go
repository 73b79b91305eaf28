package fingerprint

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// restRefund and mcpRefund are two tools for one effect, whose arguments have other names.
func restRefund() []Argument {
	return []Argument{
		{Name: "orderId", As: "order", Role: Identity, Kind: Kind{"id"}},
		{Name: "total", As: "amount", Kind: Kind{"money"}, Currency: "cur"},
		{Name: "cur", As: "currency", Kind: Kind{"enum"}},
		{Name: "message", As: "body", Kind: Kind{"text"}},
		{Name: "request_id", Role: Volatile},
	}
}

func mcpRefund() []Argument {
	return []Argument{
		{Name: "order", Role: Identity, Kind: Kind{"id"}},
		{Name: "amount", Kind: Kind{"money"}, Currency: "currency"},
		{Name: "body", Kind: Kind{"text"}},
	}
}

func TestToolsShareAnEffectByCommonNames(t *testing.T) {
	m, rest, mcp := newMaker(t), newSpec(t, restRefund()...), newSpec(t, mcpRefund()...)
	if without := newSpec(t, restRefund()[:4]...); without.Digest() != mcp.Digest() || rest.Digest() == mcp.Digest() {
		t.Error("the digest is not that of the common names")
	}
	a := decode(t, `{"orderId":7,"total":"25.00","cur":"eur","message":"Sorry for that","request_id":"r1"}`)
	b := decode(t, `{"amount":25,"body":"Sorry  for that","currency":"EUR","order":"7"}`)
	if x, y := m.Sum(rest, refund, a), m.Sum(mcp, refund, b); x != y || x.Near.IsZero() || x.Identity.IsZero() {
		t.Errorf("the two tools have\n%+v\n%+v", x, y)
	}
	if c := Compare(rest.Terms(a), mcp.Terms(b)); !c.Same {
		t.Errorf("the terms differ: %+v", c.Differs)
	}
	if texts := rest.Texts(a); len(texts) != 1 || texts[0] != (Text{"body", "sorry for that"}) {
		t.Errorf("texts %q", texts)
	}
	other := decode(t, `{"orderId":7,"total":"25.00","cur":"usd","message":"Sorry for that"}`)
	if m.Sum(rest, refund, other).Key == m.Sum(mcp, refund, b).Key {
		t.Error("another currency is the same effect")
	}
}

// TestUndeclaredNameIsNoCommonName: an argument that nobody declared must not pass for the one that is compared under its name.
func TestUndeclaredNameIsNoCommonName(t *testing.T) {
	m, rest, mcp := newMaker(t), newSpec(t, restRefund()...), newSpec(t, mcpRefund()...)
	seen := map[Digest]string{}
	for _, call := range []struct {
		spec *Spec
		text string
	}{
		{rest, `{"orderId":"7"}`}, {rest, `{"order":"7"}`}, {rest, `{"order":"8"}`}, {rest, `{"orderId":"7","order":"7"}`},
		{rest, `{"orderId":"7","order":null}`}, {mcp, `{"order":"7","orderId":"7"}`}, {mcp, `{"order":"undeclared exact \"7\""}`},
		{rest, `{"orderId":"undeclared exact \"7\""}`}, {rest, `{"body":"x"}`}, {rest, `{"message":"x"}`},
	} {
		key := m.Sum(call.spec, refund, decode(t, call.text)).Key
		if other, taken := seen[key]; taken && !strings.Contains(call.text, "undeclared") {
			t.Errorf("%s has the key of %s", call.text, other)
		}
		seen[key] = call.text
	}
	one, two := decode(t, `{"orderId":"7","order":"9"}`), decode(t, `{"orderId":"7"}`)
	if c := Compare(rest.Terms(one), rest.Terms(two)); c.Same || len(c.Differs) != 1 || c.Differs[0].Earlier != `"9"` {
		t.Errorf("%+v", c)
	}
	if c := Compare(rest.Terms(one), rest.Terms(one)); !c.Same || len(c.Differs) > 0 {
		t.Errorf("%+v", c)
	}
	if len(rest.Texts(decode(t, `{"body":"x"}`))) > 0 {
		t.Error("an undeclared argument is a text")
	}
	for part, args := range map[string][]Argument{
		`arguments "a" and "b" have the same common name "b"`: {{Name: "a", As: "b"}, {Name: "b"}},
		`the same common name "c"`:                            {{Name: "a", As: "c"}, {Name: "b", As: "c"}},
	} {
		if _, err := NewSpec(args); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("NewSpec(%v) = %v", args, err)
		}
	}
	if _, err := NewSpec([]Argument{{Name: "a", As: "b"}, {Name: "b", As: "a"}}); err != nil {
		t.Error(err)
	}
}

// TestKeysAgreeWithTerms draws calls of names that get in each other's way.
func TestKeysAgreeWithTerms(t *testing.T) {
	m, names := newMaker(t), []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		var args []Argument
		for i, as := range rapid.Permutation(names).Draw(t, "as")[:rapid.IntRange(0, 3).Draw(t, "declared")] {
			args = append(args, Argument{Name: names[i], As: as, Kind: rapid.SampledFrom([]Kind{{"id"}, {"text"}, {}}).Draw(t, "kind"),
				Role: rapid.SampledFrom([]Role{Material, Identity, Volatile}).Draw(t, "role")})
		}
		s, err := NewSpec(args)
		if err != nil {
			t.Fatal(err)
		}
		draw := func(label string) Value {
			object := rapid.MapOf(rapid.SampledFrom(append(names, "d")), rapid.SampledFrom([]string{`1`, `"1"`, `" 1"`, `null`})).Draw(t, label)
			var members []string
			for name, value := range object {
				members = append(members, quote(name)+":"+value)
			}
			v, err := Decode([]byte("{"+strings.Join(members, ",")+"}"), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		v, w := draw("v"), draw("w")
		if same := m.Sum(s, refund, v).Key == m.Sum(s, refund, w).Key; same != Compare(s.Terms(v), s.Terms(w)).Same {
			t.Fatalf("%s and %s: the keys say %v, the terms do not", v.raw(), w.raw(), same)
		}
	})
}

func TestVolatileArgumentsAreNoPartOfKeys(t *testing.T) {
	m, args := newMaker(t), decode(t, `{"a":1}`)
	plain, more := newSpec(t, Argument{Name: "a", Kind: Kind{"id"}}), newSpec(t, Argument{Name: "a", Kind: Kind{"id"}}, Argument{Name: "b", Role: Commentary}, Argument{Name: "c", Role: Volatile})
	if plain.Digest() == more.Digest() {
		t.Error("the digest does not cover what does not decide")
	}
	if m.Sum(plain, refund, args) != m.Sum(more, refund, decode(t, `{"a":1,"b":"x","c":2}`)) {
		t.Error("arguments that do not decide change the key")
	}
}
