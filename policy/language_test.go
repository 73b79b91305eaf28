package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/onceguard/onceguard/fingerprint"
)

// languageObject is a part of the language's schema, with references followed.
func languageObject(t *testing.T, pointer string) map[string]any {
	t.Helper()
	var root any
	if err := json.Unmarshal(LanguageSchema(), &root); err != nil {
		t.Fatal(err)
	}
	object, ok := lookup(root, pointer).(map[string]any)
	if !ok {
		t.Fatalf("the schema has no %s", pointer)
	}
	if reference, ok := object["$ref"].(string); ok && object["description"] == nil {
		return languageObject(t, strings.TrimPrefix(reference, "#"))
	}
	return object
}

// The schema has the keys that the reader knows, and no others, each with a description.
func TestLanguageSchemaHasTheKeysOfTheLanguage(t *testing.T) {
	for pointer, table := range map[string]keys{
		"": documentKeys, "/$defs/defaults": defaultsKeys, "/$defs/group": groupKeys, "/$defs/tool": toolKeys, "/$defs/argument": argumentKeys,
		"/$defs/field": fieldKeys, "/$defs/rule": conditionKeys, "/$defs/limit": limitKeys, "/$defs/endpoint": endpointKeys, "/$defs/http": httpKeys,
		"/$defs/key_on": onKeys, "/$defs/key_near": nearKeys, "/$defs/key_approvals": approvalKeys, "/$defs/key_annotations": annotationKeys,
		"/$defs/key_upstream": upstreamKeys, "/$defs/key_occurrence/anyOf/1": occurrenceKeys,
	} {
		object := languageObject(t, pointer)
		properties, _ := object["properties"].(map[string]any)
		var names []string
		for name := range properties {
			names = append(names, name)
			if at := pointer + "/properties/" + name; languageObject(t, at)["description"] == nil {
				t.Errorf("%s has no description", at)
			}
		}
		want := slices.Clone(table.now)
		slices.Sort(names)
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("%s: the schema has %q, the language %q", pointer, names, want)
		}
		if object["additionalProperties"] != false {
			t.Errorf("%s allows other keys", pointer)
		}
	}
}

// The schema has the words that the reader knows.
func TestLanguageSchemaHasTheWordsOfTheLanguage(t *testing.T) {
	kinds, _ := fingerprint.KindNames()
	words := map[string][]string{
		"/$defs/key_mode": modes, "/$defs/defaults/properties/unknown_tools": unknownChoices, "/$defs/http/properties/method": methods,
		"/$defs/http/properties/network": networks, "/$defs/endpoint/properties/network": networks, "/$defs/kind/anyOf/0": kinds,
		"/$defs/limit/properties/by/items/anyOf/0": limitParts, "/$defs/key_scope/items/anyOf/0": {ScopeRun, ScopeAgent, ScopeSubject, ScopeTenant},
		"/$defs/key_kind": {string(Write), string(Read)}, "/$defs/key_share": {string(ShareSubject), string(ShareTenant)},
		"/$defs/key_keys": {string(KeysHint), string(KeysTrusted)}, "/$defs/endpoint/properties/kind": {string(StandardWebhooks), string(Slack)},
		"/$defs/rule/properties/then": {string(ActAllow), string(ActHold), string(ActDeny)}, "/$defs/limit/properties/then": {string(ActHold), string(ActDeny)},
		"/$defs/field/properties/role": {"identity", "material", "commentary", "volatile"},
	}
	for _, row := range onTable {
		for _, choice := range row.choices {
			pointer := "/$defs/key_on/properties/" + row.key
			words[pointer] = append(words[pointer], string(choice))
		}
	}
	for pointer, want := range words {
		if got := textList(languageObject(t, pointer)["enum"]); !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, the language %q", pointer, got, want)
		}
	}
}

func TestLanguageSchemaTakesWorkingPolicies(t *testing.T) {
	compiled := languageValidator(t)
	texts := map[string]string{"benchmark": tools(2, 0)}
	for _, path := range globTestdata(t, "working_*") {
		texts[path] = readText(t, path)
	}
	for name, text := range texts {
		if err := compiled.Validate(decodedYAML(t, text)); err != nil {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

// Most of what an editor can see of a defect it sees by the schema. The number only grows.
func TestLanguageSchemaSeesDefects(t *testing.T) {
	compiled := languageValidator(t)
	seen := 0
	for _, path := range globTestdata(t, "broken/*") {
		r, body := parseYAML(&file{name: path, text: []byte(readText(t, path))})
		if body == nil || len(r.problems) > 0 {
			continue
		}
		if compiled.Validate(decode(t, r.json(body, "a policy"))) != nil {
			seen++
		}
	}
	if seen < 115 {
		t.Errorf("the schema sees %d of the broken policies", seen)
	}
}

func languageValidator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	if err := c.AddResource(schemaURL, bytes.NewReader(LanguageSchema())); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func decodedYAML(t *testing.T, text string) any {
	t.Helper()
	r, body := parseYAML(&file{name: "p.yaml", text: []byte(text)})
	if body == nil {
		t.Fatal(r.problems)
	}
	return decode(t, r.json(body, "a policy"))
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
