package httpforward

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// counter is a server that counts connections and requests.
type counter struct {
	url, port string
	requests  atomic.Int64
	opened    atomic.Int64
	header    http.Header // of its answers
	closed    chan struct{}
}

func newCounter(t *testing.T) *counter {
	c := &counter{header: http.Header{}, closed: make(chan struct{}, 100)}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		for k, v := range c.header {
			w.Header()[k] = v
		}
		io.Copy(w, r.Body)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			c.opened.Add(1)
		case http.StateClosed:
			c.closed <- struct{}{}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c.url = s.URL
	_, c.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return c
}

func TestReuse(t *testing.T) {
	for name, c := range map[string]struct {
		reuse  time.Duration
		header http.Header
		change func(n int, a *guard.Attempt)
		opened int64
	}{
		"never by default":    {opened: 4},
		"when allowed":        {reuse: time.Minute, opened: 1},
		"not after close":     {reuse: time.Minute, header: http.Header{"Connection": {"close"}}, opened: 4},
		"not over Keep-Alive": {reuse: time.Minute, header: http.Header{"Keep-Alive": {"max=5, timeout=0"}}, opened: 4},
		"within Keep-Alive":   {reuse: time.Minute, header: http.Header{"Keep-Alive": {"timeout=60, max=5"}}, opened: 1},
		"not when unreadable": {reuse: time.Minute, header: http.Header{"Keep-Alive": {"timeout=soon"}}, opened: 4},
		"apart by host's name": {reuse: time.Minute, change: func(n int, a *guard.Attempt) {
			if n%2 == 1 {
				a.URL = "http://localhost" + a.URL[len("http://127.0.0.1"):]
			}
		}, opened: 2},
		"only among those that allow it": {change: func(n int, a *guard.Attempt) {
			if n != 1 {
				a.Reuse = time.Minute // 0 opens and leaves one, 1 has its own, 2 and 3 take what 0 left
			}
		}, opened: 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newCounter(t)
			p.header = c.header
			f := reusing{forwarder(t, Options{}), c.reuse}
			for n := range 4 {
				a := post(p.url)
				if c.change != nil {
					c.change(n, &a)
				}
				if out := f.Send(t.Context(), a); out.State != guard.Done {
					t.Errorf("outcome is %+v", out)
				}
			}
			if got := p.opened.Load(); got != c.opened || p.requests.Load() != 4 {
				t.Errorf("%d connections for %d requests, want %d for 4", got, p.requests.Load(), c.opened)
			}
		})
	}
}

// TestIdleEnds: a connection that nobody takes is closed when its time is over, and at the latest by Close.
func TestIdleEnds(t *testing.T) {
	p := newCounter(t)
	f := reusing{forwarder(t, Options{}), 10 * time.Millisecond}
	f.Send(t.Context(), post(p.url))
	<-p.closed
	f.idle.mu.Lock()
	if f.idle.count != 0 || len(f.idle.idle) != 0 {
		t.Errorf("%d connections are counted as idle", f.idle.count)
	}
	f.idle.mu.Unlock()

	f = reusing{New(Options{}), time.Hour}
	f.Send(t.Context(), post(p.url))
	f.Close()
	<-p.closed
}

func TestIdleLimit(t *testing.T) {
	p := newCounter(t)
	f := reusing{forwarder(t, Options{MaxIdle: 2}), time.Hour}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				f.Send(t.Context(), post(p.url))
			}
		})
	}
	all.Wait()
	f.idle.mu.Lock()
	defer f.idle.mu.Unlock()
	if f.idle.count > 2 {
		t.Errorf("%d connections are kept, the limit is 2", f.idle.count)
	}
}
