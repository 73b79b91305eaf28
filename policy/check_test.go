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
