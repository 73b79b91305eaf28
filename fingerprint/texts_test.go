package fingerprint

import (
	"slices"
	"testing"
)

func messageSpec(t testing.TB) *Spec {
	return newSpec(t,
		Argument{Name: "to", Role: Identity, Kind: Kind{"email"}},
		Argument{Name: "subject", Kind: Kind{"text"}},
		Argument{Name: "body", Kind: Kind{"markdown"}, Default: []byte(`"Hi"`)},
		Argument{Name: "note", Role: Commentary, Kind: Kind{"text"}},
		Argument{Name: "tags", Kind: Kind{"set of text"}},
		Argument{Name: "of", Role: Identity, Kind: Kind{"text"}},
	)
}

func TestTexts(t *testing.T) {
	s := messageSpec(t)
	for text, want := range map[string][]Text{
		`{"to":"a@b.example","subject":" Hello ","body":"**You**","note":"x","tags":["a"],"of":"y","more":"z"}`: {{"body", "you"}, {"subject", "hello"}},
		`{}`:                           {{"body", "hi"}},
		`{"body":null,"subject":""}`:   {{"subject", ""}},
		`{"body":5,"subject":{"a":1}}`: nil,
		`[1]`:                          nil,
	} {
		if got := s.Texts(decode(t, text)); !slices.Equal(got, want) {
			t.Errorf("%s has the texts %q, want %q", text, got, want)
		}
	}
	if newSpec(t, refundSpec()...).Texts(decode(t, `{"note":"x"}`)) != nil || (*Spec)(nil).Texts(decode(t, `{"a":"b"}`)) != nil {
		t.Error("a spec without texts has some")
	}
}

func TestNearIsAllButTheWording(t *testing.T) {
	m, s := newMaker(t), messageSpec(t)
	const first = `{"to":"a@b.example","subject":"Hello","body":"How are you?","tags":["x"]}`
	want := m.Sum(s, refund, decode(t, first))
	for text, near := range map[string]bool{
		`{"to":"A@b.example","subject":"Bye","body":"See you","tags":["x","x"]}`:            true,
		`{"to":"a@b.example","subject":"","body":null,"tags":"x"}`:                          true,
		`{"to":"a@b.example","tags":["x"],"note":"n"}`:                                      true,
		`{"to":"a@b.example","subject":"Hello","body":"How?","tags":["x"],"cc":null}`:       true,
		`{"to":"a@b.example","subject":"Hello","body":"How?","tags":["x"],"cc":[" "]}`:      false,
		`{"to":"c@b.example","subject":"Hello","body":"How are you?","tags":["x"]}`:         false,
		`{"to":"a@b.example","subject":"Hello","body":"How are you?","tags":["y"]}`:         false,
		`{"to":"a@b.example","subject":"Hello","body":"How?","tags":["x"],"of":"o"}`:        false,
		`{"to":"a@b.example","subject":["Hello"],"body":"How are you?","tags":["x"]}`:       false,
		`{"to":"a@b.example","subject":"Hello","body":"How?","tags":["x"],"more":"member"}`: false,
	} {
		got := m.Sum(s, refund, decode(t, text))
		if (got.Near == want.Near) != near || got.Key == want.Key {
			t.Errorf("%s is near: %v", text, got.Near == want.Near)
		}
	}
	again := messageSpec(t).Arguments()
	again = append(again, Argument{Name: "new", Kind: Kind{"money"}})
	if got := m.Sum(newSpec(t, again...), refund, decode(t, first)); got.Near != want.Near {
		t.Error("another spec that reads the arguments alike changes Near")
	}
	for what, in := range map[string]Input{
		"tenant": {Tenant: "x", Effect: refund.Effect, Scope: refund.Scope}, "effect": {Tenant: refund.Tenant, Effect: "x", Scope: refund.Scope},
		"scope": {Tenant: refund.Tenant, Effect: refund.Effect}, "occurrence": {Tenant: refund.Tenant, Effect: refund.Effect, Scope: refund.Scope, Occurrence: "2"},
	} {
		if got := m.Sum(s, in, decode(t, first)); got.Near == want.Near || got.Near.IsZero() {
			t.Errorf("another %s has the same Near", what)
		}
	}
	silent := refund
	silent.NoNear = true
	if got := m.Sum(s, silent, decode(t, first)); !got.Near.IsZero() || got.Key != want.Key {
		t.Error("NoNear does not leave Near, and only Near, out")
	}
	if got := m.Sum(s, refund, decode(t, `{"to":"a@b.example","body":null}`)); !got.Near.IsZero() {
		t.Error("a call without a text has a Near")
	}
}
