package web

import (
	"io"
	"net"
	"sync"
	"testing"
)

// front is the address under which browsers find a server that is started anew. The test holds it all the while, so nobody else can
// take it between two starts. As long as there is no server behind it, connections end at once.
type front struct {
	listener net.Listener

	mu     sync.Mutex
	server string // address; "" for none
}

func newFront(t *testing.T) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{listener: l}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			open.Go(func() { f.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return f
}

func (f *front) url() string { return "http://" + f.listener.Addr().String() }

// lead has connections from now on go to a server; "" for none. Those that are open stay where they are.
func (f *front) lead(server string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server = server
}

// carry passes on what both ends say, until one of them ends it.
func (f *front) carry(browser net.Conn) {
	defer browser.Close()
	f.mu.Lock()
	address := f.server
	f.mu.Unlock()
	if address == "" {
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		_, _ = io.Copy(server, browser)
		_ = server.Close()
	})
	_, _ = io.Copy(browser, server)
	_ = browser.Close()
	asking.Wait()
}
