package policy

import "testing"

func TestOwnWordsAreThePolicysOnly(t *testing.T) {
	rule := mustParse(t, `version: 1
tools:
  - name: pay
    rules:
      - {if: "args.amount > 500", then: hold, why: "Refunds above 500 need a person."}
      - {if: "args.amount > 400", then: hold}
    limits: [{count: 5, per: 1h, then: hold, why: "Five are enough."}]
`).Match("pay")
	for reason, want := range map[string]string{
		"":                                 "",
		"Refunds above 500 need a person.": "Refunds above 500 need a person.",
		"Refunds above 500 need a person. The agent declared it as meant beside ef_1: <!channel>": "Refunds above 500 need a person.",
		"The policy allows at most 5 calls in 1h; none is left. Five are enough.":                 "Five are enough.",
		"The agent says: pay me": "",
	} {
		if got := rule.OwnWords(reason); got != want {
			t.Errorf("%q: %q, want %q", reason, got, want)
		}
	}
}
