package fingerprint

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
)

func newMaker(t testing.TB) *Maker {
	t.Helper()
	m, err := NewMaker(bytes.Repeat([]byte{7}, MinKey))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newSpec(t testing.TB, args ...Argument) *Spec {
	t.Helper()
	s, err := NewSpec(args)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refundSpec() []Argument {
	return []Argument{
		{Name: "order_id", Role: Identity, Kind: Kind{"id"}},
		{Name: "amount", Kind: Kind{"money"}, Currency: "currency"},
		{Name: "notify", Kind: Kind{"bool"}, Default: []byte("false")},
		{Name: "note", NullIsAbsent: true},
		{Name: "reason", Role: Commentary},
		{Name: "request_id", Role: Volatile, Kind: Kind{"id"}},
	}
}

var refund = Input{Tenant: "acme", Effect: "refund", Scope: []ScopePart{{"run", "r1"}}}

func TestSumTellsEffectsApart(t *testing.T) {
	const first = `{"order_id":"7","amount":25,"currency":"EUR"}`
	for text, same := range map[string]bool{
		`{"currency":"eur","amount":"25.00","order_id":7.0}`:                                          true,
		`{"order_id":"7","amount":25,"currency":"EUR","notify":"no","note":null}`:                     true,
		`{"order_id":"7","amount":25,"currency":"EUR","reason":"again","request_id":"x"}`:             true,
		`{"order_id":"8","amount":25,"currency":"EUR"}`:                                               false,
		`{"order_id":"7","amount":25.01,"currency":"EUR"}`:                                            false,
		`{"order_id":"7","amount":25,"currency":"USD"}`:                                               false,
		`{"order_id":"7","amount":25}`:                                                                false,
		`{"order_id":"7","amount":25,"currency":"EUR","notify":true}`:                                 false,
		`{"order_id":"7","amount":25,"currency":"EUR","notify":null}`:                                 false,
		`{"order_id":"7","amount":25,"currency":"EUR","note":""}`:                                     false,
		`{"order_id":"7","amount":25,"currency":"EUR","undeclared":null}`:                             false,
		`{"order_id":"007","amount":25,"currency":"EUR"}`:                                             false,
		`{"order_id":"7","amount":{"amount":25},"currency":"EUR"}`:                                    false,
		`[{"order_id":"7","amount":25,"currency":"EUR"}]`:                                             false,
		`"{\"order_id\":\"7\",\"amount\":25,\"currency\":\"EUR\"}"`:                                   false,
		`{"order_id":"7","amount":25,"currency":"EUR","":"x"}`:                                        false,
		`{"order_id":"7","amount":25,"currency":"EUR","reason":"ignored","commentary":"undeclared!"}`: false,
	} {
		m, s := newMaker(t), newSpec(t, refundSpec()...)
		v, w := decode(t, first), decode(t, text)
		a, b, c := m.Sum(s, refund, v), m.Sum(s, refund, w), Compare(s.Terms(v), s.Terms(w))
		if (a.Key == b.Key) != same || bytes.Equal(a.Key.Common(), b.Key.Common()) != same || c.Same != same {
			t.Errorf("%s: same is %v, want %v; %+v", text, a.Key == b.Key, same, c)
		}
	}
}

// TestIdentityNeedsAName holds F18 down: calls that name nothing must not all share one identity.
func TestIdentityNeedsAName(t *testing.T) {
	m := newMaker(t)
	s := newSpec(t, Argument{Name: "a", Role: Identity}, Argument{Name: "b", Role: Identity, Kind: Kind{"id"}})
	for _, text := range []string{`{}`, `{"a":null}`, `{"a":"","b":" "}`, `{"a":[],"c":1}`, `{"b":null,"a":{}}`, `["a"]`, `"a"`} {
		if sum := m.Sum(s, refund, decode(t, text)); !sum.Identity.IsZero() || sum.Key.IsZero() {
			t.Errorf("%s: identity %s, key %s", text, sum.Identity, sum.Key)
		}
	}
	one := m.Sum(s, refund, decode(t, `{"b":7,"x":1}`))
	two := m.Sum(s, Input{Tenant: "acme", Effect: "refund", Occurrence: "2"}, decode(t, `{"b":"7","x":2}`))
	if one.Identity.IsZero() || one.Identity != two.Identity || one.Key == two.Key {
		t.Error("the identity of two calls on one thing is not the same")
	}
	if three := m.Sum(s, Input{Tenant: "evil", Effect: "refund"}, decode(t, `{"b":7}`)); three.Identity == one.Identity {
		t.Error("two tenants share an identity")
	}
	if sum := m.Sum(nil, refund, decode(t, `{"a":1}`)); !sum.Identity.IsZero() {
		t.Error("a spec without identity arguments makes an identity")
	}
}

func TestSumSeparatesItsParts(t *testing.T) {
	m, s := newMaker(t), newSpec(t, refundSpec()...)
	args := decode(t, `{"order_id":"7","amount":1}`)
	seen := map[Digest]string{}
	enter := func(d Digest, what string) {
		t.Helper()
		if other, taken := seen[d]; taken {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[d] = what
	}
	for what, in := range map[string]Input{
		"plain":        {Tenant: "ab", Effect: "c"},
		"moved border": {Tenant: "a", Effect: "bc"},
		"occurrence":   {Tenant: "ab", Effect: "c", Occurrence: "o"},
		"scope":        {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"run", "1"}}},
		"scope name":   {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"agent", "1"}}},
		"scope border": {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"ru", "n1"}}},
		"two scopes":   {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"run", "1"}, {"agent", "x"}}},
		"scope order":  {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"agent", "x"}, {"run", "1"}}},
		"scope of arg": {Tenant: "ab", Effect: "c", Scope: []ScopePart{{"amount", "money 1"}}},
	} {
		enter(m.Sum(s, in, args).Key, what)
	}
	plain := m.Sum(s, Input{Tenant: "ab", Effect: "c"}, args)
	enter(plain.Identity, "identity")
	enter(m.Sum(newSpec(t, refundSpec()[1:]...), Input{Tenant: "ab", Effect: "c"}, args).Key, "another spec")
	enter(m.Mark("key", "a", "b"), "mark")
	enter(m.Mark("key", "ab"), "mark of one part")
	enter(m.Mark("keya", "b"), "mark of another purpose")
	enter(m.Mark("key"), "mark of nothing")
	other, err := NewMaker(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	enter(other.Sum(s, Input{Tenant: "ab", Effect: "c"}, args).Key, "another key")
	if _, err := NewMaker(make([]byte, MinKey-1)); err == nil {
		t.Error("a short key was taken")
	}
}

func TestArgumentsThatAreNoObject(t *testing.T) {
	m := newMaker(t)
	whole, member := decode(t, `5`), decode(t, `{"":5}`)
	var s *Spec
	if m.Sum(s, refund, whole).Key == m.Sum(s, refund, member).Key || Compare(s.Terms(whole), s.Terms(member)).Same {
		t.Error("5 and {\"\":5} are one effect")
	}
	if m.Sum(nil, refund, Value{}).Key != m.Sum(nil, refund, decode(t, ` { } `)).Key {
		t.Error("no arguments are not an empty object")
	}
	if m.Sum(nil, refund, decode(t, `null`)).Key == m.Sum(nil, refund, Value{}).Key {
		t.Error("null is the same as no arguments")
	}
}

func TestTermsAreSortedAndComplete(t *testing.T) {
	terms := newSpec(t, refundSpec()...).Terms(decode(t, `{"zeta": 1.0, "amount": "x", "order_id": 7}`))
	got, err := json.Marshal(terms)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"argument":"order_id","raw":"7","normal":"id 7","kind":"id","role":"identity"},` +
		`{"argument":"amount","raw":"\"x\"","normal":"exact \"x\" under \"currency currency\"","kind":"money","role":"material","note":"the string is not an amount; compared exactly"},` +
		`{"argument":"currency","raw":"","normal":"","kind":"enum","role":"material"},` +
		`{"argument":"note","raw":"","normal":"","kind":"exact","role":"material"},` +
		`{"argument":"notify","raw":"","normal":"bool false","kind":"bool","role":"material","note":"absent; the default stands in"},` +
		`{"argument":"zeta","raw":"1.0","normal":"exact 1","kind":"exact","role":"material"},` +
		`{"argument":"reason","raw":"","normal":"","kind":"exact","role":"commentary"},` +
		`{"argument":"request_id","raw":"","normal":"","kind":"id","role":"volatile"}]`
	if string(got) != want {
		t.Errorf("terms\n%s\nwant\n%s", got, want)
	}
}

func TestEqualCallsOfTwoScopesHaveHalfAKeyInCommon(t *testing.T) {
	m, s, args := newMaker(t), newSpec(t, refundSpec()...), decode(t, `{"order_id":"7"}`)
	in := refund
	in.Scope = []ScopePart{{"run", "another"}}
	here, there := m.Sum(s, refund, args).Key, m.Sum(s, in, args).Key
	if here == there || !bytes.Equal(here.Common(), there.Common()) || bytes.Equal(here[CommonBytes:], there[CommonBytes:]) {
		t.Errorf("the keys are %s and %s", here, there)
	}
	in.Tenant = "another"
	if other := m.Sum(s, in, args).Key; bytes.Equal(here.Common(), other.Common()) {
		t.Errorf("another tenant shares half of %s", here)
	}
}

func TestSumIsSafeForConcurrentUse(t *testing.T) {
	m, s := newMaker(t), newSpec(t, refundSpec()...)
	args := decode(t, `{"order_id":"7","amount":"25 EUR"}`)
	want := m.Sum(s, refund, args)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if got := m.Sum(s, refund, args); got.Key != want.Key || got.Identity != want.Identity {
					t.Error("another digest")
				}
				m.Mark("x", strings.Repeat("y", 100))
			}
		})
	}
	group.Wait()
}

func TestDigestAsText(t *testing.T) {
	d := newMaker(t).Mark("test")
	for _, want := range []Digest{d, {}} {
		if got, err := ParseDigest(want.String()); err != nil || got != want {
			t.Errorf("%q is read as %s, %v", want, got, err)
		}
	}
	for _, bad := range []string{"ab", d.String() + "00", strings.Repeat("x", 64)} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("ParseDigest(%q) succeeded", bad)
		}
	}
}
