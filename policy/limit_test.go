package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

func TestLimitsAreRead(t *testing.T) {
	limits := layered(t).Match("payments.refund").Limits
	count, sum := limits[0], limits[1]
	if count.Count != 5 || count.Sum != "" || count.Per != time.Hour || !slices.Equal(count.By, []string{ByAgent, ByTool}) || count.Then != ActHold || count.Source != "working_layers.yaml:46" {
		t.Errorf("got %+v", count)
	}
	if sum.Count != 0 || sum.Sum != "amount" || sum.Max.String() != "1000" || sum.Currency != "EUR" || sum.Per != day || !slices.Equal(sum.By, []string{BySubject, "label:team"}) || sum.Then != ActDeny {
		t.Errorf("got %+v", sum)
	}
}

// What is counted together is told by who says the limit and by what it counts, not by how much it allows.
func TestCounters(t *testing.T) {
	set := mustParse(t, `version: 1
defaults: {limits: [{count: 9, per: 1h, by: [agent, run], then: hold}]}
tools:
  - {name: a}
  - {name: b}
  - {name: c, limits: [{count: 9, per: 1h, by: [run, agent], then: hold}, {count: 20, per: 1h, by: [agent, run], then: deny}, {count: 9, per: 2h, by: [agent, run], then: hold}]}
  - {name: d, limits: [{count: 9, per: 1h, by: [agent, run], then: hold}]}
`)
	counter := func(tool string, i int) string { return set.Match(tool).Limits[i].Counter }
	if counter("a", 0) != counter("b", 0) || counter("a", 0) != counter("unknown", 0) {
		t.Error("tools that inherit one limit do not share it")
	}
	if counter("c", 0) != counter("c", 1) {
		t.Error("two amounts of one count are not counted together")
	}
	distinct := []string{counter("a", 0), counter("c", 0), counter("c", 2), counter("d", 0)}
	slices.Sort(distinct)
	if len(slices.Compact(distinct)) != 4 {
		t.Errorf("different counts share a counter: %q", distinct)
	}
}

func TestAmounts(t *testing.T) {
	rule := oneTool(t,
		"arguments:",
		"  amount: {kind: money, currency: currency}",
		"  cents: {kind: money, currency: EUR, minor: true}",
		"  n: {kind: number, default: 3}",
		"  raw: {kind: exact}",
		"  total: {kind: object}",
		"limits:",
		"- {sum: args.amount, max: 5, per: 1h, then: hold}",
		"- {sum: args.cents, max: 5, per: 1h, then: hold}",
		"- {sum: args.n, max: 5, per: 1h, then: hold}",
		"- {sum: args.raw, max: 5, per: 1h, then: hold}",
		"- {sum: args.total.value, max: 5, per: 1h, then: hold}",
		"- {sum: args.amount, max: 5, currency: EUR, per: 1h, then: hold}",
		"- {count: 5, per: 1h, then: hold}")
	for _, c := range []struct {
		limit       int
		args, value string
		unit, err   string
	}{
		{0, `{"amount": 12.50, "currency": "eur"}`, "12.5", "EUR", ""},
		{0, `{"amount": "€ 12,50"}`, "12.5", "EUR", ""},
		{0, `{"amount": 12.50}`, "12.5", "", ""},
		{0, `{"amount": 9007199254740993.01, "currency": "USD"}`, "9007199254740993.01", "USD", ""},
		{0, `{"amount": 1, "currency": "shells"}`, "", "", "not known"},
		{0, `{"amount": 1, "currency": 7}`, "", "", "not known"},
		{0, `{"amount": "secret"}`, "", "", "no number"},
		{0, `{"amount": "1,234"}`, "", "", "no number"},
		{0, `{"amount": -5}`, "", "", "negative"},
		{0, `{"amount": null}`, "", "", "missing"},
		{0, `{}`, "", "", "missing"},
		{0, `[]`, "", "", "missing"},
		{1, `{"cents": 1250}`, "12.5", "EUR", ""},
		{1, `{"cents": 12.5}`, "", "", "no number"},
		{2, `{"n": "7"}`, "7", "", ""},
		{2, `{}`, "3", "", ""},
		{3, `{"raw": 7.5}`, "7.5", "", ""},
		{3, `{"raw": "7.5"}`, "", "", "no number"},
		{3, `{"raw": [7]}`, "", "", "no number"},
		{4, `{"total": {"value": 3.10}}`, "3.1", "", ""},
		{4, `{"total": {"value": "3.10"}}`, "3.1", "", ""},
		{4, `{"total": {"value": "3,10"}}`, "", "", "no number"},
		{4, `{"total": {}}`, "", "", "missing"},
		{4, `{"total": 5}`, "", "", "missing"},
		{5, `{"amount": 5, "currency": "EUR"}`, "5", "EUR", ""},
		{5, `{"amount": 5, "currency": "USD"}`, "", "", "another currency"},
		{5, `{"amount": 5}`, "", "", "another currency"},
		{6, `{"amount": "secret"}`, "1", "", ""},
	} {
		got, err := rule.Amount(rule.Limits[c.limit], arguments(t, c.args))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("limit %d, %s: %v, %v; want an error with %q", c.limit, c.args, got, err, c.err)
			}
			continue
		}
		want, parseErr := fingerprint.ParseDecimal(c.value)
		if err != nil || parseErr != nil || !got.Value.Equal(want) || got.Unit != c.unit {
			t.Errorf("limit %d, %s: %s %q, %v; want %s %q", c.limit, c.args, got.Value, got.Unit, err, c.value, c.unit)
		}
	}
}

// A tool that inherits a sum over an argument which it does not have is not limited by it.
func TestInheritedSumIsForToolsThatHaveIt(t *testing.T) {
	set := mustParse(t, `version: 1
defaults: {limits: [{sum: args.amount, max: 5, per: 1h, then: hold}]}
tools:
  - {name: pay, schema: {properties: {amount: {type: number}}}}
  - {name: say, schema: {properties: {text: {type: string}}}}
  - {name: any}
`)
	for tool, want := range map[string]int{"pay": 1, "say": 0, "any": 1} {
		if got := len(set.Match(tool).Limits); got != want {
			t.Errorf("%s has %d limits, want %d", tool, got, want)
		}
	}
}
