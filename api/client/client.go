package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 64 << 20

// Client speaks to one guard.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New makes a client for the server at base, such as "http://127.0.0.1:7411". key is an API key; "" sends none, which
// only a server started with --dev accepts. A nil h means a client of its own that follows no redirects, so that a
// key never travels to another place.
func New(base, key string, h *http.Client) *Client {
	if h == nil {
		h = &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Client{base: strings.TrimRight(base, "/"), key: key, http: h}
}

// Call asks for a decision. The error is nil for every decision, also for those that block.
func (c *Client) Call(ctx context.Context, call Call) (Answer, error) {
	var a Answer
	h := http.Header{}
	if call.Wait != 0 {
		h.Set("Prefer", "wait="+strconv.Itoa(int(max(0, call.Wait)/time.Second)))
	}
	got, err := c.send(ctx, http.MethodPost, "/v1/calls", h, call, &a)
	a.Replayed = got.Get("Idempotent-Replayed") == "true"
	return a, err
}

// Outcome reports what came of a call that the caller ran. To repeat a report is safe.
func (c *Client) Outcome(ctx context.Context, effect string, o Outcome) (e Effect, err error) {
	_, err = c.send(ctx, http.MethodPost, effectPath(effect, "/outcome"), nil, o, &e)
	return e, err
}

// Heartbeat renews the lease of a call that the caller runs.
func (c *Client) Heartbeat(ctx context.Context, effect string, fence int64) (l Lease, err error) {
	_, err = c.send(ctx, http.MethodPost, effectPath(effect, "/heartbeat"), nil, Heartbeat{Fence: fence}, &l)
	return l, err
}

// Effects lists effects, newest first.
func (c *Client) Effects(ctx context.Context, f Filter) (p Page, err error) {
	q := url.Values{}
	for name, value := range map[string]string{"tool": f.Tool, "run": f.Run, "agent": f.Agent, "text": f.Text, "before": f.Before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, s := range f.States {
		q.Add("state", s)
	}
	setTime(q, "from", f.From)
	setTime(q, "until", f.Until)
	if f.Review {
		q.Set("review", "true")
	}
	err = c.list(ctx, "/v1/effects", q, f.Limit, &p)
	return p, err
}

// Effect returns one effect with its arguments and result.
func (c *Client) Effect(ctx context.Context, id string) (e Effect, err error) {
	_, err = c.send(ctx, http.MethodGet, effectPath(id, ""), nil, nil, &e)
	return e, err
}

// Events returns the history of an effect.
func (c *Client) Events(ctx context.Context, id string) ([]Event, error) {
	var h History
	_, err := c.send(ctx, http.MethodGet, effectPath(id, "/events"), nil, nil, &h)
	return h.Events, err
}

// Resolve settles an unknown or partial effect, or orders another send. It needs a reviewer's key.
func (c *Client) Resolve(ctx context.Context, effect string, r Resolution) (e Effect, err error) {
	_, err = c.send(ctx, http.MethodPost, effectPath(effect, "/resolve"), nil, r, &e)
	return e, err
}

// Reviews lists the effects that wait for a person. limit is 1 to 50, 0 for the default; before is Queue.Next of the
// page before. It needs a reviewer's key.
func (c *Client) Reviews(ctx context.Context, limit int, before string) (q Queue, err error) {
	v := url.Values{}
	if before != "" {
		v.Set("before", before)
	}
	err = c.list(ctx, "/v1/reviews", v, limit, &q)
	return q, err
}

// Review returns one review. It needs a reviewer's key.
func (c *Client) Review(ctx context.Context, id string) (r Review, err error) {
	_, err = c.send(ctx, http.MethodGet, "/v1/reviews/"+url.PathEscape(id), nil, nil, &r)
	return r, err
}

// Decide approves or rejects a held effect, or says that it is the same as the one for which it was held. It needs the key of a reviewer who is not the requester.
func (c *Client) Decide(ctx context.Context, review string, v Verdict) (e Effect, err error) {
	_, err = c.send(ctx, http.MethodPost, "/v1/reviews/"+url.PathEscape(review)+"/decide", nil, v, &e)
	return e, err
}

// Fingerprint explains a call's fingerprint. It changes nothing.
func (c *Client) Fingerprint(ctx context.Context, q Question) (f Fingerprint, err error) {
	_, err = c.send(ctx, http.MethodPost, "/v1/fingerprint", nil, q, &f)
	return f, err
}

// Policies lists the rules in force. It needs a reviewer's key.
func (c *Client) Policies(ctx context.Context) (p Policies, err error) {
	_, err = c.send(ctx, http.MethodGet, "/v1/policies", nil, nil, &p)
	return p, err
}

// PolicyVersions lists the versions of a policy that the ledger keeps. This and the two calls below need an admin's key, of the tenant
// that runs the installation.
func (c *Client) PolicyVersions(ctx context.Context, tool string) ([]PolicyVersion, error) {
	var p PolicyVersions
	_, err := c.send(ctx, http.MethodGet, policyPath(tool)+"/versions", nil, nil, &p)
	return p.Versions, err
}

// EditPolicy writes a version of a policy into the ledger. To roll back is to write an old text anew.
func (c *Client) EditPolicy(ctx context.Context, tool string, e PolicyEdit) (v PolicyVersion, err error) {
	_, err = c.send(ctx, http.MethodPut, policyPath(tool), nil, e, &v)
	return v, err
}

// DeletePolicy ends a policy in the ledger; onto is the version that stands.
func (c *Client) DeletePolicy(ctx context.Context, tool string, onto int64, reason string) (v PolicyVersion, err error) {
	q := url.Values{"onto": {strconv.FormatInt(onto, 10)}, "reason": {reason}}
	_, err = c.send(ctx, http.MethodDelete, policyPath(tool)+"?"+q.Encode(), nil, nil, &v)
	return v, err
}

func policyPath(tool string) string { return "/v1/policies/" + url.PathEscape(tool) }

// Me tells who the key belongs to.
func (c *Client) Me(ctx context.Context) (m Me, err error) {
	_, err = c.send(ctx, http.MethodGet, "/v1/me", nil, nil, &m)
	return m, err
}

// Ready reports whether the server can decide calls now; if not, the error says why.
func (c *Client) Ready(ctx context.Context) (h Health, err error) {
	_, err = c.send(ctx, http.MethodGet, "/readyz", nil, nil, &h)
	return h, err
}

func effectPath(id, rest string) string { return "/v1/effects/" + url.PathEscape(id) + rest }

func (c *Client) list(ctx context.Context, path string, q url.Values, limit int, into any) error {
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	_, err := c.send(ctx, http.MethodGet, path, nil, nil, into)
	return err
}

// send makes one request and reads its answer. The returned header is never nil.
func (c *Client) send(ctx context.Context, method, path string, h http.Header, body, into any) (http.Header, error) {
	req, err := c.request(ctx, method, path, h, body)
	if err != nil {
		return http.Header{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return http.Header{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return resp.Header, fmt.Errorf("reading the answer of %s %s: %w", method, path, err)
	case len(text) > maxAnswer:
		return resp.Header, fmt.Errorf("the answer of %s %s is larger than %d bytes", method, path, maxAnswer)
	case resp.StatusCode >= 300:
		return resp.Header, problemOf(resp, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return resp.Header, fmt.Errorf("reading the answer of %s %s: %w", method, path, err)
	}
	return resp.Header, nil
}

func (c *Client) request(ctx context.Context, method, path string, h http.Header, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
		content = &text
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if h != nil {
		req.Header = h
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return req, nil
}

// problemOf reads a refusal. A server or proxy that does not speak our form gets one made from its status.
func problemOf(resp *http.Response, text []byte) error {
	p := &Problem{}
	if json.Unmarshal(text, p) != nil || p.Code == "" {
		p = &Problem{Type: "about:blank", Title: http.StatusText(resp.StatusCode), Code: "not_a_guard",
			Detail: "the answer is not in the form of this API: is the address right?"}
	}
	p.Status = resp.StatusCode
	return p
}
