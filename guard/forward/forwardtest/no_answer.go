package forwardtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// lost: bytes left and no answer came. The effect may have been made; nobody asks again.
func lost(t *testing.T, start func(t *testing.T) Driver) {
	t.Run("closed without an answer", func(t *testing.T) {
		p := newPeer(t, says(""))
		want(t, start(t).send(t, attempt(p.URL)), guard.CodeUpstreamLost)
		p.saw(t, 1)
	})
	t.Run("reset without an answer", func(t *testing.T) {
		p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool { reset(c); return false })
		want(t, start(t).send(t, attempt(p.URL)), guard.CodeUpstreamLost)
		p.saw(t, 1)
	})
	t.Run("closed after an informational answer", func(t *testing.T) {
		p := newPeer(t, says("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"))
		want(t, start(t).send(t, attempt(p.URL)), guard.CodeUpstreamLost, guard.CodeUpstreamGarbled)
		p.saw(t, 1)
	})
}

// late: no complete answer in time, or nobody waits for it any more.
func late(t *testing.T, start func(t *testing.T) Driver) {
	for name, text := range map[string]string{
		"no head":        "",
		"half a head":    "HTTP/1.1 200 OK\r\nContent-Le",
		"half a body":    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
		"half a chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
		"body till when": "HTTP/1.1 200 OK\r\n\r\nabc",
		"informational":  "HTTP/1.1 100 Continue\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
				io.WriteString(c, text)
				hold(c)
				return false
			})
			timesOut(t, start(t), p)
		})
	}
	t.Run("a byte now and then", func(t *testing.T) {
		d := start(t)
		p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", d.MaxBody)
			for tick := time.Tick(5 * time.Millisecond); ; <-tick {
				if _, err := io.WriteString(c, "."); err != nil {
					return false
				}
			}
		})
		timesOut(t, d, p)
	})
	t.Run("context cancelled after the request", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newPeer(t, func(_ int, c net.Conn, _ arrival) bool {
			cancel()
			hold(c)
			return false
		})
		out := start(t).Forwarder.Send(ctx, attempt(p.URL))
		check(t, out)
		want(t, out, guard.CodeUpstreamTimeout)
		p.saw(t, 1)
	})
}

// timesOut makes an attempt that runs out of time after its request arrived. On a busy machine a brief timeout may
// end while the connection is still being made; such an attempt proves nothing here, and a longer one follows.
func timesOut(t *testing.T, d Driver, p *peer) {
	t.Helper()
	a := attempt(p.URL)
	for a.Timeout = brief; ; a.Timeout *= 2 {
		out := d.send(t, a)
		if out.Code == guard.CodeNotSent && len(p.arrivals()) == 0 && a.Timeout < patience {
			continue
		}
		want(t, out, guard.CodeUpstreamTimeout)
		p.saw(t, 1)
		return
	}
}
