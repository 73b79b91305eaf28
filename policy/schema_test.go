package policy

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const orderSchema = `schema: {type: object, required: [id, amount], additionalProperties: false, properties: {
      id: {type: string, minLength: 2, maxLength: 4, pattern: "^[a-z]+$"}, amount: {type: number, minimum: 0.10, exclusiveMaximum: 9007199254740993, multipleOf: 0.01},
      count: {type: [integer, "null"], maximum: 5}, state: {enum: [new, 5, null]}, fixed: {const: {a: 1}}, either: {oneOf: [{type: string}, {type: number}]},
      tags: {type: array, minItems: 1, maxItems: 2, uniqueItems: true, items: {type: string}}, "a/b~c": {type: boolean}, sub: {type: object, required: [x], maxProperties: 1},
      any: {anyOf: [{minLength: 3}, {type: number}]}, none: {not: {type: string}}}}`

func TestValidate(t *testing.T) {
	rule := oneTool(t, orderSchema)
	for args, want := range map[string][]Violation{
		`{"id":"abc","amount":0.10}`:                        nil,
		`{"id":"abc","amount":9007199254740992}`:            nil,
		`{"id":"abc","amount":9007199254740993}`:            {{"/amount", "must be less than 9007199254740993"}},
		`{"id":"abc","amount":0.0999999999999999999999999}`: {{"/amount", "must be at least 0.10"}, {"/amount", "must be a multiple of 0.01"}},
		`{}`:                                           {{"/id", "is required"}, {"/amount", "is required"}},
		`[]`:                                           {{"", "must be an object"}},
		`{"id":5,"amount":1}`:                          {{"/id", "must be a string"}},
		`{"id":"Secret!","amount":1}`:                  {{"/id", "must have at most 4 characters"}, {"/id", `must match the pattern "^[a-z]+$"`}},
		`{"id":"a","amount":1}`:                        {{"/id", "must have at least 2 characters"}},
		`{"id":"abc","amount":1,"count":1.5}`:          {{"/count", "must be an integer or null"}},
		`{"id":"abc","amount":1,"count":1.0}`:          nil,
		`{"id":"abc","amount":1,"state":"x"}`:          {{"/state", `must be one of "new", 5, null`}},
		`{"id":"abc","amount":1,"state":5.0}`:          nil,
		`{"id":"abc","amount":1,"fixed":1}`:            {{"/fixed", `must be {"a":1}`}},
		`{"id":"abc","amount":1,"either":null}`:        {{"/either", "must fit exactly one of the alternatives that the schema gives"}},
		`{"id":"abc","amount":1,"any":"ab"}`:           {{"/any", "fits none of the alternatives that the schema gives"}},
		`{"id":"abc","amount":1,"none":"ab"}`:          {{"/none", "has a form that the schema forbids"}},
		`{"id":"abc","amount":1,"tags":[]}`:            {{"/tags", "must have at least 1 items"}},
		`{"id":"abc","amount":1,"tags":["a","a"]}`:     {{"/tags", "must not hold the same item twice"}},
		`{"id":"abc","amount":1,"tags":["a",5]}`:       {{"/tags/1", "must be a string"}},
		`{"id":"abc","amount":1,"a/b~c":"Secret"}`:     {{"/a~1b~0c", "must be a boolean"}},
		`{"id":"abc","amount":1,"sub":{"y":1,"z":2}}`:  {{"/sub", "must have at most 1 members"}, {"/sub/x", "is required"}},
		`{"id":"abc","amount":1,"extra":"Secret"}`:     {{"", "has members that the schema does not allow: 'extra'; it allows a/b~c, amount, any, count, either, fixed, id, none, state, sub, tags"}},
		`{"id":"abc","amount":1e999}`:                  {{"/amount", "has an exponent beyond 400"}},
		`{"id":"abc","amount":1,"sub":{"x":-1E-9999}}`: {{"/sub/x", "has an exponent beyond 400"}},
	} {
		got := rule.Validate(arguments(t, args))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", args, got, want)
		}
		for _, v := range got {
			if strings.Contains(v.Message, "Secret") {
				t.Errorf("%s shows a value: %q", args, v.Message)
			}
		}
	}
	if got := oneTool(t).Validate(arguments(t, `{"a":1e999}`)); got != nil {
		t.Errorf("without a schema: %v", got)
	}
}

func TestReferencesWithinTheSchema(t *testing.T) {
	rule := oneTool(t, `schema: {$defs: {id: {type: string, maxLength: 3}}, type: object, properties: {a: {$ref: "#/$defs/id"}}, allOf: [{required: [b]}], if: {required: [a]}, then: {required: [c]}}`)
	got := rule.Validate(arguments(t, `{"a":"abcd"}`))
	want := []Violation{{"/a", "must have at most 3 characters"}, {"/b", "is required"}, {"/c", "is required"}}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || g == w
		}
		if !found {
			t.Errorf("%q is missing in %q", w, got)
		}
	}
}

func TestOlderDraftsAreUnderstood(t *testing.T) {
	rule := oneTool(t, `schema: {$schema: "http://json-schema.org/draft-07/schema#", type: object, properties: {a: {items: [{type: string}, {type: number}]}}}`)
	if got := rule.Validate(arguments(t, `{"a":["x","y"]}`)); len(got) != 1 || got[0].Argument != "/a/1" {
		t.Errorf("got %q", got)
	}
}

// A call may be cheap to send and dear to check; it is refused before it costs anything.
func TestValidationOfHostileArgumentsIsCheap(t *testing.T) {
	rule := oneTool(t, orderSchema)
	start := time.Now()
	many := `{"id":"abc","amount":1,"tags":["` + strings.Repeat(`a","`, 5000) + `b"]}`
	if got := rule.Validate(arguments(t, many)); len(got) != 1 || !strings.Contains(got[0].Message, "the 500 that") {
		t.Errorf("got %.300q", got)
	}
	long := `{"` + strings.Repeat("n", 500_000) + `": 1}`
	for _, v := range rule.Validate(arguments(t, long)) {
		if len(v.Argument)+len(v.Message) > 1000 {
			t.Errorf("a violation of %d bytes", len(v.Argument)+len(v.Message))
		}
	}
	wide := `{"a":[` + strings.Repeat(`{},`, 9000) + `1]}`
	items := oneTool(t, "schema: {properties: {a: {items: {type: string}}}}")
	if got := items.Validate(arguments(t, wide)); len(got) != maxViolations {
		t.Errorf("%d violations", len(got))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
