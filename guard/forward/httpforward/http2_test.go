package httpforward

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/onceguard/onceguard/guard"
)

// upstreamTLS serves h over TLS and returns its URL and a configuration that trusts it.
func upstreamTLS(t *testing.T, h2 bool, h http.HandlerFunc) (string, *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = h2
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, trust(s.Certificate())
}

func trust(c *x509.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &tls.Config{RootCAs: roots}
}

// forwarder is closed with the test, and silent.
func forwarder(t *testing.T, o Options) *Forwarder {
	f := New(o)
	t.Cleanup(func() { f.Close() })
	return f
}

func post(url string) guard.Attempt {
	return guard.Attempt{Method: "POST", URL: url, Header: map[string][]string{"Idempotency-Key": {"k"}},
		Body: []byte(`{"a":1}`), Private: true, Timeout: 20 * time.Second}
}

func TestTLS(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		for _, reuse := range []time.Duration{0, time.Minute} {
			var proto atomic.Value
			var conns sync.Map
			url, config := upstreamTLS(t, h2, func(w http.ResponseWriter, r *http.Request) {
				proto.Store(r.Proto)
				conns.Store(r.RemoteAddr, true)
				io.Copy(w, r.Body)
			})
			f := reusing{forwarder(t, Options{TLS: config}), reuse}
			for range 3 {
				out := f.Send(t.Context(), post(url))
				if out.State != guard.Done || string(out.Result.Body) != `{"a":1}` {
					t.Errorf("outcome is %+v", out)
				}
			}
			if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; proto.Load() != want {
				t.Errorf("the protocol is %v, want %s", proto.Load(), want)
			}
			n := 0
			conns.Range(func(any, any) bool { n++; return true })
			if want := map[bool]int{false: 3, true: 1}[reuse > 0]; n != want {
				t.Errorf("HTTP/2 %v, reuse %v: %d connections, want %d", h2, reuse, n, want)
			}
		}
	}
}

func TestTLSIsAlwaysVerified(t *testing.T) {
	url, _ := upstreamTLS(t, false, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	f := forwarder(t, Options{TLS: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}})
	if out := f.Send(t.Context(), post(url)); out.Code != guard.CodeNotSent {
		t.Errorf("outcome is %+v", out)
	}
	if got := f.transport.TLSClientConfig.MinVersion; got != tls.VersionTLS12 {
		t.Errorf("least version is %x", got)
	}
}

// streams is an HTTP/2 server that counts requests and does one thing wrong with each.
type streams struct {
	url    string
	config *tls.Config
	begun  atomic.Int64
}

func newStreams(t *testing.T, answer func(w *http2.Framer, c net.Conn, stream uint32)) *streams {
	t.Helper()
	// The certificate of httptest is valid for 127.0.0.1.
	lender := httptest.NewUnstartedServer(nil)
	lender.StartTLS()
	certificate, leaf := lender.TLS.Certificates[0], lender.Certificate()
	lender.Close()

	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &streams{url: "https://" + l.Addr().String(), config: trust(leaf)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(c, answer) })
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return s
}

func (s *streams) serve(c net.Conn, answer func(w *http2.Framer, c net.Conn, stream uint32)) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			s.begun.Add(1)
			if frame.StreamEnded() {
				answer(f, c, frame.StreamID)
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				answer(f, c, frame.StreamID)
			}
		}
	}
}

// head writes an answer's head.
func head(w *http2.Framer, stream uint32, end bool, fields ...string) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	w.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: end})
}

// TestHTTP2NeverRepeats: the client of net/http makes a second request in the first cases.
func TestHTTP2NeverRepeats(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w *http2.Framer, c net.Conn, stream uint32)
		code   guard.Code // for upstream_timeout the caller gives up when the answer, such as it is, was given
	}{
		"GOAWAY that says not processed": {func(w *http2.Framer, c net.Conn, _ uint32) {
			w.WriteGoAway(0, http2.ErrCodeNo, nil)
		}, guard.CodeUpstreamLost},
		"GOAWAY and close": {func(w *http2.Framer, c net.Conn, _ uint32) {
			w.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("c4n4ry"))
			c.Close()
		}, guard.CodeUpstreamLost},
		"REFUSED_STREAM": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			w.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		}, guard.CodeUpstreamLost},
		"REFUSED_STREAM after the head": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			head(w, stream, false, ":status", "200")
			w.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		}, guard.CodeUpstreamGarbled},
		"INTERNAL_ERROR": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			w.WriteRSTStream(stream, http2.ErrCodeInternal)
		}, guard.CodeUpstreamLost},
		"closed": {func(_ *http2.Framer, c net.Conn, _ uint32) { c.Close() }, guard.CodeUpstreamLost},
		"body shorter than its length": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			head(w, stream, false, ":status", "200", "content-length", "10")
			w.WriteData(stream, true, []byte("12345"))
		}, guard.CodeUpstreamGarbled},
		"no status": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			head(w, stream, true, "x", "y")
		}, guard.CodeUpstreamGarbled},
		"silence":   {func(*http2.Framer, net.Conn, uint32) {}, guard.CodeUpstreamTimeout},
		"head only": {func(w *http2.Framer, _ net.Conn, stream uint32) { head(w, stream, false, ":status", "200") }, guard.CodeUpstreamTimeout},
		"refusal":   {func(w *http2.Framer, _ net.Conn, stream uint32) { head(w, stream, true, ":status", "422") }, guard.CodeUpstreamRefused},
		"redirect": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			head(w, stream, true, ":status", "307", "location", "/")
		}, guard.CodeUpstreamStatus},
		"large header": {func(w *http2.Framer, _ net.Conn, stream uint32) {
			head(w, stream, true, ":status", "200", "x", strings.Repeat("x", 15<<10))
		}, guard.CodeUpstreamOversize},
	} {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := newStreams(t, func(w *http2.Framer, conn net.Conn, stream uint32) {
					c.answer(w, conn, stream)
					if c.code == guard.CodeUpstreamTimeout {
						cancel()
					}
				})
				f := reusing{forwarder(t, Options{TLS: s.config, MaxHeader: 4 << 10}), time.Minute}
				a := post(s.url)
				a.Method = method
				if method != "POST" {
					a.Body = nil
				}
				out := f.Send(ctx, a)
				if out.Code != c.code || !out.Sent || strings.Contains(out.Detail, "c4n4ry") {
					t.Errorf("outcome is %+v, want %s", out, c.code)
				}
				if n := s.begun.Load(); n != 1 {
					t.Errorf("%d requests were begun", n)
				}
			})
		}
	}
}

// TestHTTP2KeptConnection: a GOAWAY or a loss on a kept connection does not lead to a second request either.
func TestHTTP2KeptConnection(t *testing.T) {
	for name, end := range map[string]func(w *http2.Framer, c net.Conn, stream uint32){
		"GOAWAY": func(w *http2.Framer, c net.Conn, _ uint32) { w.WriteGoAway(1, http2.ErrCodeNo, nil) },
		"closed": func(_ *http2.Framer, c net.Conn, _ uint32) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var s *streams
			s = newStreams(t, func(w *http2.Framer, c net.Conn, stream uint32) {
				if s.begun.Load() == 2 {
					end(w, c, stream)
					return
				}
				head(w, stream, true, ":status", "200")
			})
			f := reusing{forwarder(t, Options{TLS: s.config}), time.Minute}
			for n, want := range []guard.Code{guard.CodeUpstreamDone, guard.CodeUpstreamLost, guard.CodeUpstreamDone} {
				if out := f.Send(t.Context(), post(s.url)); out.Code != want {
					t.Errorf("attempt %d: %+v, want %s", n+1, out, want)
				}
				if got := int(s.begun.Load()); got != n+1 {
					t.Fatalf("%d requests after %d attempts", got, n+1)
				}
			}
		})
	}
}
