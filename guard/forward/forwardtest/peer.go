package forwardtest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// peer is a listener that reads requests as bytes and answers with bytes. It counts what arrives.
type peer struct {
	URL string

	mu       sync.Mutex
	conns    []net.Conn
	requests []arrival
	running  sync.WaitGroup
}

// arrival is one request as it came.
type arrival struct {
	*http.Request
	body []byte
	raw  []byte // head and body
}

// newPeer serves each connection by reading request after request. answer gets each with its number, from 1, and
// says whether to go on; after false the connection is closed. Without answer connections are closed at once.
func newPeer(t *testing.T, answer func(n int, c net.Conn, r arrival) bool) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{URL: "http://" + l.Addr().String()}
	p.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, c)
			p.mu.Unlock()
			p.running.Go(func() { p.serve(c, answer) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.hangUp()
		p.running.Wait()
	})
	return p
}

func (p *peer) serve(c net.Conn, answer func(n int, c net.Conn, r arrival) bool) {
	defer c.Close()
	if answer == nil {
		reset(c)
		return
	}
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		got := arrival{Request: r, body: body, raw: bytes.Clone(raw.Bytes())}
		raw.Reset()
		p.mu.Lock()
		p.requests = append(p.requests, got)
		n := len(p.requests)
		p.mu.Unlock()
		if !answer(n, c, got) {
			return
		}
	}
}

// hangUp closes all connections.
func (p *peer) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *peer) arrivals() []arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]arrival(nil), p.requests...)
}

// saw fails the test unless exactly n requests arrived.
func (p *peer) saw(t *testing.T, n int) {
	t.Helper()
	if got := len(p.arrivals()); got != n {
		t.Errorf("%d requests arrived, want %d", got, n)
	}
}

// says answers every request with the same bytes and closes.
func says(text string) func(int, net.Conn, arrival) bool {
	return func(_ int, c net.Conn, _ arrival) bool {
		io.WriteString(c, text)
		return false
	}
}

// reset makes the close of c a TCP reset instead of an orderly end.
func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// hold waits until the other side closes.
func hold(c net.Conn) { io.Copy(io.Discard, c) }

// accepts answers every request with an empty 200 and keeps the connection.
func accepts(_ int, c net.Conn, _ arrival) bool {
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	return true
}
