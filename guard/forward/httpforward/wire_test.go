package httpforward

import (
	"io"
	"net"
	"testing"
)

// TestQuiet: the kernel's answer for an open, a talking and a closed connection.
func TestQuiet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair := func() (*wire, net.Conn) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(); s.Close() })
		return &wire{Conn: c}, s
	}
	w, _ := pair()
	if !w.quiet() {
		t.Error("an open connection is not quiet")
	}
	w.Conn.Close()
	if w.quiet() {
		t.Error("a connection that we closed is quiet")
	}
	w, s := pair()
	io.WriteString(s, "x")
	if w.quiet() {
		t.Error("a connection with a byte to read is quiet")
	}
	w, s = pair()
	s.Close()
	if w.quiet() {
		t.Error("a connection that the other side closed is quiet")
	}
	if (&wire{Conn: fakeConn{}}).quiet() {
		t.Error("a connection without a socket is quiet")
	}
}

type fakeConn struct{ net.Conn }
