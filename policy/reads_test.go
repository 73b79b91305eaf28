package policy

import (
	"reflect"
	"slices"
	"testing"

	"cel.dev/cel-go/cel"
)

func TestReads(t *testing.T) {
	for text, want := range map[string]struct {
		reads reads
		loops bool
	}{
		"tool == 'x'":                           {},
		"args.b.c > 1 && args.a == args.b.d":    {reads: reads{members: []string{"a", "b"}}},
		"has(args.a.b) || has(args.c)":          {reads: reads{members: []string{"a", "c"}}},
		"args.l.exists(x, x.y == args.z)":       {reads: reads{members: []string{"l", "z"}}, loops: true},
		"args['a'] == 1":                        {reads: reads{all: true}},
		"args.a == 1 && size(args) == 1":        {reads: reads{members: []string{"a"}, all: true}},
		"'a' in args":                           {reads: reads{all: true}},
		"args.exists(k, args[k] == 'x')":        {reads: reads{all: true}, loops: true},
		"[1].exists(args, args == 1)":           {reads: reads{all: true}, loops: true},
		"[{'a': 1}].exists(x, args.a == x.a)":   {reads: reads{members: []string{"a"}}, loops: true},
		"{'a': args.a}.a == 1 ? args.b : false": {reads: reads{members: []string{"a", "b"}}},
	} {
		rule := oneTool(t, "rules:", `- {if: "`+text+`", then: deny}`)
		got := rule.conditions[0].expression
		slices.Sort(want.reads.members)
		if !reflect.DeepEqual(rule.reads, want.reads) || got.loops != want.loops {
			t.Errorf("%s reads %+v and loops: %v; want %+v", text, rule.reads, got.loops, want)
		}
	}
}

// What is read is as much as conditions need: the same verdict whether the members are picked or all are there.
func TestPickedMembersDecideAlike(t *testing.T) {
	conditions := []string{
		"args.a > 5", "has(args.a) && args.a == 'x'", "args.a.b == 2", "has(args.a.b)", "args.l.exists(i, i == args.a)", "size(args.l) > 1",
		"args.a == null", "args.l[0] == 6", "args.a == args.b", "type(args.a) == int",
	}
	texts := []string{`{}`, `{"a":6}`, `{"a":"x","b":"x"}`, `{"a":{"b":2}}`, `{"l":[6,7],"a":6.0}`, `{"a":null,"z":1}`, `[]`, `null`, `{"a":1e999}`}
	for _, condition := range conditions {
		rule := oneTool(t, "rules:", `- {if: "`+condition+`", then: deny}`)
		if rule.reads.all {
			t.Errorf("%s reads everything", condition)
		}
		whole := *rule
		whole.reads = everything
		for _, text := range texts {
			facts := Facts{Args: arguments(t, text)}
			if got, want := rule.Check(t.Context(), facts), whole.Check(t.Context(), facts); !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %s: %+v, want %+v", condition, text, got, want)
			}
		}
	}
}

// Every name that conditions may use has a value.
func TestConditionsHaveTheirVariables(t *testing.T) {
	env := conditionDialect()
	for _, variable := range env.Variables() {
		if variable.Type().Kind() == cel.TypeKind {
			continue
		}
		if value, ok := (&variables{rule: new(Rule)}).ResolveName(variable.Name()); !ok || value == nil {
			t.Errorf("%s has no value", variable.Name())
		}
	}
}

// Only what could cost too much is counted.
func TestCheapExpressions(t *testing.T) {
	env := conditionDialect().Env
	for text, cheap := range map[string]bool{
		"args.amount > 500.0":                    true,
		"'prod' in labels && agent == 'intern'":  true,
		"args.note.startsWith('ok')":             true,
		"args.kind in ['a', 'b'] || has(args.x)": true,
		"args.a == args.b":                       false,
		"args.s.matches('(a*)*b')":               false,
		"args.s.lowerAscii() == 'x'":             false,
		"args.l.exists(x, x > 1)":                false,
	} {
		checked, issues := env.Compile(text)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		if got := isCheap(env, checked); got != cheap {
			t.Errorf("%s: cheap is %v", text, got)
		}
	}
}
