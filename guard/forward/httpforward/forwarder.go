package httpforward

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Defaults of Options and of an Attempt that names no timeout.
const (
	DefaultMaxBody   = 4 << 20
	DefaultMaxHeader = 64 << 10
	DefaultMaxIdle   = 256
	DefaultTimeout   = 30 * time.Second
)

// Options configures a Forwarder. The zero value is safe and complete.
type Options struct {
	MaxBody   int64 // bytes of an answer's body; more makes the outcome unknown. Default DefaultMaxBody
	MaxHeader int64 // bytes of an answer's head, informational ones included. Default DefaultMaxHeader

	// TLS holds root certificates, client certificates and the like. It is cloned. TLS 1.2 is the least version
	// whatever it says, and certificates are always verified: InsecureSkipVerify is ignored.
	TLS     *tls.Config
	MaxIdle int // connections kept for other attempts in all. Default DefaultMaxIdle

	Resolver *net.Resolver // nil is the system's
	Log      *slog.Logger  // nil discards
}

// Forwarder performs calls over HTTP. It is safe for use by many goroutines.
type Forwarder struct {
	maxBody   int64
	maxHeader int64
	transport *http.Transport
	idle      *pool
	log       *slog.Logger

	mu       sync.Mutex
	closed   bool
	inFlight sync.WaitGroup
}

var _ guard.Forwarder = (*Forwarder)(nil)

// New returns a Forwarder that holds no resource until the first Send.
func New(o Options) *Forwarder {
	config := o.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.InsecureSkipVerify = false
	if config.ClientSessionCache == nil {
		// Fresh connections to the same upstream resume its session and skip the certificates.
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Forwarder{
		maxBody:   cmp.Or(max(o.MaxBody, 0), DefaultMaxBody),
		maxHeader: cmp.Or(max(o.MaxHeader, 0), DefaultMaxHeader),
		idle:      newPool(cmp.Or(max(o.MaxIdle, 0), DefaultMaxIdle)),
		log:       log,
	}
	f.transport = &http.Transport{
		Proxy:                  nil, // the environment has no say
		DialContext:            dialer(o.Resolver),
		TLSClientConfig:        config,
		Protocols:              new(http.Protocols),
		DisableCompression:     true, // bytes are stored as they were sent
		MaxResponseHeaderBytes: f.maxHeader,
	}
	f.transport.Protocols.SetHTTP1(true)
	f.transport.Protocols.SetHTTP2(true)
	return f
}

// Send implements guard.Forwarder. Attempts without a Timeout get DefaultTimeout.
func (f *Forwarder) Send(ctx context.Context, a guard.Attempt) guard.Outcome {
	if !f.enter() {
		return notSent("The guard is shutting down; nothing was sent.")
	}
	defer f.inFlight.Done()

	timeout := a.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	out := f.attempt(ctx, a)
	f.log.LogAttrs(ctx, slog.LevelDebug, "attempt", slog.String("effect", a.Effect), slog.String("tool", a.Tool),
		slog.String("state", string(out.State)), slog.String("code", string(out.Code)), slog.Bool("sent", out.Sent))
	return out
}

// enter counts an attempt in, unless the forwarder is closed.
func (f *Forwarder) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.inFlight.Add(1)
	return true
}

// Close refuses new attempts, waits for those in flight (their timeouts bound it) and closes idle connections.
// It returns nil and may be called again.
func (f *Forwarder) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.inFlight.Wait()
	f.idle.close()
	return nil
}

// attempt makes one round trip on one connection.
func (f *Forwarder) attempt(ctx context.Context, a guard.Attempt) guard.Outcome {
	req, key, refusal := request(a)
	if refusal != "" {
		return notSent(refusal)
	}
	var c *conn
	if a.Reuse > 0 {
		c = f.idle.get(key)
	}
	if c == nil {
		fresh, wire, err := f.connect(ctx, key)
		if err != nil {
			// Errors of name, dial and TLS hold the host and its address, which the operator needs to know.
			f.log.LogAttrs(ctx, slog.LevelWarn, "no connection to the upstream", slog.String("effect", a.Effect),
				slog.String("tool", a.Tool), slog.Any("error", err))
			return notConnected(ctx, wire != nil, err)
		}
		c = &conn{http: fresh, wire: wire, key: key}
	}
	if ctx.Err() != nil {
		c.http.Close()
		return notSent("The caller gave up before anything was sent.")
	}
	req.Close = a.Reuse <= 0

	var answered atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: func() { answered.Store(true) }})
	written, received := c.wire.written(), c.wire.received()
	resp, err := c.http.RoundTrip(req.WithContext(ctx))
	if err != nil {
		sent := c.wire.cut() > written
		c.http.Close()
		return noAnswer(ctx, sent, answered.Load(), c.wire.received()-received >= f.maxHeader)
	}
	body, err := f.readBody(resp)
	if err != nil {
		c.wire.cut()
		c.http.Close()
		return partAnswer(ctx, resp, err)
	}
	if !f.idle.put(c, a.Reuse, resp) {
		c.http.Close()
	}
	return answer(resp, body)
}
