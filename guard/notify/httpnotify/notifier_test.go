package httpnotify

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// endpoint is one of a policy.
func endpoint(t *testing.T, kind policy.EndpointKind, address string, private bool) *policy.Endpoint {
	t.Helper()
	network, sign := "public", ""
	if private {
		network = "private"
	}
	if kind == policy.StandardWebhooks {
		sign = ", secret: " + secret
	}
	set, err := policy.Parse("p.yaml", fmt.Appendf(nil, "version: 1\nnotify: {e: {kind: %s, url: %q, network: %s%s}}\n", kind, address, network, sign))
	if err != nil {
		t.Fatal(err)
	}
	return set.Endpoint("e")
}

var notice = guard.Notice{
	ID: "msg_1", At: time.Date(2026, 1, 31, 10, 30, 0, 5000, time.FixedZone("", 3600)), Review: "rv_1", Effect: "ef_1", Tenant: "acme", Tool: "pay.refund",
	State: guard.Held, Code: guard.CodeHeld, Why: "A rule wants it.", Until: time.Date(2026, 2, 3, 9, 30, 0, 0, time.UTC), URL: "https://guard.example/review/rv_1",
	Arguments: []guard.ToldArgument{{Path: "items.*.price", Value: json.RawMessage(`[1.50,2]`)}, {Path: "amount", Value: json.RawMessage(`800`)}},
}

// received is one request.
type received struct {
	header http.Header
	body   []byte
}

// receiver takes messages and answers as it is told.
func receiver(t *testing.T, answer http.HandlerFunc) (address string, requests <-chan received) {
	t.Helper()
	got := make(chan received, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost {
			got <- received{r.Header, body}
		} else {
			t.Errorf("a request came with the method %s", r.Method)
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestWebhook(t *testing.T) {
	address, requests := receiver(t, status(http.StatusNoContent))
	if d := New(Options{}).Deliver(t.Context(), endpoint(t, policy.StandardWebhooks, address, true), notice); !d.Done || d.Detail != "it answered 204" {
		t.Fatalf("%+v", d)
	}
	r := <-requests
	const want = `{"type":"review.opened","timestamp":"2026-01-31T09:30:00.000005Z","data":{"review":"rv_1","effect":"ef_1","tenant":"acme","tool":"pay.refund",` +
		`"state":"held","code":"held","why":"A rule wants it.","expires_at":"2026-02-03T09:30:00Z","review_url":"https://guard.example/review/rv_1",` +
		`"arguments":{"amount":800,"items.*.price":[1.50,2]}}}`
	if string(r.body) != want {
		t.Errorf("got  %s\nwant %s", r.body, want)
	}
	key, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(r.body, r.header); err != nil {
		t.Errorf("the signature does not verify: %v", err)
	}
	if err := key.Verify(append(r.body, ' '), r.header); err == nil {
		t.Error("a signature verifies for another body")
	}
	if r.header.Get("Webhook-Id") != "msg_1" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", r.header)
	}
	// The example of the specification's reference, recomputed with other tools.
	other := http.Header{}
	if err := sign(other, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); err != nil ||
		other.Get("Webhook-Signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signed %v, %v", other, err)
	}
}

func TestWebhookLeavesOutWhatIsNotKnown(t *testing.T) {
	bare := notice
	bare.Until, bare.URL, bare.Arguments = time.Time{}, "", nil
	body, err := webhookBody(bare)
	if err != nil || strings.Contains(string(body), "expires_at") || strings.Contains(string(body), "review_url") || strings.Contains(string(body), "arguments") {
		t.Errorf("%s, %v", body, err)
	}
}

func TestSlackShowsAgentsWordsAsCode(t *testing.T) {
	hostile := notice
	hostile.Tool = "a<!channel>`\n*x* <@U1> http://evil.example \u202e&amp;"
	hostile.Arguments = []guard.ToldArgument{{Path: "to", Value: json.RawMessage(`"@here <https://evil.example|click>` + strings.Repeat("z", 1000) + `"`)}}
	hostile.Why = "Orders > 500 & <such> need a person."
	address, requests := receiver(t, status(http.StatusOK))
	if d := New(Options{}).Deliver(t.Context(), endpoint(t, policy.Slack, address, true), hostile); !d.Done {
		t.Fatalf("%+v", d)
	}
	r := <-requests
	var got slack
	if err := json.Unmarshal(r.body, &got); err != nil || r.header.Get("Webhook-Signature") != "" {
		t.Fatalf("%v, %v", err, r.header)
	}
	want := "*A person is needed* for a call of `a&lt;!channel&gt;' *x* &lt;@U1&gt; http://evil.example  &amp;amp;` (held, tenant `acme`).\n" +
		"Orders &gt; 500 &amp; &lt;such&gt; need a person.\n" +
		"`to`: `" + escape(`"@here <https://evil.example|click>`) + strings.Repeat("z", 465) + "…`\n" +
		"It waits until Tue, 03 Feb 2026 09:30:00 UTC.\n" +
		"<https://guard.example/review/rv_1|Look at the review>"
	if got.Text != want || got.UnfurlLinks || got.UnfurlMedia {
		t.Errorf("got  %q\nwant %q", got.Text, want)
	}
	if n := strings.Count(got.Text, "<"); n != 1 {
		t.Errorf("%d links or mentions, want one", n)
	}
}

func TestAnswers(t *testing.T) {
	elsewhere, followed := receiver(t, status(http.StatusOK))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   guard.Delivery
	}{
		"200": {status(200), guard.Delivery{Done: true, Detail: "it answered 200"}},
		"299": {status(299), guard.Delivery{Done: true, Detail: "it answered 299"}},
		"400": {status(400), guard.Delivery{Detail: "it answered 400"}},
		"410": {status(410), guard.Delivery{Gone: true, Detail: "it answered 410"}},
		"500": {status(500), guard.Delivery{Detail: "it answered 500"}},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		},
			guard.Delivery{Detail: "it answered 307, a redirect, which is not followed: name the new address in the policy"}},
		"later": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, guard.Delivery{Detail: "it answered 503", After: 2 * time.Minute}},
		"a huge body": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil { // without end: who reads it never returns
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, guard.Delivery{Done: true, Detail: "it answered 200"}},
		"a huge head": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 100<<10)) },
			guard.Delivery{Detail: "the connection to it broke before an answer, or the answer could not be read"}},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			guard.Delivery{Detail: "the connection to it broke before an answer, or the answer could not be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			address, requests := receiver(t, c.answer)
			if d := New(Options{}).Deliver(t.Context(), endpoint(t, policy.StandardWebhooks, address, true), notice); d != c.want {
				t.Errorf("got %+v, want %+v", d, c.want)
			}
			if n := len(requests); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
	if len(followed) != 0 {
		t.Error("a redirect was followed")
	}
}

func TestASlowReceiverIsNotWaitedFor(t *testing.T) {
	address, requests := receiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-requests; cancel() }()
	if d := New(Options{}).Deliver(ctx, endpoint(t, policy.StandardWebhooks, address, true), notice); d.Done || d.Detail != "there was no answer in time" {
		t.Errorf("%+v", d)
	}
}

func TestWhereAMessageMayGo(t *testing.T) {
	address, requests := receiver(t, status(http.StatusOK))
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://proxy.invalid:1")
	named := New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("no name server")
	}}})
	for _, c := range []struct {
		n       *Notifier
		address string
		private bool
		detail  string
	}{
		{New(Options{}), address, true, "it answered 200"},
		{New(Options{}), "http://100.64.0.1:" + u.Port(), false, "its address is private, and the endpoint does not say network: private"},
		{New(Options{}), "http://[::ffff:169.254.169.254]/latest", true, "its address is one that no policy may reach"},
		{New(Options{}), "http://0.0.0.0:" + u.Port(), true, "its address is one that no policy may reach"},
		{named, "http://hooks.example/", true, "its host name could not be resolved"},
	} {
		if d := c.n.Deliver(t.Context(), endpoint(t, policy.Slack, c.address, c.private), notice); d.Detail != c.detail {
			t.Errorf("%s: %+v, want %q", c.address, d, c.detail)
		}
	}
	if n := len(requests); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	s := httptest.NewUnstartedServer(status(http.StatusOK))
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	s.StartTLS()
	defer s.Close()
	to := endpoint(t, policy.StandardWebhooks, s.URL, true)
	if d := New(Options{}).Deliver(t.Context(), to, notice); d.Done || d.Detail != "its certificate could not be verified" {
		t.Errorf("%+v", d)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if d := New(Options{Roots: roots}).Deliver(t.Context(), to, notice); !d.Done {
		t.Errorf("%+v", d)
	}
}

// The address of a Slack webhook is its secret.
func TestDetailsHoldNoAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, target := range []string{"http://" + address + "/T0K3N", "http://127.0.0.1:1/T0K3N", "http://nobody.invalid/T0K3N"} {
		d := New(Options{}).Deliver(t.Context(), endpoint(t, policy.Slack, target, true), notice)
		if d.Done || d.Detail == "" || strings.Contains(d.Detail, "T0K3N") || strings.Contains(d.Detail, "127.0.0.1") || strings.Contains(d.Detail, "invalid") {
			t.Errorf("%s: %+v", target, d)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "5": 5 * time.Second, "-5": 0, "soon": 0, "99999999999": 0, "Wed, 21 Oct 2015 07:28:00 GMT": 0} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}
