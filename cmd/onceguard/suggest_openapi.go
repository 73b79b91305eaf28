package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/onceguard/onceguard/policy"
)

// operations reads the operations of an OpenAPI 3 document, JSON or YAML. Nothing that it refers to is fetched.
func operations(text []byte) ([]describedTool, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("it is not an OpenAPI 3 document that can be read: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") || doc.Paths.Len() == 0 {
		return nil, errors.New("it is not an OpenAPI 3 document with paths")
	}
	var tools []describedTool
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			t, err := describeOperation(doc, item, method, path)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			tools = append(tools, t)
		}
	}
	return tools, nil
}

func describeOperation(doc *openapi3.T, item *openapi3.PathItem, method, path string) (describedTool, error) {
	op := item.Operations()[method]
	schema, headers, err := operationSchema(doc, item, op)
	if err != nil {
		return describedTool{}, err
	}
	t := describedTool{Tool: policy.Tool{Name: op.OperationID, Description: op.Summary, Schema: schema, Method: method}}
	if t.Description == "" {
		t.Description = op.Description
	}
	if t.Name == "" {
		t.Name = strings.ToLower(method) + "_" + strings.Trim(strings.Join(strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("/{}.", r) }), "_"), "_")
	}
	if len(doc.Servers) > 0 && strings.HasPrefix(doc.Servers[0].URL, "https://") && !strings.Contains(doc.Servers[0].URL, "{") {
		url := strings.TrimSuffix(doc.Servers[0].URL, "/") + path
		t.remarks = append(t.remarks, fmt.Sprintf("To let the guard send it: upstream: {http: {url: %q, method: %s}}", url, method))
	}
	for _, h := range headers {
		if strings.Contains(strings.ToLower(h), "idempoten") && method != http.MethodGet {
			t.remarks = append(t.remarks, fmt.Sprintf("It takes an idempotency key: idempotency_header: %s", h))
		}
	}
	return t, nil
}

// operationSchema makes one schema of what an operation takes: the parameters of its path and query and the members of its
// body, be it JSON or a form, as a tool for it has them. headers are the names of the headers that it takes.
func operationSchema(doc *openapi3.T, item *openapi3.PathItem, op *openapi3.Operation) (schema json.RawMessage, headers []string, err error) {
	properties := map[string]any{}
	for _, list := range []openapi3.Parameters{item.Parameters, op.Parameters} {
		for _, ref := range list {
			p := ref.Value
			if p == nil {
				continue
			}
			if p.In == openapi3.ParameterInHeader {
				headers = append(headers, p.Name)
			}
			if p.In != openapi3.ParameterInPath && p.In != openapi3.ParameterInQuery || p.Schema == nil {
				continue
			}
			if properties[p.Name], err = described(p.Schema, p.Description); err != nil {
				return nil, nil, err
			}
		}
	}
	if op.RequestBody != nil && op.RequestBody.Value != nil {
		for _, form := range []string{"application/json", "application/merge-patch+json", "application/x-www-form-urlencoded", "multipart/form-data"} {
			media := op.RequestBody.Value.Content.Get(form)
			if media == nil || media.Schema == nil || media.Schema.Value == nil {
				continue
			}
			if err := addMembers(properties, media.Schema.Value, 0); err != nil {
				return nil, nil, err
			}
			break
		}
	}
	root := map[string]any{"type": "object", "properties": properties}
	text, err := json.Marshal(root)
	if err != nil {
		return nil, nil, err
	}
	if strings.Contains(string(text), `"$ref"`) && doc.Components != nil {
		root["components"] = map[string]any{"schemas": doc.Components.Schemas}
		text, err = json.Marshal(root)
	}
	return text, headers, err
}

// addMembers adds the members of a body, those of the schemas of which it is made included.
func addMembers(properties map[string]any, body *openapi3.Schema, depth int) error {
	const deepest = 8
	for _, part := range body.AllOf {
		if part.Value != nil && depth < deepest {
			if err := addMembers(properties, part.Value, depth+1); err != nil {
				return err
			}
		}
	}
	for name, ref := range body.Properties {
		if ref.Value == nil || ref.Value.ReadOnly {
			continue
		}
		if _, parameter := properties[name]; parameter {
			continue
		}
		var err error
		if properties[name], err = described(ref, ""); err != nil {
			return err
		}
	}
	return nil
}

// described is a schema as decoded JSON, with a description where it has none of its own.
func described(ref *openapi3.SchemaRef, description string) (map[string]any, error) {
	text, err := json.Marshal(ref)
	if err != nil {
		return nil, err
	}
	var schema map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&schema); err != nil || schema == nil {
		return map[string]any{}, nil // true and false are schemas, too
	}
	if _, own := schema["description"]; !own && description != "" {
		schema["description"] = description
	}
	return schema, nil
}
