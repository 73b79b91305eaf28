package fingerprint

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestASpecIsReadBack(t *testing.T) {
	declarations := []Argument{
		{Name: "orderId", As: "order_id", Role: Identity, Kind: Kind{"id"}},
		{Name: "amount", Kind: Kind{"money"}, Currency: "currency", Default: []byte(`1.0`)},
		{Name: "state", Kind: Kind{"enum"}, Aliases: map[string][]string{"open": {"opened", "OPEN!"}}},
		{Name: "at", Kind: Kind{"datetime"}, Zone: "Europe/Berlin", Round: "60s", NullIsAbsent: true},
		{Name: "note", Role: Commentary},
	}
	for _, makeSpec := range []func([]Argument) (*Spec, error){NewSpec, NewInferringSpec} {
		for n := range len(declarations) + 1 {
			s, err := makeSpec(declarations[:n])
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			var read *Spec
			if err := json.Unmarshal(text, &read); err != nil || read.Digest() != s.Digest() || read.Infers() != s.Infers() {
				t.Errorf("%s is read back as another spec: %v", text, err)
			}
		}
	}
}

func TestASpecOfALaterVersionIsRefused(t *testing.T) {
	for _, text := range []string{
		`{"arguments":[{"Name":"a","Kind":"telepathy"}]}`, `{"arguments":[{"Name":"a","Mood":"good"}]}`, `{"infer":"infer/v99"}`, `[]`,
	} {
		var s Spec
		if err := json.Unmarshal([]byte(text), &s); err == nil || !strings.Contains(err.Error(), "spec") && text != "[]" {
			t.Errorf("%s: %v", text, err)
		}
	}
}
