package policy

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func logged(v any) string {
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("test", "value", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("test", "value", v)
	return b.String()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRender(t *testing.T) {
	const orders = `url: "https://pay.internal/v1/orders/{id}/refund?note={note}&exact={n}"`
	for name, c := range map[string]struct {
		http, args, key string
		url, body, fail string
	}{
		"plain":            {http: `url: "https://a.example/x"`, args: `{ "b": 1.50, "a":2 }`, url: "https://a.example/x", body: `{ "b": 1.50, "a":2 }`},
		"variables":        {http: orders, args: `{"id":"o-1","note":"ok","n":1.50}`, url: "https://pay.internal/v1/orders/o-1/refund?note=ok&exact=1.50", body: `{"id":"o-1","note":"ok","n":1.50}`},
		"encoded":          {http: orders, args: `{"id":"a/b?c#d e","note":"x&y=z+1%","n":true}`, url: "https://pay.internal/v1/orders/a%2Fb%3Fc%23d%20e/refund?note=x%26y%3Dz%2B1%25&exact=true"},
		"line breaks":      {http: orders, args: `{"id":"a\r\nHost: evil","note":"é","n":0}`, url: "https://pay.internal/v1/orders/a%0D%0AHost%3A%20evil/refund?note=%C3%A9&exact=0"},
		"empty in query":   {http: orders, args: `{"id":"a","note":"","n":0}`, url: "https://pay.internal/v1/orders/a/refund?note=&exact=0"},
		"empty in path":    {http: orders, args: `{"id":"","note":"","n":0}`, fail: `"id" is empty`},
		"dots":             {http: orders, args: `{"id":"..","note":"","n":0}`, fail: "segment"},
		"one dot":          {http: orders, args: `{"id":".","note":"","n":0}`, fail: "segment"},
		"climbing":         {http: orders, args: `{"id":"../../admin","note":"","n":0}`, fail: "segment"},
		"climbing back":    {http: orders, args: `{"id":"..\\..\\admin","note":"","n":0}`, fail: "segment"},
		"climbing twice":   {http: orders, args: `{"id":"%2e%2e","note":"","n":0}`, fail: "segment"},
		"dots in query":    {http: orders, args: `{"id":"a","note":"../..","n":0}`, url: "https://pay.internal/v1/orders/a/refund?note=..%2F..&exact=0"},
		"dotted name":      {http: orders, args: `{"id":"a..b","note":"","n":0}`, url: "https://pay.internal/v1/orders/a..b/refund?note=&exact=0"},
		"missing":          {http: orders, args: `{"id":"a"}`, fail: `"note" is missing`},
		"null":             {http: orders, args: `{"id":null,"note":"","n":0}`, fail: "cannot be part"},
		"list":             {http: orders, args: `{"id":["a"],"note":"","n":0}`, fail: "cannot be part"},
		"no object":        {http: orders, args: `["a"]`, fail: "no JSON object"},
		"too long":         {http: orders, args: `{"id":"` + strings.Repeat("a", 9000) + `","note":"","n":0}`, fail: "more than"},
		"selected":         {http: `{url: "https://a.example/x", body: [b, "a\"", c]}`, args: `{"a\"": [1, 2 ], "x": 1, "b": 1.50}`, url: "https://a.example/x", body: `{"b":1.50,"a\"":[1, 2 ]}`},
		"none selected":    {http: `{url: "https://a.example/x", body: []}`, args: `{"a":1}`, url: "https://a.example/x"},
		"select no object": {http: `{url: "https://a.example/x", body: [a]}`, args: `[1]`, fail: "no JSON object"},
		"get":              {http: `{url: "https://a.example/x?a={a}", method: GET}`, args: `{"a":1}`, url: "https://a.example/x?a=1"},
		"key":              {http: `{url: "https://a.example/x", idempotency_header: K}`, args: `{}`, key: "k-1", url: "https://a.example/x", body: `{}`},
		"bad key":          {http: `{url: "https://a.example/x", idempotency_header: K}`, args: `{}`, key: "k\r\nX: 1", fail: "idempotency key"},
	} {
		t.Run(name, func(t *testing.T) {
			http := strings.TrimSuffix(strings.TrimPrefix(c.http, "{"), "}")
			if !strings.HasPrefix(c.http, "{") {
				http = c.http
			}
			rule := oneTool(t, "upstream: {http: {"+http+"}}")
			r, err := rule.Upstream.HTTP.Render(arguments(t, c.args), c.key)
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Errorf("got %v, want an error with %q", err, c.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.URL != c.url || c.body != "" && string(r.Body) != c.body {
				t.Errorf("got  %s %s\nwant %s %s", r.URL, r.Body, c.url, c.body)
			}
			if hasType := len(r.Header["Content-Type"]) == 1; hasType != (r.Body != nil) {
				t.Errorf("content type %q with body %q", r.Header["Content-Type"], r.Body)
			}
			if c.key != "" && r.Header["K"][0] != c.key {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

func TestNoneSelectedSendsNoBody(t *testing.T) {
	rule := oneTool(t, `upstream: {http: {url: "https://a.example/x", method: DELETE, body: []}}`)
	r, err := rule.Upstream.HTTP.Render(arguments(t, `{"a":1}`), "")
	if err != nil || r.Body != nil || r.Method != "DELETE" {
		t.Errorf("got %v %q, %v", r, r.Body, err)
	}
}

func TestEnvironmentInTheURL(t *testing.T) {
	t.Setenv("POLICY_TEST_HOST", "pay.example:8443")
	rule := oneTool(t, `upstream: {http: {url: "https://${env:POLICY_TEST_HOST}/x/{a}"}}`)
	r, err := rule.Upstream.HTTP.Render(arguments(t, `{"a":1}`), "")
	if err != nil || r.URL != "https://pay.example:8443/x/1" {
		t.Errorf("got %q, %v", r.URL, err)
	}
}

func TestHostIsNeverTemplated(t *testing.T) {
	for _, url := range []string{
		"https://{h}/x", "https://a.{h}/x", "https://a.example{h}/x", "https://a.example:{p}/x", "{s}://a.example/x", "https:{x}/a.example", "https://{u}@a.example/x",
		"https://a.example{q}", "//a.example/{x}", "/{x}", "{x}",
	} {
		if _, err := newTemplate(url); err == nil {
			t.Errorf("%s was accepted", url)
		}
	}
}

// TestReuse: connections are kept only where a policy says so, which is a part of its digest.
func TestReuse(t *testing.T) {
	const plain = `url: "https://a.example/x"`
	fresh, kept := oneTool(t, "upstream: {http: {"+plain+"}}"), oneTool(t, "upstream: {http: {"+plain+", reuse: 20s}}")
	if fresh.Upstream.HTTP.Reuse != 0 || kept.Upstream.HTTP.Reuse != 20*time.Second || fresh.Digest == kept.Digest {
		t.Errorf("kept for %v and %v, digests %s and %s", fresh.Upstream.HTTP.Reuse, kept.Upstream.HTTP.Reuse, fresh.Digest, kept.Digest)
	}
	_, err := Parse("p.yaml", []byte("version: 1\ntools: [{name: t, upstream: {http: {"+plain+", reuse: 1h}}}]"))
	if err == nil || !strings.Contains(err.Error(), "reuse") {
		t.Errorf("an hour gave %v", err)
	}
}
