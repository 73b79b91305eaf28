package httpforward

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onceguard/onceguard/guard"
)

// TestNameThatChanges: a name that first resolves to an allowed address and then to another is judged each time.
func TestNameThatChanges(t *testing.T) {
	p := newCounter(t)
	var answer atomic.Value
	f := forwarder(t, Options{Resolver: resolver(t, &answer)})
	a := post("http://pay.example:" + p.port)

	for _, c := range []struct {
		address string
		private bool
		code    guard.Code
		detail  string
	}{
		{"127.0.0.1", true, guard.CodeUpstreamDone, ""},
		{"127.0.0.1", false, guard.CodeNotSent, "private address"},
		{"169.254.169.254", true, guard.CodeNotSent, "no policy may reach"},
		{"0.0.0.0", true, guard.CodeNotSent, "no policy may reach"},
		{"127.0.0.1", true, guard.CodeUpstreamDone, ""},
	} {
		answer.Store(c.address)
		a.Private = c.private
		if out := f.Send(t.Context(), a); out.Code != c.code || !strings.Contains(out.Detail, c.detail) {
			t.Errorf("%s, private %v: %+v", c.address, c.private, out)
		}
	}
	if n := p.requests.Load(); n != 2 {
		t.Errorf("%d requests arrived, want 2", n)
	}
}

// resolver answers every question for an address of IPv4 with *answer.
func resolver(t *testing.T, answer *atomic.Value) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answer.Load().(string)).As4()},
				}}
			}
			if packed, err := m.Pack(); err == nil {
				server.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}
