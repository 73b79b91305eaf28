package httpforward

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// endpoint says which connections are alike. Private is part of it, so that a connection to an address that one
// policy allows is never lent to another that does not.
type endpoint struct {
	scheme  string
	address string // host:port, in ASCII
	private bool
}

// conn is a connection that serves one attempt at a time.
type conn struct {
	http *http.ClientConn
	wire *wire
	key  endpoint
	gone *time.Timer // closes it when it has been idle for too long
}

// pool keeps connections between attempts.
type pool struct {
	limit int

	mu     sync.Mutex
	idle   map[endpoint][]*conn // the youngest is last
	count  int
	closed bool
}

func newPool(limit int) *pool { return &pool{limit: limit, idle: make(map[endpoint][]*conn)} }

// get returns a connection that is proven alive, or nil.
func (p *pool) get(key endpoint) *conn {
	for {
		c := p.pop(key)
		if c == nil {
			return nil
		}
		if c.gone.Stop() && c.http.Err() == nil && c.http.Available() > 0 && c.wire.awaited() && c.wire.quiet() {
			return c
		}
		c.http.Close()
	}
}

func (p *pool) pop(key endpoint) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[key]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	p.remove(c)
	return c
}

// put keeps c for another attempt, at most for as long as reuse, and reports whether it did; otherwise the caller closes it. The
// answer has been read to its end.
func (p *pool) put(c *conn, reuse time.Duration, resp *http.Response) bool {
	stay := min(reuse, keepAlive(resp.Header)/2)
	if stay <= 0 || resp.Close || c.http.Err() != nil || c.http.Available() == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.count >= p.limit {
		return false
	}
	c.gone = time.AfterFunc(stay, func() { p.expire(c) })
	p.idle[c.key] = append(p.idle[c.key], c)
	p.count++
	return true
}

// expire closes c. It may already have been taken by get, which then sees that the timer fired.
func (p *pool) expire(c *conn) {
	p.mu.Lock()
	p.remove(c)
	p.mu.Unlock()
	c.http.Close()
}

// remove takes c out if it is in; p.mu is held.
func (p *pool) remove(c *conn) {
	list := p.idle[c.key]
	for i := range list {
		if list[i] == c {
			list = append(list[:i], list[i+1:]...)
			p.count--
			break
		}
	}
	if len(list) == 0 {
		delete(p.idle, c.key)
		return
	}
	p.idle[c.key] = list
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, list := range p.idle {
		for _, c := range list {
			c.gone.Stop()
			c.http.Close()
		}
	}
	clear(p.idle)
	p.count = 0
}

// keepAlive is how long the server says that it keeps an idle connection; very long if it does not say. The header is
// described in RFC 2068, section 19.7.1.1, and its parameter in draft-thomson-hybi-http-timeout.
func keepAlive(h http.Header) time.Duration {
	const unstated = 24 * time.Hour
	for _, v := range h["Keep-Alive"] {
		for part := range strings.SplitSeq(v, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(name, "timeout") {
				continue
			}
			seconds, err := strconv.ParseUint(value, 10, 16)
			if err != nil {
				return 0
			}
			return time.Duration(seconds) * time.Second
		}
	}
	return unstated
}
