package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// document is the contract, made strict: an answer with a field that it does not list breaks it.
type document struct {
	doc    *openapi3.T
	router routers.Router
}

var loadContract = sync.OnceValues(func() (*document, error) {
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/schema+json", openapi3filter.JSONBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.FileBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation()); err != nil {
		return nil, err
	}
	for _, s := range doc.Components.Schemas {
		tighten(s)
	}
	router, err := legacy.NewRouter(doc, openapi3.EnableExamplesValidation())
	return &document{doc: doc, router: router}, err
})

// tighten forbids fields that a schema does not name, so that the tests notice what the contract forgot. The contract itself
// leaves room for later versions.
func tighten(r *openapi3.SchemaRef) {
	if r == nil || r.Value == nil {
		return
	}
	s := r.Value
	if len(s.Properties) > 0 {
		s.AdditionalProperties = openapi3.BoolSchema{Has: new(false)}
	}
	if r.Ref != "" {
		return // a component is tightened by itself
	}
	for _, p := range s.Properties {
		tighten(p)
	}
	tighten(s.Items)
}

func contractOf(t *testing.T) *document {
	t.Helper()
	d, err := loadContract()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return d
}

// The contract is valid, with all its examples.
func TestContractIsValid(t *testing.T) { contractOf(t) }

// The tests' form of the contract notices a field that it does not list, and one that is missing.
func TestContractIsStrictInTests(t *testing.T) {
	schema := contractOf(t).doc.Components.Schemas["Lease"].Value
	for text, ok := range map[string]bool{
		`{"fence":1,"expires_at":"2026-11-23T09:00:00Z"}`:         true,
		`{"fence":1,"expires_at":"2026-11-23T09:00:00Z","new":1}`: false,
		`{"fence":1}`: false,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.VisitJSON(v); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

var parameter = regexp.MustCompile(`:([a-z]+)`)

// Every route is in the contract, and every path of the contract is a route.
func TestContractAndRoutesAgree(t *testing.T) {
	a, err := New(Config{Guard: &fake{}, Policies: rules{set: policy.Empty()}, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	a.Register(e)
	routes, paths := map[string]bool{}, map[string]bool{}
	for _, r := range e.Routes() {
		routes[r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}")] = true
	}
	for path, item := range contractOf(t).doc.Paths.Map() {
		for method := range item.Operations() {
			paths[method+" "+path] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(routes)), slices.Sorted(maps.Keys(paths)); !slices.Equal(got, want) {
		t.Errorf("routes:\n%s\ncontract:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	codesOfStatus = regexp.MustCompile("((?:`[a-z_]+`,? )+)\\(([0-9]{3})\\)")
	quotedCode    = regexp.MustCompile("`([a-z_]+)`")
)

// Every error code has the status that the contract's list gives it, and 503 says when to come back.
func TestContractListsEveryCode(t *testing.T) {
	listed := map[string]string{}
	text := strings.Join(strings.Fields(*contractOf(t).doc.Components.Responses["Problem"].Value.Description), " ")
	for _, m := range codesOfStatus.FindAllStringSubmatch(text, -1) {
		for _, c := range quotedCode.FindAllStringSubmatch(m[1], -1) {
			listed[c[1]] = m[2]
		}
	}
	for code := range statuses {
		p := guardProblem(&guard.Error{Code: code})
		if got := strconv.Itoa(p.Status); got != listed[string(code)] || p.Code != string(code) {
			t.Errorf("%s becomes %s %s, the contract says %q", code, got, p.Code, listed[string(code)])
		}
		if retry := p.RetryAfterMS > 0; retry != (p.Status == http.StatusServiceUnavailable) {
			t.Errorf("%s: retry_after_ms is %d", code, p.RetryAfterMS)
		}
	}
	for _, code := range []string{"unauthorized", "cross_origin", "method", "timeout", "too_large", "media_type", "host", "pending", "key_conflict"} {
		if listed[code] == "" {
			t.Errorf("the contract does not list the code %s", code)
		}
	}
}

// Every state of an effect is in the contract, and no other.
func TestContractListsEveryState(t *testing.T) {
	var want []string
	for _, s := range guard.States {
		want = append(want, string(s))
	}
	var got []string
	for _, v := range contractOf(t).doc.Components.Schemas["State"].Value.Enum {
		got = append(got, fmt.Sprint(v))
	}
	if !slices.Equal(got, want) {
		t.Errorf("contract %v, guard %v", got, want)
	}
}

// A key is needed exactly where the contract says so.
func TestContractSaysWhereAKeyIsNeeded(t *testing.T) {
	h := newHouse(t)
	for path, item := range contractOf(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			open := op.Security != nil && len(*op.Security) == 0
			resp, text := h.send(method, strings.ReplaceAll(path, "{id}", "ef_1"), "", "")
			if got := resp.StatusCode != http.StatusUnauthorized; got != open {
				t.Errorf("%s %s without a key: %d, the contract says open=%t\n%s", method, path, resp.StatusCode, open, text)
			}
			if !open && !strings.HasPrefix(resp.Header.Get("Www-Authenticate"), "Bearer ") {
				t.Errorf("%s %s: 401 without WWW-Authenticate", method, path)
			}
		}
	}
}
