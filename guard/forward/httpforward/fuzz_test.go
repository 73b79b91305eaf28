package httpforward

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

var success = regexp.MustCompile(`HTTP/1\.\d +2\d\d`)

// FuzzAnswer: no bytes of an upstream make the forwarder panic, or believe in a success that is not among them.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 422 No\r\n\r\n", "HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n", "\x00",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		forward := New(Options{MaxBody: 100, MaxHeader: 4 << 10})
		defer forward.Close()
		connectTo(forward, func(c net.Conn) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			c.Write(text)
		})
		out := forward.Send(t.Context(), post("http://pay.example/"))
		if !out.Sent || out.Code == guard.CodeUpstreamTimeout {
			t.Errorf("outcome is %+v", out)
		}
		if out.State == guard.Done && !success.Match(text) {
			t.Errorf("%q is taken for a success", text)
		}
		if out.Result != nil && (len(out.Result.Body) > 100 || !bytes.Contains(text, out.Result.Body[:min(1, len(out.Result.Body))])) {
			t.Errorf("%q gave the body %q", text, out.Result.Body)
		}
	})
}

// FuzzRequest: whatever a policy says, the request is built or refused in words of ours, and one that is built says
// what the policy said.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "https://pay.example/v1?q=1", "X-A", "b")
	f.Add("GET", "http://[::1%25eth0]:80/", "Host", "x")
	f.Add("", "http://user:pass@x/", "a b", "\r\n")
	f.Fuzz(func(t *testing.T, method, url, name, value string) {
		req, to, refusal := request(guard.Attempt{Method: method, URL: url, Header: map[string][]string{name: {value}}, Body: []byte("{}")})
		if (req == nil) == (refusal == "") {
			t.Fatalf("request %v with refusal %q", req, refusal)
		}
		if req == nil {
			return
		}
		if req.GetBody != nil || to.scheme != req.URL.Scheme || req.Header.Get(name) != value {
			t.Errorf("%s %q with %q: %q became %+v to %+v", method, url, name, value, req, to)
		}
		var sent bytes.Buffer
		if err := req.Write(&sent); err != nil {
			return
		}
		if head, _, _ := strings.Cut(sent.String(), "\r\n\r\n"); strings.Count(strings.ToLower(head), "\r\nhost: ") != 1 || strings.Count(head, "\r\nContent-Length: 2") != 1 {
			t.Errorf("the head is\n%s", head)
		}
	})
}
