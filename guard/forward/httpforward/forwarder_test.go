package httpforward

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/forward/forwardtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestContract holds both ways of connecting to the promise of guard.Forwarder.
func TestContract(t *testing.T) {
	for name, reuse := range map[string]time.Duration{"fresh": 0, "reused": time.Minute} {
		t.Run(name, func(t *testing.T) {
			forwardtest.Run(t, func(t *testing.T) forwardtest.Driver {
				o := Options{MaxBody: 32 << 10, MaxHeader: 32 << 10}
				f := New(o)
				t.Cleanup(func() { f.Close() })
				return forwardtest.Driver{Forwarder: reusing{f, reuse}, MaxBody: o.MaxBody, MaxHeader: o.MaxHeader}
			})
		})
	}
}

// reusing lets each attempt leave its connection to others.
type reusing struct {
	*Forwarder
	reuse time.Duration
}

func (r reusing) Send(ctx context.Context, a guard.Attempt) guard.Outcome {
	a.Reuse = max(a.Reuse, r.reuse)
	return r.Forwarder.Send(ctx, a)
}

// connectTo puts serve behind every connection of f, over a pipe, which takes bytes only while they are read.
func connectTo(f *Forwarder, serve func(net.Conn)) {
	f.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serve(theirs)
		}()
		w := &wire{Conn: ours}
		ctx.Value(dialingKey{}).(*dialing).wire = w
		return w, nil
	}
}

// TestSent: one byte that left makes all the difference.
func TestSent(t *testing.T) {
	for bytes, code := range map[int64]guard.Code{0: guard.CodeNotSent, 1: guard.CodeUpstreamLost, 30: guard.CodeUpstreamLost} {
		f := forwarder(t, Options{})
		connectTo(f, func(c net.Conn) { io.CopyN(io.Discard, c, bytes) })
		out := f.Send(t.Context(), post("http://pay.example/"))
		if out.Code != code || out.Sent != (bytes > 0) {
			t.Errorf("%d bytes left: %+v, want %s", bytes, out, code)
		}
	}
}

// TestTimeout: without one an attempt has DefaultTimeout; nothing waits longer.
func TestTimeout(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: DefaultTimeout, -1: DefaultTimeout, time.Hour: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			f := New(Options{})
			defer f.Close()
			connectTo(f, func(c net.Conn) { io.Copy(io.Discard, c) })
			a := post("http://pay.example/")
			a.Timeout = given
			began := time.Now()
			out := f.Send(t.Context(), a)
			if took := time.Since(began); out.Code != guard.CodeUpstreamTimeout || took != want {
				t.Errorf("timeout %v: %+v after %v, want %v", given, out, took, want)
			}
		})
	}
}

// TestCloseWaits: Close returns when the last attempt has its outcome, and later attempts are not sent.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Options{})
		asked, answer := make(chan struct{}), make(chan struct{})
		connectTo(f, func(c net.Conn) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			close(asked)
			<-answer
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		sent, closed := make(chan guard.Outcome, 1), make(chan struct{})
		go func() { sent <- f.Send(t.Context(), post("http://pay.example/")) }()
		<-asked
		go func() { f.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		if out := f.Send(t.Context(), post("http://pay.example/")); out.Code != guard.CodeNotSent {
			t.Errorf("after Close: %+v", out)
		}
		close(answer)
		if out := <-sent; out.State != guard.Done {
			t.Errorf("outcome is %+v", out)
		}
		<-closed
		f.Close()
	})
}
