package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Compiling a plain schema can wait only because it cannot fail.
func TestPlainSchemasCompile(t *testing.T) {
	values := []string{`"string"`, `["string","null"]`, `["string","string"]`, `[]`, `"text"`, `5`, `-5`, `1.5`, `1e3`, `"^a"`, `"("`, `"(?!a)"`, `true`, `null`, `{}`, `{"a":true}`, `{"a":{"type":"x"}}`, `{"a":5}`, `[{"a":1}]`, `[1,1]`}
	plain, seen := 0, 0
	var keywords []string
	for keyword := range plainKeywords {
		keywords = append(keywords, keyword)
	}
	keywords = append(keywords, "$ref", "$schema", "anyOf", "unknown")
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		for _, keyword := range rapid.SliceOfNDistinct(rapid.SampledFrom(keywords), 1, 3, rapid.ID[string]).Draw(t, "keywords") {
			members = append(members, fmt.Sprintf("%q:%s", keyword, rapid.SampledFrom(values).Draw(t, keyword)))
		}
		text := `{"type":"object","properties":{"p":{` + strings.Join(members, ",") + `}}}`
		_, root := parseYAML(&file{name: "schema.yaml", text: []byte(text)})
		s := &schema{text: json.RawMessage(text), root: root.value()}
		if seen++; !isPlain(s.root) {
			return
		}
		plain++
		if _, err := s.compile(); err != nil {
			t.Fatalf("%s is called plain and does not compile: %v", text, err)
		}
	})
	if plain < seen/50 {
		t.Errorf("only %d of %d schemas were plain", plain, seen)
	}
}

// A schema that is compiled late says the same as one that is compiled when it is loaded.
func TestPlainSchemaValidates(t *testing.T) {
	const members = `type: object, required: [a], properties: {a: {type: string, pattern: "^x", maxLength: 3}}`
	late, early := oneTool(t, "schema: {"+members+"}"), oneTool(t, "schema: {"+members+", $comment: not plain}")
	if late.schema.compiled != nil || early.schema.compiled == nil {
		t.Fatal("the plain schema is not the one that waits")
	}
	for _, text := range []string{`{}`, `{"a":"x"}`, `{"a":"y"}`, `{"a":"xxxx"}`, `{"a":5}`, `[]`} {
		args := arguments(t, text)
		if got, want := fmt.Sprint(late.Validate(args)), fmt.Sprint(early.Validate(args)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
