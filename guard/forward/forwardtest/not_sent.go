package forwardtest

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// notSent: every failure before the first byte of the request is Failed, and nothing arrives.
func notSent(t *testing.T, start func(t *testing.T) Driver) {
	fails := func(name string, prepare func(t *testing.T) guard.Attempt) {
		t.Run(name, func(t *testing.T) {
			want(t, start(t).send(t, prepare(t)), guard.CodeNotSent)
		})
	}
	fails("closed port", func(t *testing.T) guard.Attempt {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		return attempt("http://" + l.Addr().String())
	})
	fails("name that does not exist", func(t *testing.T) guard.Attempt {
		return attempt("http://" + canary + ".invalid") // RFC 6761 reserves .invalid
	})
	fails("certificate that is not trusted", func(t *testing.T) guard.Attempt {
		return attempt(tlsServer(t, nil))
	})
	fails("TLS 1.1", func(t *testing.T) guard.Attempt {
		return attempt(tlsServer(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}))
	})
	fails("no TLS behind https", func(t *testing.T) guard.Attempt {
		p := newPeer(t, accepts)
		t.Cleanup(func() { p.saw(t, 0) })
		return attempt(strings.Replace(p.URL, "http:", "https:", 1))
	})
	fails("reset in the TLS handshake", func(t *testing.T) guard.Attempt {
		p := newPeer(t, nil)
		return attempt(strings.Replace(p.URL, "http:", "https:", 1))
	})
	fails("silence in the TLS handshake", func(t *testing.T) guard.Attempt {
		l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody else does
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		a := attempt("https://" + l.Addr().String())
		a.Timeout = brief
		return a
	})

	t.Run("context that is over", func(t *testing.T) {
		p := newPeer(t, accepts)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		out := start(t).Forwarder.Send(ctx, attempt(p.URL))
		check(t, out)
		want(t, out, guard.CodeNotSent)
		p.saw(t, 0)
	})
	t.Run("context that is over, connection that was used", func(t *testing.T) {
		p := newPeer(t, accepts)
		d := start(t)
		for n := 1; n <= 20; n++ {
			want(t, d.send(t, attempt(p.URL)), guard.CodeUpstreamDone)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			out := d.Forwarder.Send(ctx, attempt(p.URL))
			check(t, out)
			want(t, out, guard.CodeNotSent)
			p.saw(t, n)
		}
	})

	// A connection that is accepted and reset at once may take bytes before it breaks. The forwarder may say that
	// nothing was sent only if the kernel took none; the peer never reads any.
	t.Run("reset at once", func(t *testing.T) {
		p := newPeer(t, nil)
		d := start(t)
		for range 50 {
			want(t, d.send(t, attempt(p.URL)), guard.CodeNotSent, guard.CodeUpstreamLost)
		}
	})
}

// tlsServer is an HTTPS server whose certificate nobody knows. No request may arrive.
func tlsServer(t *testing.T, config *tls.Config) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request arrived")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// refusedTarget: what no policy should say is refused before anything is dialled.
func refusedTarget(t *testing.T, start func(t *testing.T) Driver) {
	d := start(t)
	for _, url := range []string{
		"", "/refunds", "payments", "http://", "http:payments", "http:///refunds", "ftp://127.0.0.1/", "file:///etc/passwd",
		"unix:///run/x", "http://user:" + canary + "@127.0.0.1/", "http://127.0.0.1:port/", "http://127.0.0.1:99999/",
		"http://%zz/", "http://a b/", "http://[::1/", "://", "http://127.0.0.1/\x00", "http://127.0.0.1/\r\nHost: x",
		"http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
		"http://0.0.0.0/", "http://[::]/", "http://255.255.255.255/", "http://224.0.0.1/",
	} {
		t.Run(url, func(t *testing.T) {
			a := attempt("")
			a.URL = url
			want(t, d.send(t, a), guard.CodeNotSent)
		})
	}
	t.Run("user information", func(t *testing.T) {
		p := newPeer(t, accepts)
		a := attempt(strings.Replace(p.URL, "://", "://user:"+canary+"@", 1))
		want(t, d.send(t, a), guard.CodeNotSent)
		p.saw(t, 0)
	})
	t.Run("private address without leave", func(t *testing.T) {
		p := newPeer(t, accepts)
		a := attempt(p.URL)
		want(t, d.send(t, a), guard.CodeUpstreamDone)
		a.Private = false
		want(t, d.send(t, a), guard.CodeNotSent)
		a.URL = strings.Replace(a.URL, "127.0.0.1", "localhost", 1)
		want(t, d.send(t, a), guard.CodeNotSent)
		p.saw(t, 1)
	})
	for _, method := range []string{"", "CONNECT", "TRACE", "PO ST", "POST\r\n", "\x00"} {
		t.Run("method "+method, func(t *testing.T) {
			p := newPeer(t, accepts)
			a := attempt(p.URL)
			a.Method = method
			want(t, d.send(t, a), guard.CodeNotSent)
			p.saw(t, 0)
		})
	}
}
