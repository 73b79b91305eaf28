package httpforward

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"syscall"
)

// dialing travels in the context of a dial: what the attempt may reach goes in, the wire comes out.
type dialing struct {
	private bool
	wire    *wire
}

type dialingKey struct{}

// errAddress refuses an address that the attempt may not reach.
type errAddress struct{ needsPrivate bool }

func (e errAddress) Error() string {
	if e.needsPrivate {
		return "the address is private and the policy does not allow private addresses"
	}
	return "no policy may reach this address"
}

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
	to, err := netip.ParseAddrPort(address)
	if !ok || err != nil {
		return errAddress{}
	}
	switch v := judge(to.Addr()); {
	case v == anyone, v == private && state.private:
		return nil
	default:
		return errAddress{needsPrivate: v == private}
	}
}
