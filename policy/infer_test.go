package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/fingerprint"
)

func inferred(t *testing.T, tool Tool) map[string]InferredArgument {
	t.Helper()
	byName := map[string]InferredArgument{}
	for _, a := range Infer(tool).Arguments {
		if a.Why == "" {
			t.Errorf("%q has no reason", a.Name)
		}
		byName[a.Name] = a
	}
	return byName
}

func TestInferReadsTheSchemaBeforeTheName(t *testing.T) {
	got := inferred(t, Tool{Schema: []byte(`{"type": "object", "$defs": {"day": {"type": "string", "format": "date"}}, "properties": {
		"issue_number": {"type": "integer"}, "start": {"type": "integer"}, "start_at": {"type": "integer", "format": "int64"},
		"when_exactly": {"type": "string", "description": "An ISO 8601 timestamp"}, "day_off": {"$ref": "#/$defs/day"},
		"state": {"enum": ["open", "closed"]}, "letter": {"enum": ["a", "A"]}, "level": {"enum": [1, 2]},
		"draft": {"type": ["boolean", "null"]}, "to": {"type": "array", "items": {"type": "string"}}, "numbers": {"type": "array", "items": {"type": "number"}},
		"matrix": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, "reason": {"type": "string"}, "comment": {"type": "object"},
		"price": {"type": "number"}, "currency": {"type": "string"}, "client_token": {"type": "string", "description": "Ensures idempotency."},
		"request_id": {"type": "string"}, "idempotencyKey": {"type": "string"}, "thing": {}, "odd": true
	}}`)})
	for name, want := range map[string]string{
		"issue_number": "identity id", "start": "material number", "start_at": "material number", "when_exactly": "material datetime", "day_off": "material date",
		"state": "material enum", "letter": "material auto", "level": "material auto", "draft": "material bool", "to": "identity set of auto",
		"numbers": "material list of number", "matrix": "material auto", "reason": "material text", "comment": "material auto", "price": "material money",
		"client_token": "volatile exact", "request_id": "identity id", "idempotencyKey": "volatile exact", "thing": "material auto", "odd": "material auto",
	} {
		if a := got[name]; a.Role.String()+" "+a.Kind.String() != want {
			t.Errorf("%s: %s %s (%s), want %s", name, a.Role, a.Kind, a.Why, want)
		}
	}
	if got["price"].Currency != "currency" || !got["price"].Sure {
		t.Errorf("price: %+v", got["price"])
	}
	if got["client_token"].Sure || !got["idempotencyKey"].Sure {
		t.Error("a token that only its description makes an idempotency key is sure, or a plain name is not")
	}
}

func TestWhatStandsAloneIsNoIdempotencyKey(t *testing.T) {
	for _, schema := range []string{`{"properties": {"idempotency_key": {"type": "string"}}}`, `{"properties": {"token": {"type": "string", "description": "Idempotency token."}}}`} {
		for name, a := range inferred(t, Tool{Schema: []byte(schema)}) {
			if !a.Role.Decides() {
				t.Errorf("%s is %s", name, a.Role)
			}
		}
	}
}

// A role that lets a difference pass merges effects, so nothing but an idempotency key gets one.
func TestInferTakesNothingForCommentary(t *testing.T) {
	names := []string{"reason", "note", "notes", "comment", "why", "explanation", "justification", "memo", "timestamp", "request_id", "trace_id", "nonce", "client_token",
		"correlation_id", "session_id", "thought", "thoughts", "reasoning", "metadata"}
	for _, name := range names {
		for _, schema := range []string{`{"type":"string"}`, `{"type":"string","format":"uuid"}`, `{}`} {
			a := inferred(t, Tool{Schema: []byte(`{"properties":{"` + name + `":` + schema + `}}`)})[name]
			if !a.Role.Decides() {
				t.Errorf("%s %s is %s", name, schema, a.Role)
			}
		}
	}
}

func TestInferredFieldsCompareMembers(t *testing.T) {
	got := inferred(t, Tool{Schema: []byte(`{"properties": {"flights": {"type": "array", "items": {"type": "object", "properties": {
		"number": {"type": "string"}, "date": {"type": "string", "format": "date"}, "note": {"type": "string"}, "idempotency_key": {"type": "string"}}}}}}`)})["flights"]
	if got.Kind.String() != "list of object" || len(got.Fields) != 3 {
		t.Fatalf("got %+v", got)
	}
	for _, f := range got.Fields {
		if f.Role != fingerprint.Material || f.Kind.String() == "text" {
			t.Errorf("field %+v", f)
		}
	}
}

func TestInferOfHostileSchemas(t *testing.T) {
	deep := strings.Repeat(`{"type":"object","properties":{"a":`, 200) + "{}" + strings.Repeat("}}", 200)
	for name, schema := range map[string]string{
		"no JSON": "{", "no object": "[]", "null": "null", "properties": `{"properties": []}`, "property": `{"properties": {"a": 5, "": {}}}`,
		"loop": `{"$ref": "#", "properties": {"a": {"$ref": "#"}}}`, "two": `{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}`,
		"remote": `{"properties": {"a": {"$ref": "https://example.com/a"}}}`, "types": `{"properties": {"a": {"type": 5, "enum": 5, "default": {"x": [1]}, "items": 7}}}`, "deep": deep,
	} {
		for _, a := range Infer(Tool{Schema: []byte(schema)}).Arguments {
			if _, err := fingerprint.NewSpec([]fingerprint.Argument{a.Argument}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestInferKind(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		tool Tool
		kind Kind
		sure bool
	}{
		{Tool{Name: "get_issue", ReadOnly: &yes}, Read, true},
		{Tool{Name: "create_issue", ReadOnly: &yes}, Read, true},
		{Tool{Name: "get_issue", ReadOnly: &no}, Write, true},
		{Tool{Name: "get_issue", Destructive: &yes}, Write, true},
		{Tool{Name: "get_issue", ReadOnly: &yes, Destructive: &yes}, Write, false},
		{Tool{Name: "createOrder", Method: "GET"}, Read, true},
		{Tool{Name: "getOrder", Method: "post"}, Write, true},
		{Tool{Name: "github__list_issues"}, Read, false},
		{Tool{Name: "conversations.history.list"}, Read, false},
		{Tool{Name: "API-get-self"}, Read, false},
		{Tool{Name: "getPost"}, Read, false},
		{Tool{Name: "run_search"}, Write, true},
		{Tool{Name: "get_or_create_user"}, Write, true},
		{Tool{Name: "find-and-replace"}, Write, true},
		{Tool{Name: "query"}, Write, true},
		{Tool{Name: "gettysburg"}, Write, true},
		{Tool{Name: ""}, Write, true},
	} {
		if kind, why, sure := InferKind(c.tool); kind != c.kind || sure != c.sure || why == "" && kind == Read {
			t.Errorf("%+v: %s, %q, %v", c.tool, kind, why, sure)
		}
	}
}

// A policy that says nothing about arguments is inferred; one that says that there are none is exact.
func TestWhereArgumentsAreInferred(t *testing.T) {
	const one, two = `{"order_id": 7, "amount": "25.00"}`, `{"order_id": "7", "amount": 25}`
	same := func(r *Rule) bool {
		return fingerprint.Compare(r.Arguments.Terms(arguments(t, one)), r.Arguments.Terms(arguments(t, two))).Same
	}
	for name, c := range map[string]struct {
		rule *Rule
		same bool
	}{
		"unknown":             {Empty().Match("x"), true},
		"no arguments":        {oneTool(t), true},
		"empty arguments":     {oneTool(t, "arguments: {}"), false},
		"one argument":        {oneTool(t, "arguments: {order_id: {kind: id}}"), false},
		"schema":              {oneTool(t, "schema: {properties: {order_id: {}, amount: {type: number}}}"), true},
		"schema, none":        {oneTool(t, "schema: {properties: {order_id: {}, amount: {}}}", "arguments: {}"), false},
		"occurrence":          {oneTool(t, "occurrence: part"), true},
		"unknown are refused": {mustParse(t, "version: 1\ndefaults: {unknown_tools: deny}").Match("x"), true},
	} {
		if got := same(c.rule); got != c.same || c.rule.Arguments.Infers() != c.same {
			t.Errorf("%s: same %v, inferred %v", name, got, c.rule.Arguments.Infers())
		}
	}
	withDefault := oneTool(t, `schema: {properties: {unit: {enum: [kg, lb], default: kg}, ref: {type: string}}}`)
	if !fingerprint.Compare(withDefault.Arguments.Terms(arguments(t, `{}`)), withDefault.Arguments.Terms(arguments(t, `{"unit": "KG"}`))).Same {
		t.Error("the schema's default or enum does not count where arguments are inferred")
	}
	if !slices.ContainsFunc(withDefault.Arguments.Arguments(), func(a fingerprint.Argument) bool { return a.Name == "unit" }) {
		t.Error("what the schema says is not declared")
	}
}

// An equal call after another one may be meant anew where a tool sets the state of a thing.
func TestInferRemarksOnStatesThatComeBack(t *testing.T) {
	schema := []byte(`{"properties": {"path": {"type": "string"}, "issue_id": {"type": "string"}, "body-id": {"type": "string"}, "text": {"type": "string"}}}`)
	for _, tool := range []Tool{{Name: "write_file", Schema: schema}, {Name: "x", Method: "put", Schema: schema}, {Name: "issues.setState", Schema: schema}} {
		remarks := strings.Join(Infer(tool).Remarks, "\n")
		if !strings.Contains(remarks, `add resource: "thing:{issue_id}/{path}"`) {
			t.Errorf("%s: %q", tool.Name, remarks)
		}
	}
	for _, tool := range []Tool{
		{Name: "send_mail", Schema: schema}, {Name: "x", Method: "POST", Schema: schema}, {Name: "read_file", Schema: schema},
		{Name: "toggle", Schema: []byte(`{"properties": {"text": {"type": "string"}}}`)}, {Name: "get_settings", Method: "GET", Schema: schema},
	} {
		if remarks := Infer(tool).Remarks; len(remarks) > 0 {
			t.Errorf("%s: %q", tool.Name, remarks)
		}
	}
}
