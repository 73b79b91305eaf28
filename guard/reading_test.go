package guard

import (
	"testing"

	"github.com/onceguard/onceguard/fingerprint"
)

// A reading answers from memory for the same call only, and then says what it would without.
func TestReadingRemembersItsFingerprint(t *testing.T) {
	v, err := fingerprint.Decode([]byte(`{"order": "A-1", "amount": 5}`), fingerprint.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	spec := func() *fingerprint.Spec {
		s, err := fingerprint.NewSpec([]fingerprint.Argument{{Name: "order"}, {Name: "amount"}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	maker := func(key string) *fingerprint.Maker {
		m, err := fingerprint.NewMaker([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	type call struct {
		maker *fingerprint.Maker
		spec  *fingerprint.Spec
		in    fingerprint.Input
	}
	usual := call{maker("the key of an installation, long enough"), spec(), fingerprint.Input{
		Tenant: "acme", Effect: "refund", Scope: []fingerprint.ScopePart{{Name: "run", Value: "1"}}, Occurrence: "1"}}
	other := map[string]func(*call){
		"key":        func(c *call) { c.maker = maker("the key of another one, which is long as well") },
		"spec":       func(c *call) { c.spec = spec() },
		"tenant":     func(c *call) { c.in.Tenant = "other" },
		"effect":     func(c *call) { c.in.Effect = "transfer" },
		"scope":      func(c *call) { c.in.Scope = []fingerprint.ScopePart{{Name: "run", Value: "2"}} },
		"occurrence": func(c *call) { c.in.Occurrence = "2" },
		"near":       func(c *call) { c.in.NoNear = true },
	}
	for name, change := range other {
		t.Run(name, func(t *testing.T) {
			r := NewReading(v)
			next := usual
			change(&next)
			for _, c := range []call{usual, next, usual} {
				want := c.maker.Sum(c.spec, c.in, v)
				if got := r.sum(c.maker, c.spec, c.in, v); got != want {
					t.Errorf("%+v has %x, want %x", c.in, got, want)
				}
				made := r.last.Load()
				if got := r.sum(c.maker, c.spec, c.in, v); got != want || r.last.Load() != made {
					t.Errorf("%+v has %x, want %x as before", c.in, got, want)
				}
			}
		})
	}
}
