package forwardtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// exactBytes: what the policy says arrives as it is.
func exactBytes(t *testing.T, start func(t *testing.T) Driver) {
	d := start(t)
	p := newPeer(t, accepts)
	last := func() arrival { all := p.arrivals(); return all[len(all)-1] }

	for name, body := range map[string][]byte{
		"JSON as it was written": []byte("{ \"amount\" : 25.00 ,\n\"note\":\"\\u00fc\" }\n"),
		"any bytes":              {0, 1, 0xff, '\r', '\n', '\r', '\n'},
		"a megabyte":             bytes.Repeat([]byte("0123456789abcdef"), 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			a := attempt(p.URL)
			a.Body = body
			want(t, d.send(t, a), guard.CodeUpstreamDone)
			if got := last(); !bytes.Equal(got.body, body) || got.ContentLength != int64(len(body)) || len(got.TransferEncoding) > 0 {
				t.Errorf("%d bytes arrived, framed as %d %q; want %d", len(got.body), got.ContentLength, got.TransferEncoding, len(body))
			}
		})
	}

	t.Run("target and headers", func(t *testing.T) {
		a := attempt(p.URL)
		a.Method = http.MethodPut
		a.URL = p.URL + "/a%2Fb/%C3%BC/./../c;d=1?q=a+b%20c&q=%26#fragment"
		a.Header = map[string][]string{"x-one": {"a", "b"}, "Content-Type": {"text/x"}, "User-Agent": {"x"}, "Cookie": {"a=b; c=\"d\""}}
		want(t, d.send(t, a), guard.CodeUpstreamDone)
		got := last()
		if target := "/a%2Fb/%C3%BC/./../c;d=1?q=a+b%20c&q=%26"; got.RequestURI != target || got.Method != "PUT" {
			t.Errorf("%s %s arrived, want PUT %s", got.Method, got.RequestURI, target)
		}
		for name, values := range a.Header {
			if have := got.Header.Values(name); !slices.Equal(have, values) {
				t.Errorf("header %s is %q, want %q", name, have, values)
			}
		}
		if host := strings.TrimPrefix(p.URL, "http://"); got.Host != host {
			t.Errorf("host is %q, want %q", got.Host, host)
		}
	})

	t.Run("what the policy leaves out", func(t *testing.T) {
		a := attempt(p.URL)
		a.Header = nil
		want(t, d.send(t, a), guard.CodeUpstreamDone)
		got := last()
		if kind, agent := got.Header.Get("Content-Type"), got.UserAgent(); kind != "application/json" || agent != "onceguard" {
			t.Errorf("Content-Type is %q and User-Agent %q", kind, agent)
		}
		if codings := got.Header.Get("Accept-Encoding"); strings.Contains(codings, "gzip") {
			t.Errorf("Accept-Encoding is %q: an answer would not be kept as it was sent", codings)
		}
		a.Body = nil
		want(t, d.send(t, a), guard.CodeUpstreamDone)
		if got := last(); got.Header.Get("Content-Type") != "" || got.ContentLength != 0 {
			t.Errorf("without a body: Content-Type %q, length %d", got.Header.Get("Content-Type"), got.ContentLength)
		}
	})

	t.Run("values that cannot be carried", func(t *testing.T) {
		before := len(p.arrivals())
		for _, h := range []map[string][]string{
			{"X": {"a\r\nY: b"}}, {"X": {"a\x00"}}, {"X": {" a"}}, {"X\r\nY": {"a"}}, {"": {"a"}}, {"X Y": {"a"}}, {":path": {"/"}},
		} {
			a := attempt(p.URL)
			a.Header = h
			want(t, d.send(t, a), guard.CodeNotSent)
		}
		p.saw(t, before)
	})
}

// reservedHeaders: headers of the connection and of the framing are not a policy's. They are refused or left out.
func reservedHeaders(t *testing.T, start func(t *testing.T) Driver) {
	d := start(t)
	for _, name := range []string{
		"Host", "content-length", "Transfer-Encoding", "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer",
		"Upgrade", "Expect", "Proxy-Authorization", "HTTP2-Settings",
	} {
		p := newPeer(t, accepts)
		a := attempt(p.URL)
		a.Header[name] = []string{canary}
		want(t, d.send(t, a), guard.CodeNotSent, guard.CodeUpstreamDone)
		for _, got := range p.arrivals() {
			if got.Host == canary || bytes.Contains(got.raw, []byte(name+": "+canary)) {
				t.Errorf("%s arrived:\n%s", name, got.raw)
			}
		}
	}
}

// keptConnection: whatever becomes of a connection that was used before, an attempt is one request.
func keptConnection(t *testing.T, start func(t *testing.T) Driver) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	kinds := map[string]func(a *guard.Attempt){
		"POST with Idempotency-Key":      func(*guard.Attempt) {},
		"POST":                           func(a *guard.Attempt) { a.Header = nil },
		"POST, no body, Idempotency-Key": func(a *guard.Attempt) { a.Body = nil },
		"PUT":                            func(a *guard.Attempt) { a.Method = http.MethodPut },
		"DELETE":                         func(a *guard.Attempt) { a.Method, a.Body = http.MethodDelete, nil },
		"GET":                            func(a *guard.Attempt) { a.Method, a.Body = http.MethodGet, nil },
	}
	for name, change := range kinds {
		for end, hangUp := range map[string]func(c net.Conn){"closed": func(c net.Conn) { c.Close() }, "reset": reset} {
			t.Run(name+" "+end+" after the second request", func(t *testing.T) {
				p := newPeer(t, func(n int, c net.Conn, _ arrival) bool {
					if n == 2 {
						hangUp(c)
						return false
					}
					io.WriteString(c, ok)
					return true
				})
				d := start(t)
				a := attempt(p.URL)
				change(&a)
				want(t, d.send(t, a), guard.CodeUpstreamDone)
				want(t, d.send(t, a), guard.CodeUpstreamLost)
				p.saw(t, 2)
				want(t, d.send(t, a), guard.CodeUpstreamDone)
				p.saw(t, 3)
			})
		}
		t.Run(name+" closed between attempts", func(t *testing.T) {
			p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
				io.WriteString(c, ok)
				return true
			})
			d := start(t)
			a := attempt(p.URL)
			change(&a)
			for n := range 20 {
				want(t, d.send(t, a), guard.CodeUpstreamDone)
				p.saw(t, n+1)
				p.hangUp() // on this machine the end of the stream is there when the call returns
			}
		})
	}
	t.Run("an answer too many", func(t *testing.T) {
		p := newPeer(t, func(n int, c net.Conn, _ arrival) bool {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%dHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale", n%10)
			return true
		})
		d := start(t)
		for n := 1; n < 10; n++ {
			out := d.send(t, attempt(p.URL))
			want(t, out, guard.CodeUpstreamDone)
			if out.Result == nil || string(out.Result.Body) != fmt.Sprint(n) {
				t.Errorf("attempt %d got the answer %+v", n, out.Result)
			}
		}
	})
}

// callersApart: with many callers at once each gets the answer to its own call, and each call arrives once.
func callersApart(t *testing.T, start func(t *testing.T) Driver) {
	const callers, rounds = 16, 20
	p := newPeer(t, func(n int, c net.Conn, r arrival) bool {
		if n%7 == 0 {
			return false // now and then one is lost
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.body), r.body)
		return true
	})
	d := start(t)
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				a := attempt(p.URL)
				a.Body = fmt.Appendf(nil, "%d/%d", caller, round)
				out := d.Forwarder.Send(t.Context(), a)
				check(t, out)
				want(t, out, guard.CodeUpstreamDone, guard.CodeUpstreamLost)
				if out.State == guard.Done && !bytes.Equal(out.Result.Body, a.Body) {
					t.Errorf("the call %s got the answer to %s", a.Body, out.Result.Body)
				}
			}
		})
	}
	all.Wait()
	seen := make(map[string]int)
	for _, r := range p.arrivals() {
		seen[string(r.body)]++
	}
	for body, n := range seen {
		if n != 1 {
			t.Errorf("the call %s arrived %d times", body, n)
		}
	}
	p.saw(t, callers*rounds)
}
