package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// house is an API over real HTTP, with a guard that can be scripted. Every exchange is held against the contract.
type house struct {
	t     *testing.T
	guard *fake
	keys  *keyring
	log   *bytes.Buffer
	srv   *httptest.Server
	http  *http.Client
	agent string // a key
	rev   string
	admin string
}

func newHouse(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	h := &house{t: t, guard: &fake{}, keys: newKeyring(), log: &bytes.Buffer{}}
	h.agent, _ = h.keys.add(guard.Principal{Tenant: "acme", Subject: "bot", Role: guard.RoleAgent})
	h.rev, _ = h.keys.add(guard.Principal{Tenant: "acme", Subject: "rita", Role: guard.RoleReviewer})
	h.admin, _ = h.keys.add(guard.Principal{Tenant: "acme", Subject: "ada", Role: guard.RoleAdmin})
	c := Config{
		Guard: h.guard, Policies: rules{set: policy.Empty()}, Credentials: h.keys, Metrics: NewMetrics("v-test"),
		Log: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	a.Register(e)
	h.srv = httptest.NewUnstartedServer(e)
	h.srv.Config = Server("", e)
	h.srv.Start()
	t.Cleanup(h.srv.Close)
	h.http = &http.Client{Transport: contractTransport{t: t, next: h.srv.Client().Transport}}
	return h
}

func (h *house) client(key string) *client.Client { return client.New(h.srv.URL, key, h.http) }

// send makes one request and returns the answer with its body.
func (h *house) send(method, path, key, body string, header ...string) (*http.Response, []byte) {
	h.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.srv.URL+path, r)
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header[header[i]] = append(req.Header[header[i]], header[i+1])
		if header[i] == "Content-Type" {
			req.Header[header[i]] = []string{header[i+1]}
		}
	}
	resp, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, text
}

// problem is send for a request that must be refused with a status and a code.
func (h *house) problem(status int, code string, method, path, key, body string, header ...string) client.Problem {
	h.t.Helper()
	resp, text := h.send(method, path, key, body, header...)
	var p client.Problem
	if err := json.Unmarshal(text, &p); err != nil {
		h.t.Fatalf("%s %s: %v in %q", method, path, err, text)
	}
	if resp.StatusCode != status || p.Status != status || p.Code != code {
		h.t.Errorf("%s %s: got %d %s, want %d %s: %s", method, path, resp.StatusCode, p.Code, status, code, text)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		h.t.Errorf("%s %s: a problem has the type %q", method, path, got)
	}
	if p.Instance == "" || p.Instance != resp.Header.Get("X-Request-Id") {
		h.t.Errorf("%s %s: instance %q is not the id of the request %q", method, path, p.Instance, resp.Header.Get("X-Request-Id"))
	}
	return p
}

// contractTransport holds every answer against openapi.yaml, and every request that was accepted.
type contractTransport struct {
	t    *testing.T
	next http.RoundTripper
}

func (c contractTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil && req.ContentLength <= MaxBody {
		sent, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if err != nil {
		return nil, err
	}
	c.check(req, sent, resp, got)
	return resp, nil
}

func (c contractTransport) check(req *http.Request, sent []byte, resp *http.Response, got []byte) {
	c.t.Helper()
	doc := contractOf(c.t)
	copied := req.Clone(context.Background())
	copied.URL.Host, copied.URL.Scheme, copied.Host = "127.0.0.1:7411", "http", "127.0.0.1:7411"
	copied.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := doc.router.FindRoute(copied)
	if err != nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusMisdirectedRequest {
			c.t.Errorf("%s %s answers %d and is not in the contract: %v", req.Method, req.URL.Path, resp.StatusCode, err)
		}
		return
	}
	in := &openapi3filter.RequestValidationInput{Request: copied, PathParams: params, Route: route, Options: strictOptions()}
	if resp.StatusCode < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			c.t.Errorf("%s %s was accepted against the contract: %v\n%s", req.Method, req.URL, err, sent)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Options: strictOptions()}
	out.SetBodyBytes(got)
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		c.t.Errorf("the answer %d to %s %s breaks the contract: %v\n%s", resp.StatusCode, req.Method, req.URL, err, got)
	}
}

func strictOptions() *openapi3filter.Options {
	return &openapi3filter.Options{IncludeResponseStatus: true, SkipSettingDefaults: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
}
