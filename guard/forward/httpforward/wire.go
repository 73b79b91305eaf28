package httpforward

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is the connection under TLS and HTTP. It knows what the libraries above do not tell: how many bytes left.
type wire struct {
	net.Conn

	mu  sync.Mutex // held while bytes go out
	out int64
	in  atomic.Int64

	reading atomic.Bool // somebody waits for bytes
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.Conn.Write(p)
	w.out += int64(n)
	return n, err
}

func (w *wire) Read(p []byte) (int, error) {
	w.reading.Store(true)
	n, err := w.Conn.Read(p)
	w.reading.Store(false)
	w.in.Add(int64(n))
	return n, err
}

// written is the number of bytes that the kernel took. It waits for a write that is under way.
func (w *wire) written() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out
}

// received is the number of bytes that came in, TLS's own included.
func (w *wire) received() int64 { return w.in.Load() }

// cut closes the socket, which ends a write under way and fails all later ones, and returns the final number of
// bytes written.
func (w *wire) cut() int64 {
	w.Conn.Close()
	return w.written()
}

// awaited reports whether net/http waits for bytes, which it does once it has used up all that came: an answer too many, which came with
// the one before, is in its buffer and not in the socket. After an answer it begins to wait as soon as it gets a processor.
func (w *wire) awaited() bool {
	for late := time.Now().Add(20 * time.Millisecond); !w.reading.Load(); runtime.Gosched() {
		if time.Now().After(late) {
			return false
		}
	}
	return true
}

// quiet reports whether the socket is open and holds nothing to read, which is how an idle connection must look.
// Where the system cannot tell it is false. It never blocks, takes no byte, and does not disturb a reader.
func (w *wire) quiet() bool {
	sc, ok := w.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	// Control, unlike Read, does not wait for net/http's reader, which sits in Read for as long as it is idle.
	err = raw.Control(func(fd uintptr) { quiet = nothingToRead(fd) })
	return err == nil && quiet
}
