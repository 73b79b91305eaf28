package httpforward

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/egress"
	"github.com/onceguard/onceguard/guard/forward/forwardtest"
)

// TestLog: the log names effect, tool and code, and nothing that came with the call or its answer.
func TestLog(t *testing.T) {
	var text bytes.Buffer
	f := forwarder(t, Options{Log: slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	u := forwardtest.NewUpstream(t, nil)
	u.Script(forwardtest.OK, forwardtest.CommitThenDrop, forwardtest.CommitThenCut,
		forwardtest.Behaviour{Status: 422, Body: "c4n4ry"})
	a := post(u.URL + "/c4n4ry?q=c4n4ry")
	a.Effect, a.Tool = "effect-1", "payments.refund"
	a.Header["Authorization"] = []string{"Bearer c4n4ry"}
	a.Body = []byte(`"c4n4ry"`)
	for _, want := range []guard.Code{guard.CodeUpstreamDone, guard.CodeUpstreamLost, guard.CodeUpstreamGarbled, guard.CodeUpstreamRefused} {
		if out := f.Send(t.Context(), a); out.Code != want {
			t.Errorf("outcome is %+v, want %s", out, want)
		}
	}
	for _, url := range []string{"http://127.0.0.1:1/c4n4ry", "http://user:c4n4ry@127.0.0.1/", "http://c4n4ry c4n4ry/"} {
		a.URL = url
		f.Send(t.Context(), a)
	}
	if n := strings.Count(text.String(), "effect-1"); n < 7 {
		t.Errorf("%d lines name the effect, want one for each of 7 attempts:\n%s", n, &text)
	}
	if strings.Contains(text.String(), "c4n4ry") {
		t.Errorf("the log tells what it must not:\n%s", &text)
	}
}

// TestUpstreamAgrees: what the outcome claims is what an upstream that counts has done.
func TestUpstreamAgrees(t *testing.T) {
	u := forwardtest.NewUpstream(t, nil)
	f := forwarder(t, Options{MaxBody: 1000})
	a := post(u.URL)
	for _, c := range []struct {
		does forwardtest.Behaviour
		code guard.Code
	}{
		{forwardtest.OK, guard.CodeUpstreamDone},
		{forwardtest.CommitThenDrop, guard.CodeUpstreamLost},
		{forwardtest.DropBeforeCommit, guard.CodeUpstreamLost},
		{forwardtest.CommitThenCut, guard.CodeUpstreamGarbled},
		{forwardtest.Oversize(1001), guard.CodeUpstreamOversize},
		{forwardtest.Oversize(1000), guard.CodeUpstreamDone},
		{forwardtest.Status(503), guard.CodeUpstreamStatus},
		{forwardtest.Status(409), guard.CodeUpstreamRefused},
	} {
		before := u.Applied("")
		u.Script(c.does)
		out := f.Send(t.Context(), a)
		applied := u.Applied("") > before
		if out.Code != c.code {
			t.Errorf("%+v: outcome is %+v, want %s", c.does, out, c.code)
		}
		if out.State == guard.Done && !applied || out.State == guard.Failed && applied {
			t.Errorf("%+v: the outcome is %s, and applied is %v", c.does, out.State, applied)
		}
	}
	if got := u.Received(""); got != 8 {
		t.Errorf("%d requests for 8 attempts", got)
	}
}

// TestHead: an answer to HEAD has no body, whatever its length says.
func TestHead(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		url, config := upstreamTLS(t, h2, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999999")
			w.Header().Set("Content-Type", "application/json")
		})
		a := post(url)
		a.Method, a.Body = "HEAD", nil
		if out := forwarder(t, Options{TLS: config}).Send(t.Context(), a); out.State != guard.Done {
			t.Errorf("HTTP/2 %v: %+v", h2, out)
		}
	}
}

// TestEnvironment: HTTP_PROXY and its relatives have no say.
func TestEnvironment(t *testing.T) {
	if f := New(Options{}); f.transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

// TestNotConnected: each cause has its own sentence.
func TestNotConnected(t *testing.T) {
	details := make(map[string]bool)
	for _, err := range []error{
		egress.Refused{}, egress.Refused{NeedsPrivate: true}, &net.DNSError{IsNotFound: true}, &net.DNSError{IsTimeout: true}, errors.New("x"),
	} {
		out := notConnected(t.Context(), false, &net.OpError{Op: "dial", Err: err})
		if out.State != guard.Failed || out.Sent || details[out.Detail] {
			t.Errorf("%v: %+v", err, out)
		}
		details[out.Detail] = true
	}
}
