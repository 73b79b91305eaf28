package policy

import "testing"

func TestWithReplacesOnlyTheNamedTools(t *testing.T) {
	s, err := Parse("a.yaml", []byte(`version: 1
tools:
  - {name: pay.refund, window: 2h}
  - {name: "pay.*", window: 3h}
`))
	if err != nil {
		t.Fatal(err)
	}
	refund := *s.Match("pay.refund")
	refund.Attempts = 7
	charge := *s.Match("pay.charge")
	charge.Kind = Read
	changed := s.With(map[string]Rule{"pay.refund": refund, "pay.charge": charge})

	if r := changed.Match("pay.refund"); r.Attempts != 7 || r.Digest == s.Match("pay.refund").Digest {
		t.Errorf("the rule of pay.refund was not replaced: attempts %d, digest %s", r.Attempts, r.Digest)
	}
	if r := changed.Match("pay.charge"); r.Kind != Read || r.Window != s.Match("pay.charge").Window || r.Pattern != "pay.charge" {
		t.Errorf("pay.charge got %s, %s, %q", r.Kind, r.Window, r.Pattern)
	}
	if r := changed.Match("pay.other"); r.Pattern != "pay.*" || r.Kind != Write {
		t.Errorf("another tool of the glob got %q, %s", r.Pattern, r.Kind)
	}
	if got := len(changed.Rules()); got != 3 {
		t.Errorf("the set lists %d rules, want 3", got)
	}
	if s.Match("pay.refund").Attempts != 0 || len(s.Rules()) != 2 {
		t.Error("the first set was changed")
	}
}
