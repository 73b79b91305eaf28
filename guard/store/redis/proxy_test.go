package redis_test

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mood is what a proxy makes of what Redis answers.
type mood int32

const (
	honest mood = iota
	silent      // nothing comes through, in no direction
	garble      // each answer has bits turned
	slow        // each answer is late, at times too late
)

// lag is how late the answers of a slow Redis are.
const lag = 30 * time.Millisecond

// proxy stands between a client and Redis.
type proxy struct {
	listener net.Listener
	to       string
	mood     atomic.Int32

	mu      sync.Mutex
	conns   []net.Conn
	closed  chan struct{}
	running sync.WaitGroup
}

// startProxy starts a proxy before host:port. It ends with the test.
func startProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, closed: make(chan struct{})}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		close(p.closed)
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.running.Wait()
	})
	return p
}

func (p *proxy) address() string { return "redis://" + p.listener.Addr().String() }
func (p *proxy) be(m mood)       { p.mood.Store(int32(m)) }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.running.Go(func() { p.pass(in, out, false) })
		p.running.Go(func() { p.pass(out, in, true) })
	}
}

// pass copies until one side ends, and then ends the other.
func (p *proxy) pass(from, to net.Conn, answers bool) {
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		chunk := buffer[:n]
		switch m := mood(p.mood.Load()); {
		case m == silent:
			<-p.closed
			return
		case m == garble && answers:
			for i := 7; i < n; i += 31 {
				chunk[i] ^= 0x20
			}
		case m == slow && answers:
			time.Sleep(lag)
		}
		if _, err := to.Write(chunk); err != nil {
			return
		}
	}
}
