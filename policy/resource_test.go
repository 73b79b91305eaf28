package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/fingerprint"
)

func TestToolsShareAResource(t *testing.T) {
	set := mustParse(t, `version: 1
tools:
  - name: write
    arguments: {path: {kind: path}, text: {}}
    resource: "file:{path}"
  - name: delete
    arguments: {file: {kind: path}}
    resource: ["file:{file}"]
  - name: exact
    arguments: {path: {}}
    resource: "file:{path}"
  - name: page
    arguments: {path: {kind: path}}
    resource: "page:{path}"
  - name: cell
    arguments: {sheet: {kind: id, default: "1"}, row: {kind: id}, col: {kind: id}}
    resource: ["sheet:{sheet}", "{row}{col}"]
  - name: cell2
    arguments: {sheet: {kind: id}, row: {kind: id}, col: {kind: id}}
    resource: ["sheet:{sheet}", "{row}:{col}"]
  - name: fixed
    resource: production
  - name: none
`)
	of := func(tool, args string) []string { return set.Match(tool).Resource(arguments(t, args)) }
	base := of("write", `{"path": "a/b.txt", "text": "x"}`)
	if base == nil {
		t.Fatal("no resource")
	}
	for tool, args := range map[string]string{"write": `{"path": "a//./b.txt"}`, "delete": `{"file": "a/b.txt"}`} {
		if got := of(tool, args); !slices.Equal(got, base) {
			t.Errorf("%s %s: %q, want %q", tool, args, got, base)
		}
	}
	for tool, args := range map[string]string{"write": `{"path": "a/c.txt"}`, "page": `{"path": "a/b.txt"}`, "exact": `{"path": "a/b.txt"}`} {
		if got := of(tool, args); got == nil || slices.Equal(got, base) {
			t.Errorf("%s %s: %q is shared", tool, args, got)
		}
	}
	for _, args := range []string{`{}`, `{"path": null}`, `{"path": " "}`, `{"path": []}`, `["a/b.txt"]`, `"a"`} {
		if got := of("write", args); got != nil {
			t.Errorf("%s: %q", args, got)
		}
	}
	if of("fixed", `{}`) == nil || of("none", `{}`) != nil {
		t.Error("a resource without variables is none, or no resource is one")
	}
	if !slices.Equal(of("cell", `{"row": 1, "col": 2}`), of("cell", `{"sheet": "1", "row": "1", "col": "2"}`)) {
		t.Error("the default of an argument does not count")
	}
	// Parts never run together: neither with each other nor with the texts around them.
	seen := map[string]string{}
	for _, c := range [][2]string{
		{"cell", `{"sheet": "a", "row": "1", "col": "23"}`}, {"cell", `{"sheet": "a", "row": "12", "col": "3"}`}, {"cell2", `{"sheet": "a", "row": "12", "col": "3"}`},
		{"cell", `{"sheet": "a1", "row": "2", "col": "3"}`},
	} {
		key := strings.Join(of(c[0], c[1]), "\x00")
		if twin, ok := seen[key]; ok {
			t.Errorf("%v shares the resource of %s", c, twin)
		}
		seen[key] = c[1]
	}
}

func TestResourceOfInferredArguments(t *testing.T) {
	rule := oneTool(t, `resource: "issue:{repo}#{issue_number}"`)
	one, two := rule.Resource(arguments(t, `{"repo": "a/b", "issue_number": 7}`)), rule.Resource(arguments(t, `{"repo": "a/b", "issue_number": "7"}`))
	if one == nil || !slices.Equal(one, two) {
		t.Errorf("%q and %q", one, two)
	}
}

func TestOccurrence(t *testing.T) {
	for line, want := range map[string]Occurrence{
		"occurrence: part": {Argument: "part"}, `occurrence: "label:part"`: {Label: "part"}, "occurrence: {caller: 1000}": {Caller: 1000}, "window: 1h": {},
	} {
		if got := oneTool(t, line).Occurrence; got != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
	// An argument that nothing declares is an identifier, so that "2" is no other occurrence than 2.
	for _, lines := range [][]string{
		{"occurrence: part", "arguments: {}"}, {"occurrence: part"}, {"occurrence: part", "schema: {properties: {part: {type: string}}}"},
		{"occurrence: part", "schema: {properties: {part: {type: integer}}}", "arguments: {}"},
	} {
		spec := oneTool(t, lines...).Arguments
		one, two := spec.Terms(arguments(t, `{"part": 2}`)), spec.Terms(arguments(t, `{"part": "2"}`))
		if !fingerprint.Compare(one, two).Same || one[0].Kind != "id" {
			t.Errorf("%v: %+v and %+v", lines, one, two)
		}
	}
	declared := oneTool(t, "occurrence: part", "arguments: {part: {kind: number}}").Arguments.Terms(arguments(t, `{"part": 2}`))
	if declared[0].Kind != "number" {
		t.Errorf("a declared argument is %+v", declared)
	}
}

func TestNearOfToolsAndDefaults(t *testing.T) {
	set := mustParse(t, `version: 1
defaults: {near: {same: 0.8, opposites: [[a, b]]}, on: {near: confirm}}
tools:
  - name: plain
  - name: own
    near: {near: 0.3, opposites: []}
    on: {near: replay, done: confirm}
`)
	if got := set.Match("plain"); got.Near.Same != 0.8 || got.Near.Near != fingerprint.DefaultNear || len(got.Near.Opposites) != 1 || got.On.Near != Confirm {
		t.Errorf("got %+v", got.Near)
	}
	if got := set.Match("own"); got.Near.Same != 0.8 || got.Near.Near != 0.3 || len(got.Near.Opposites) != 0 || got.On.Near != Replay || got.On.Done != Confirm {
		t.Errorf("got %+v", got.Near)
	}
	if got := set.Match("unknown").Near; got.Same != 0.8 {
		t.Errorf("got %+v", got)
	}
}

func TestFieldsAndCommonNames(t *testing.T) {
	set := mustParse(t, `version: 1
tools:
  - name: rest
    effect: book
    arguments:
      flights:
        kind: list
        fields:
          number: {kind: id}
          date: {kind: date}
          price: {role: volatile}
          seat: {fields: {row: {kind: number}}}
      reference: {as: ref, kind: id}
      tel: {kind: phone, region: DE}
      to: {kind: email, providers: [gmail.com]}
  - name: mcp
    effect: book
    arguments:
      segments:
        as: flights
        kind: list of object
        fields: {number: {kind: id}, date: {kind: date}, price: {role: volatile}, seat: {kind: object, fields: {row: {kind: number}}}}
      ref: {kind: id}
      phone: {as: tel, kind: phone, region: DE}
      email: {as: to, kind: email, providers: [gmail.com]}
`)
	rest, mcp := set.Match("rest").Arguments, set.Match("mcp").Arguments
	if rest.Digest() != mcp.Digest() {
		t.Error("tools with common names have two specs")
	}
	one := rest.Terms(arguments(t, `{"flights": [{"number": 7, "date": "2024-05-19", "price": 100, "seat": {"row": "4"}}], "reference": "x", "tel": "030 123456", "to": "a.b@gmail.com"}`))
	two := mcp.Terms(arguments(t, `{"segments": [{"number": "7", "date": "19 May 2024", "seat": {"row": 4}}], "ref": " x", "phone": "+49 30 123456", "email": "ab+c@gmail.com"}`))
	if c := fingerprint.Compare(one, two); !c.Same {
		t.Errorf("differ in %+v", c.Differs)
	}
}

// The kinds are those of package fingerprint, whatever it has.
func TestEveryKindCanBeDeclared(t *testing.T) {
	base, of := fingerprint.KindNames()
	for _, kind := range append(base, of...) {
		if got := oneTool(t, "arguments: {a: {kind: "+kind+"}}").Arguments.Arguments()[0].Kind.String(); !strings.HasPrefix(got, kind) {
			t.Errorf("%s is %s", kind, got)
		}
	}
}
