package forwardtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// unreadable: an answer that is cut, or is not HTTP, proves nothing, whatever its status.
func unreadable(t *testing.T, start func(t *testing.T) Driver) {
	for name, text := range map[string]string{
		"body shorter than its length":    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
		"refusal shorter than its length": "HTTP/1.1 422 No\r\nContent-Length: 10\r\n\r\n12345",
		"chunk cut":                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
		"last chunk missing":              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
		"chunk size is no number":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n12345\r\n0\r\n\r\n",
		"chunk longer than it says":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234567\r\n0\r\n\r\n",
		"head cut":                        "HTTP/1.1 200 OK\r\nContent-Le",
		"status line cut":                 "HTTP/1.1 20",
		"not HTTP":                        "220 mail.example ESMTP\r\n",
		"bytes":                           "\x00\x01\x02\xff\xfe\r\n\r\n",
		"TLS alert":                       "\x15\x03\x01\x00\x02\x02\x28",
		"status is no number":             "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP of another age":             "HTTP/x 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/0.0":                        "HTTP/0.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/2.0 in text":                "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"negative length":                 "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"two lengths":                     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
		"header without colon":            "HTTP/1.1 200 OK\r\nContent\r\n\r\n",
		"encoding that nobody knows":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n",
		"JSON cut where no length says":   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, says(text))
			want(t, start(t).send(t, attempt(p.URL)), guard.CodeUpstreamGarbled)
			p.saw(t, 1)
		})
	}
	t.Run("reset in the body", func(t *testing.T) {
		read := make(chan struct{})
		p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nabc") // no length: only the kind of the end tells
			<-read
			reset(c)
			return false
		})
		a := attempt(p.URL)
		d := start(t)
		done := make(chan guard.Outcome, 1)
		go func() { done <- d.Forwarder.Send(t.Context(), a) }()
		close(read)
		out := <-done
		check(t, out)
		// The reset may overtake the head.
		want(t, out, guard.CodeUpstreamGarbled, guard.CodeUpstreamLost)
		p.saw(t, 1)
	})
}

// tooLarge: an answer over a limit is not kept, and memory stays bounded.
func tooLarge(t *testing.T, start func(t *testing.T) Driver) {
	endless := func(head, piece string) func(int, net.Conn, arrival) bool {
		return func(_ int, c net.Conn, _ arrival) bool {
			_, err := io.WriteString(c, head)
			for err == nil {
				_, err = io.WriteString(c, piece)
			}
			return false
		}
	}
	for name, answer := range map[string]func(int, net.Conn, arrival) bool{
		"body by length": endless("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", strings.Repeat("x", 1<<12)),
		"body by chunks": endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat("x", 1<<12)+"\r\n"),
		"body till end":  endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 1<<12)),
		"refusal's body": endless("HTTP/1.1 400 No\r\n\r\n", strings.Repeat("x", 1<<12)),
		"one header":     endless("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1<<12)),
		"many headers":   endless("HTTP/1.1 200 OK\r\n", strings.Repeat("X: "+canary+"\r\n", 1<<8)),
		"informational":  endless("", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1<<8)),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, answer)
			want(t, start(t).send(t, attempt(p.URL)), guard.CodeUpstreamOversize)
			p.saw(t, 1)
		})
	}
	t.Run("exactly the limit", func(t *testing.T) {
		d := start(t)
		for _, c := range []struct {
			size int64
			code guard.Code
		}{{d.MaxBody, guard.CodeUpstreamDone}, {d.MaxBody + 1, guard.CodeUpstreamOversize}} {
			p := newPeer(t, says(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", c.size, strings.Repeat("x", int(c.size)))))
			want(t, d.send(t, attempt(p.URL)), c.code)
		}
	})
}

// status: each status means what the design says, and its answer is kept.
func status(t *testing.T, start func(t *testing.T) Driver) {
	refusals := []int{400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429}
	d := start(t)
	p := newPeer(t, func(_ int, c net.Conn, r arrival) bool {
		code, body := strings.TrimPrefix(r.URL.Path, "/"), `{"said":"`+canary+`"}`
		if bodiless(code) {
			body = ""
		}
		fmt.Fprintf(c, "HTTP/1.1 %s %s\r\nContent-Type: application/problem+json\r\nX-Seen: yes\r\n", code, canary)
		if !bodiless(code) {
			fmt.Fprintf(c, "Content-Length: %d\r\n", len(body))
		}
		io.WriteString(c, "Connection: close\r\n\r\n"+body)
		return false
	})
	sent := 0
	for code := 200; code <= 600; code++ {
		if http.StatusText(code) == "" && code%100 > 1 && code%100 < 99 {
			continue
		}
		a := attempt(p.URL)
		a.URL = fmt.Sprintf("%s/%d", p.URL, code)
		out := d.send(t, a)
		sent++
		switch {
		case code < 300:
			want(t, out, guard.CodeUpstreamDone)
		case slices.Contains(refusals, code):
			want(t, out, guard.CodeUpstreamRefused)
		default:
			want(t, out, guard.CodeUpstreamStatus)
		}
		body := `{"said":"` + canary + `"}`
		if bodiless(fmt.Sprint(code)) {
			body = ""
		}
		if r := out.Result; r == nil || r.Status != code || string(r.Body) != body || r.ContentType != "application/problem+json" {
			t.Errorf("status %d brought %+v", code, r)
		}
		if got := http.Header(out.Header).Get("X-Seen"); got != "yes" {
			t.Errorf("status %d: headers are %v", code, out.Header)
		}
	}
	p.saw(t, sent)

	t.Run("101", func(t *testing.T) {
		p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			hold(c)
			return false
		})
		want(t, d.send(t, attempt(p.URL)), guard.CodeUpstreamStatus)
		p.saw(t, 1)
	})
}

// bodiless statuses have no body by definition (RFC 9110, sections 15.3.5 and 15.4.5).
func bodiless(code string) bool { return code == "204" || code == "304" }

// redirect: an answer that names another place is an answer. The other place sees nothing.
func redirect(t *testing.T, start func(t *testing.T) Driver) {
	target := newPeer(t, accepts)
	d := start(t)
	for _, code := range []int{300, 301, 302, 303, 305, 307, 308} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodGet} {
			p := newPeer(t, says(fmt.Sprintf("HTTP/1.1 %d Elsewhere\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", code, target.URL)))
			a := attempt(p.URL)
			a.Method = method
			want(t, d.send(t, a), guard.CodeUpstreamStatus)
			p.saw(t, 1)
		}
	}
	target.saw(t, 0)
}

// complete: answers that are unusual but whole.
func complete(t *testing.T, start func(t *testing.T) Driver) {
	for _, c := range []struct{ name, answer, body string }{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
		{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"},
		{"chunks with a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", "abc"},
		{"till the end", "HTTP/1.1 200 OK\r\n\r\nabc", "abc"},
		{"JSON till the end", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}", "{}"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
		{"after informational answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", "abc"},
		{"encoded as it came", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "\x1f\x8b\x08\x00"},
		{"more than its length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 500 No\r\n\r\n", "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, says(c.answer))
			out := start(t).send(t, attempt(p.URL))
			want(t, out, guard.CodeUpstreamDone)
			if out.Result == nil || string(out.Result.Body) != c.body {
				t.Errorf("result is %+v, want the body %q", out.Result, c.body)
			}
			p.saw(t, 1)
		})
	}
	t.Run("before the request was read", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			io.ReadFull(c, make([]byte, 16))
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			hold(c)
		}()
		a := attempt("http://" + l.Addr().String())
		a.Body = make([]byte, 8<<20)
		want(t, start(t).send(t, a), guard.CodeUpstreamRefused)
	})
}
