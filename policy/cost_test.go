package policy

import (
	"strings"
	"testing"
)

// What a set costs is told by allocations, which a busy machine does not change.

func TestLoadCostsInProportion(t *testing.T) {
	cost := func(text string) float64 {
		return testing.AllocsPerRun(2, func() { mustParse(t, text) })
	}
	few, many := cost(tools(50, 0))/50, cost(tools(400, 0))/400
	if many > few*1.1 || many > 2600 {
		t.Errorf("a tool of 400 costs %.0f allocations, one of 50 costs %.0f", many, few)
	}
	// A condition of the defaults is compiled once.
	own := "version: 1\ntools:\n" + strings.Repeat("  - {name: NAME, rules: [{if: \"args.amount > 5 && agent != 'x'\", then: hold}]}\n", 200)
	inherited := "version: 1\ndefaults: {rules: [{if: \"args.amount > 5 && agent != 'x'\", then: hold}]}\ntools:\n" + strings.Repeat("  - {name: NAME}\n", 200)
	if once, each := cost(numbered(inherited)), cost(numbered(own)); once > each/2 {
		t.Errorf("inherited conditions cost %.0f allocations, own ones %.0f", once, each)
	}
}

// numbered replaces each NAME by another name.
func numbered(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "NAME") {
		if i > 0 {
			b.WriteString("t" + strings.Repeat("x", i))
		}
		b.WriteString(part)
	}
	return b.String()
}

func TestToolsWithOneSchemaShareIt(t *testing.T) {
	set := mustParse(t, "version: 1\ntools:\n  - {name: a, schema: {type: object}}\n  - {name: b, schema: {type: object}}\n  - {name: c, schema: {type: array}}\n")
	if set.Match("a").schema != set.Match("b").schema || set.Match("a").schema == set.Match("c").schema {
		t.Error("schemas are not shared by their content")
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	set := mustParse(t, tools(1000, 0)+"  - {name: \"srv*\"}\n")
	for _, tool := range []string{"svc500.refund", "srv500", "nothing"} {
		set.Match(tool)
		if n := testing.AllocsPerRun(100, func() { set.Match(tool) }); n != 0 {
			t.Errorf("%s: %v allocations", tool, n)
		}
	}
}
