package httpforward

import (
	"context"
	"net"
	"net/http"
	"syscall"

	"github.com/onceguard/onceguard/guard/egress"
)

// dialing travels in the context of a dial: what the attempt may reach goes in, the wire comes out.
type dialing struct {
	private bool
	wire    *wire
}

type dialingKey struct{}

// connect makes a fresh connection, ready for a request. The wire is not nil on errors after the dial: those of TLS.
func (f *Forwarder) connect(ctx context.Context, to endpoint) (*http.ClientConn, *wire, error) {
	d := &dialing{private: to.private}
	c, err := f.transport.NewClientConn(context.WithValue(ctx, dialingKey{}, d), to.scheme, to.address)
	return c, d.wire, err
}

// dialer returns the transport's DialContext.
func dialer(resolver *net.Resolver) func(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Resolver: resolver, ControlContext: control}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w := &wire{Conn: c}
		if state, ok := ctx.Value(dialingKey{}).(*dialing); ok {
			state.wire = w
		}
		return w, nil
	}
}

// control judges the address that a socket is about to connect to: after names are resolved, so that nothing can
// change between the check and its use.
func control(ctx context.Context, _, address string, _ syscall.RawConn) error {
	state, ok := ctx.Value(dialingKey{}).(*dialing)
	return egress.Check(address, ok && state.private)
}
