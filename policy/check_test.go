package policy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestConditionsDecideInOrder(t *testing.T) {
	rule := oneTool(t, "rules:",
		`- {if: "args.amount > 500", then: hold, why: "Above 500."}`,
		`- {if: "'prod' in labels && agent == 'intern'", then: deny}`,
		`- {if: "has(args.note) && args.note.startsWith('ok')", then: allow}`,
		`- {if: "tool == 'x' && tenant == 'ten' && subject == 'sub' && run == 'r' && now < timestamp('2026-01-02T00:00:00Z')", then: deny, why: "All."}`)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		facts  Facts
		args   string
		action Action
		why    string
		source string
	}{
		"first":       {Facts{}, `{"amount": 500.01}`, ActHold, "Above 500.", "p.yaml:5"},
		"first wins":  {Facts{Agent: "intern", Labels: map[string]string{"prod": ""}}, `{"amount": 501}`, ActHold, "Above 500.", "p.yaml:5"},
		"second":      {Facts{Agent: "intern", Labels: map[string]string{"prod": ""}}, `{"amount": 500}`, ActDeny, "The policy's condition at p.yaml:6 says deny.", "p.yaml:6"},
		"third":       {Facts{}, `{"amount": 1, "note": "ok then"}`, ActAllow, "The policy's condition at p.yaml:7 says allow.", "p.yaml:7"},
		"fourth":      {Facts{Tool: "x", Tenant: "ten", Subject: "sub", Run: "r", Now: now}, `{"amount": 1}`, ActDeny, "All.", "p.yaml:8"},
		"none":        {Facts{Now: now}, `{"amount": 1}`, ActAllow, "", ""},
		"whole":       {Facts{}, `{"amount": 5.01e2}`, ActHold, "Above 500.", "p.yaml:5"},
		"above int64": {Facts{}, `{"amount": 9223372036854775808}`, ActHold, "Above 500.", "p.yaml:5"},
		"negative":    {Facts{}, `{"amount": -9223372036854775809}`, ActAllow, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.facts.Args = arguments(t, c.args)
			v := rule.Check(t.Context(), c.facts)
			if v.Action != c.action || v.Why != c.why || v.Rule != c.source || v.Err != nil {
				t.Errorf("got %+v", v)
			}
		})
	}
}

func TestConditionThatCannotBeEvaluatedHolds(t *testing.T) {
	const value = "the-private-value"
	for name, c := range map[string]struct {
		condition, args string
		why             string
		err             error
	}{
		"missing key":     {"args.amount > 5", `{"a":"` + value + `"}`, `"amount", which it asks for, is missing`, nil},
		"computed key":    {"args[args.a] == 1", `{"a":"` + value + `"}`, `something it asks for is missing`, nil},
		"null":            {"args.a > 5", `{"a":null}`, "another type", errType},
		"text for number": {"args.a > 5", `{"a":"` + value + `"}`, "another type", errType},
		"bad conversion":  {"int(args.a) > 5", `{"a":"` + value + `"}`, "another type", errType},
		"not bool":        {"args.a", `{"a":"` + value + `"}`, "neither true nor false", errNotBool},
		"no object":       {"args.a == 1", `["` + value + `"]`, "is missing", nil},
		"out of range":    {"args.a > 5", `{"a":1e999}`, "another type", errType},
		"too costly":      {"args.l.all(x, args.l.all(y, args.l.all(z, x + y + z >= 0)))", `{"l":[` + strings.Repeat("1,", 999) + `1]}`, "costs more", errCost},
		"costly pattern":  {"args.s.matches('(a*)*b') || args.l.exists(x, args.s.matches('(a|aa)*c'))", `{"s":"` + strings.Repeat("a", 100_000) + `","l":[` + strings.Repeat("1,", 999) + `1]}`, "costs more", errCost},
	} {
		t.Run(name, func(t *testing.T) {
			rule := oneTool(t, "rules:", `- {if: "`+c.condition+`", then: deny}`, `- {if: "true", then: allow}`)
			args := arguments(t, c.args)
			start := time.Now()
			v := rule.Check(t.Context(), Facts{Args: args})
			if took := time.Since(start); took > 10*time.Second { // the race detector makes it fifty times slower
				t.Errorf("took %v", took)
			}
			if v.Action != ActHold || v.Err == nil || v.Rule != "p.yaml:5" || !strings.Contains(v.Why, c.why) || c.err != nil && !errors.Is(v.Err, c.err) {
				t.Errorf("got %+v", v)
			}
			if strings.Contains(v.Why+v.Err.Error(), value) {
				t.Errorf("the verdict shows a value: %+v", v)
			}
		})
	}
}

func TestCancelledCheckHolds(t *testing.T) {
	rule := oneTool(t, "rules:", `- {if: "args.l.all(x, args.l.all(y, x == y))", then: deny}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := rule.Check(ctx, Facts{Args: arguments(t, `{"l":[`+strings.Repeat("1,", 199)+`1]}`)})
	if v.Action != ActHold || !errors.Is(v.Err, errCancelled) {
		t.Errorf("got %+v", v)
	}
}

// One number in three spellings is one value to a condition, also where its type matters.
func TestSpellingOfANumberIsNotSeen(t *testing.T) {
	rule := oneTool(t, "rules:", `- {if: "args.a * 2 > 10", then: hold}`)
	for _, spelling := range []string{"6", "6.0", "6e0", "0.6e1", "600e-2"} {
		if v := rule.Check(t.Context(), Facts{Args: arguments(t, `{"a":`+spelling+`}`)}); v.Action != ActHold || v.Err != nil {
			t.Errorf("%s: %+v", spelling, v)
		}
	}
}

func TestClassify(t *testing.T) {
	rule := oneTool(t,
		`done_when: "status == 200 && body.state == 'ok'"`,
		`failed_when: "status in [200, 409] && headers['x-applied'] == 'no'"`,
		`partial_when: "status == 207 && size(body.done) < size(args.items)"`,
		`unknown_when: "status == 202"`)
	plain := map[string][]string{"X-Applied": {"yes"}}
	not := map[string][]string{"x-APPLIED": {"no"}}
	for name, c := range map[string]struct {
		e     Evidence
		state string
		why   string
	}{
		"done":           {Evidence{Status: 200, Header: plain, Body: []byte(`{"state":"ok"}`)}, "done", "done_when"},
		"failed":         {Evidence{Status: 409, Header: not, Body: []byte(`{}`)}, "failed", "failed_when"},
		"partial":        {Evidence{Status: 207, Header: plain, Body: []byte(`{"done":[1]}`)}, "partial", "partial_when"},
		"unknown":        {Evidence{Status: 202, Header: plain}, "unknown", "unknown_when"},
		"none":           {Evidence{Status: 500, Header: plain, Body: []byte("oops")}, "", ""},
		"contradiction":  {Evidence{Status: 200, Header: not, Body: []byte(`{"state":"ok"}`)}, "unknown", "both match"},
		"no JSON":        {Evidence{Status: 200, Header: plain, Body: []byte(`<html>secret`)}, "unknown", "could not be evaluated"},
		"ambiguous JSON": {Evidence{Status: 200, Header: plain, Body: []byte(`{"state":"ok","state":"no"}`)}, "unknown", "could not be evaluated"},
		"missing member": {Evidence{Status: 200, Header: plain, Body: []byte(`{}`)}, "unknown", "could not be evaluated"},
		"missing header": {Evidence{Status: 409, Body: []byte(`{}`)}, "unknown", "could not be evaluated"},
		"truncated":      {Evidence{Status: 200, Header: plain, Body: []byte(`{"state":"ok"`)}, "unknown", "could not be evaluated"},
		"not UTF-8":      {Evidence{Status: 200, Header: plain, Body: []byte("\xff\xfe")}, "unknown", "could not be evaluated"},
		"not that done":  {Evidence{Status: 207, Header: plain, Body: []byte(`{"done":[1,2]}`)}, "unknown", "not what the policy's done_when"},
	} {
		t.Run(name, func(t *testing.T) {
			c.e.Args = arguments(t, `{"items":[1,2]}`)
			state, why := rule.Classify(t.Context(), c.e)
			if state != c.state || !strings.Contains(why, c.why) || strings.Contains(why, "secret") {
				t.Errorf("got %q, %q", state, why)
			}
		})
	}
	if state, why := oneTool(t).Classify(t.Context(), Evidence{Status: 200}); state != "" || why != "" {
		t.Errorf("without overrides: %q, %q", state, why)
	}
}

// A schema is held against the conditions; what it leaves open is left open.
func TestConditionsAreTyped(t *testing.T) {
	const schema = `schema: {type: object, properties: {amount: {type: number}, n: {type: integer}, s: {type: string}, b: {type: boolean}, either: {type: [string, number]},
      list: {type: array, items: {type: string}}, open: {type: object, additionalProperties: true, properties: {x: {type: string}}}, free: {type: object},
      more: {$ref: "#/$defs/more"}, any: {}, tree: {$ref: "#/$defs/tree"}, choice: {oneOf: [{type: string}, {type: number}]}},
      $defs: {more: {type: object, properties: {deep: {type: string}}}, tree: {type: object, properties: {next: {$ref: "#/$defs/tree"}, left: {$ref: "#/$defs/tree"}}}}}`
	load := func(condition string) error {
		_, err := Parse("p.yaml", []byte("version: 1\ntools:\n  - name: t\n    "+schema+"\n    rules:\n    - if: |\n        "+condition+"\n      then: hold\n"))
		return err
	}
	for _, condition := range []string{
		"args.amount > 500", "args.amount == 500", "args.amount == 500.5", "args.amount * 2 > 10", "args.amount * 2.0 > 10.0", "args.n % 2 == 0", "args.n == 5.0",
		"args.amount in [1, 2]", "args.list[args.n] == 'x'", "timestamp(args.n) < now", "args.s.substring(args.n) == 'x'", "int(args.s) > 5", "double(args.amount) > 5.0",
		"args.either > 5", "args.either.startsWith('x')", "args.open.y == 5", "args.free.anything == 5", "args.any.x.y", "args.more.deep == 'x'", "args.b", "!args.b",
		"args.tree.next.left.next == args.tree", "args.choice == 5", "args['unknown'] == 5", "size(args) == 2 && args.unknown == 5", "has(args.s)",
		"args.list.exists(x, x.startsWith('a'))", "duration(args.s) < duration('1h')", "args.n > 1 ? args.b : args.s == 'x'",
	} {
		if err := load(condition); err != nil {
			t.Errorf("%s: %v", condition, err)
		}
	}
	for condition, want := range map[string]string{
		"args.amuont > 500":                 `p.yaml:10:14: if: the schema names no argument "amuont"; did you mean "amount"?`,
		"true || args.s > 5":                `p.yaml:10:24: if: ">" does not go with the types (string, int); `,
		"args.s.startsWith(5)":              `"startsWith" does not go with the types string.(`,
		"args.amount == 'x'":                `"==" does not go with the types (double, string)`,
		"args.n > '5'":                      `">" does not go with the types (double, string)`,
		"args.b == 'true'":                  `"==" does not go with the types (bool, string)`,
		"args.list == 'x'":                  `"==" does not go with the types (list(string), string)`,
		"args.list.exists(x, x == 5)":       `"==" does not go with the types (string, int)`,
		"args.more.dep == 'x'":              `the schema of #/$defs/more has no "dep"; did you mean "deep"?`,
		"args.s":                            "a value of type string where true or false is needed",
		"has(args.amuont)":                  `the schema names no argument "amuont"`,
		"args.open.x == 5":                  `"==" does not go with the types (string, int)`,
		"args.s.contains('x') && args.list": "expected type 'bool' but found 'list(string)'",
	} {
		if err := load(condition); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", condition, err, want)
		}
	}
}

func TestNormalisedArgumentsInConditions(t *testing.T) {
	rule := oneTool(t, "arguments: {amount: {kind: money, currency: EUR}, to: {kind: email}, n: {kind: number, default: 7}, raw: {kind: exact}}", "rules:",
		`- {if: "has(norm.raw)", then: deny}`,
		`- {if: "norm.amount > 500 && norm.amount * 2 > 1000", then: hold, why: large}`,
		`- {if: "norm.to == 'ann@example.com' && norm.n == 7", then: deny, why: ann}`)
	for args, want := range map[string]string{
		`{"amount": 600}`:                            "large",
		`{"amount": "600"}`:                          "large",
		`{"amount": "EUR 600,00", "raw": "x"}`:       "large",
		`{"amount": 5, "to": " Ann@EXAMPLE.com "}`:   "ann",
		`{"amount": 5, "to": "bob@example.com"}`:     "",
		`{"amount": "1,234", "to": "a@example.com"}`: "could not be evaluated",
		`{"to": "a@example.com"}`:                    "could not be evaluated",
	} {
		if v := rule.Check(t.Context(), Facts{Args: arguments(t, args)}); !strings.Contains(v.Why, want) || (want == "") != (v.Why == "") {
			t.Errorf("%s: %+v; want %q", args, v, want)
		}
	}
}

func TestHistoryInConditions(t *testing.T) {
	rule := oneTool(t, "rules:",
		`- {if: "now - history.last < duration('1h')", then: hold, why: soon}`,
		`- {if: "history.count >= 3", then: deny, why: often}`)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		history *History
		why     string
	}{
		"none":    {&History{}, ""},
		"soon":    {&History{1, now.Add(-time.Minute)}, "soon"},
		"often":   {&History{3, now.Add(-day)}, "often"},
		"unknown": {nil, "the history of what it acts on is not known"},
	} {
		v := rule.Check(t.Context(), Facts{Now: now, History: c.history, Args: arguments(t, `{}`)})
		if !strings.Contains(v.Why, c.why) || (c.why == "") != (v.Why == "") || (c.history == nil) != (v.Err != nil) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if !rule.NeedsHistory() || oneTool(t, `rules: [{if: "args.history > 3", then: hold}]`).NeedsHistory() {
		t.Error("who needs history is told wrongly")
	}
}

func TestAnnotationsInConditions(t *testing.T) {
	condition := `rules: [{if: "annotations.destructiveHint && annotations.openWorldHint && annotations.title != 'x'", then: hold}]`
	for annotations, want := range map[string]Action{"": ActHold, "annotations: {destructiveHint: false}": ActAllow, "annotations: {title: x}": ActAllow, "annotations: {readOnlyHint: true}": ActHold} {
		if v := oneTool(t, annotations, condition).Check(t.Context(), Facts{}); v.Action != want || v.Err != nil {
			t.Errorf("%q: %+v", annotations, v)
		}
	}
}
