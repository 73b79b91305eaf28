package load

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// every makes callers whose calls take as long as d says of the caller's number.
func every(d func(i int) time.Duration) func(int) (Caller, error) {
	return func(i int) (Caller, error) {
		return Caller{Call: func() error { time.Sleep(d(i)); return nil }}, nil
	}
}

func TestLoadCountsWhatFallsIntoTheMeasurement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started, stopped time.Time
		began := time.Now()
		r, err := Load{Callers: 3, Warm: 105 * time.Millisecond, For: time.Second,
			Start: func() { started = time.Now() }, Stop: func() { stopped = time.Now() },
		}.Run(t.Context(), every(func(i int) time.Duration { return time.Duration(i+1) * 10 * time.Millisecond }))
		if err != nil || r.Failed != 0 {
			t.Fatal(r.Failed, err)
		}
		if started.Sub(began) != 105*time.Millisecond || stopped.Sub(started) != time.Second || r.Elapsed != time.Second {
			t.Errorf("measured from %v for %v, which is %v", started.Sub(began), stopped.Sub(started), r.Elapsed)
		}
		// Calls of 10 ms that end from 110 to 1100 ms, of 20 ms from 120 to 1100 ms, and of 30 ms from 120 to 1080 ms.
		if n := len(r.Latencies); n != 100+50+33 {
			t.Errorf("%d calls were counted", n)
		}
		if !slices.IsSorted(r.Latencies) || r.Latencies[0] != 10*time.Millisecond || r.Latencies[len(r.Latencies)-1] != 30*time.Millisecond {
			t.Errorf("latencies from %v", r.Latencies[0])
		}
		if r.PerSecond() != float64(len(r.Latencies)) {
			t.Errorf("%v calls a second", r.PerSecond())
		}
	})
}

func TestLoadEndsAfterItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, afters, closed atomic.Int64
		open := func(int) (Caller, error) {
			return Caller{
				Call:  func() error { calls.Add(1); time.Sleep(time.Millisecond); return nil },
				After: func() error { afters.Add(1); time.Sleep(time.Second); return nil },
				Close: func() { closed.Add(1) },
			}, nil
		}
		r, err := Load{Callers: 4, Calls: 10}.Run(t.Context(), open)
		if err != nil || len(r.Latencies) != 10 || calls.Load() != 10 || afters.Load() != 10 || closed.Load() != 4 {
			t.Errorf("%v: %d latencies, %d calls, %d afters, %d closed", err, len(r.Latencies), calls.Load(), afters.Load(), closed.Load())
		}
		if slow := r.Latencies[9]; slow != time.Millisecond {
			t.Errorf("what follows a call is timed: %v", slow)
		}
		// The time ends it as well.
		r, err = Load{Callers: 1, Calls: 10, For: 2500 * time.Millisecond}.Run(t.Context(), open)
		if err != nil || len(r.Latencies) != 3 || r.Elapsed != 2500*time.Millisecond {
			t.Errorf("%v: %d calls in %v", err, len(r.Latencies), r.Elapsed)
		}
	})
}

func TestLoadGivesUpOnWhatFails(t *testing.T) {
	broken := errors.New("broken")
	r, err := Load{Callers: 2, Calls: 1000}.Run(t.Context(), func(i int) (Caller, error) {
		return Caller{Call: func() error { return broken }}, nil
	})
	if err != nil || r.Failed != 2*maxFailures || !errors.Is(r.First, broken) || len(r.Latencies) != 0 {
		t.Errorf("%d failures, %v, %v", r.Failed, r.First, err)
	}
	var closed int
	_, err = Load{Callers: 3, Calls: 1}.Run(t.Context(), func(i int) (Caller, error) {
		if i == 2 {
			return Caller{}, broken
		}
		return Caller{Close: func() { closed++ }}, nil
	})
	if !errors.Is(err, broken) || closed != 2 {
		t.Errorf("%v, %d closed", err, closed)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := Load{Callers: 2, Warm: time.Minute, For: time.Hour}.Run(ctx, every(func(int) time.Duration { return time.Millisecond }))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestConn(t *testing.T) {
	long := strings.Repeat("0123456789", 5000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sized":
			w.Header().Set("Content-Length", "5")
			_, _ = w.Write([]byte("hello"))
		case "/chunked":
			_, _ = w.Write([]byte(long))
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("end"))
		case "/refused":
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer s.Close()
	c, err := Dial(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Twice each on one connection: an answer that was not read to its end would spoil the next.
	for range 2 {
		for _, want := range []struct {
			path, body string
			status     int
		}{{"/chunked", long + "end", 200}, {"/sized", "hello", 200}, {"/refused", "no\n", 418}, {"/empty", "", 200}} {
			status, body, err := c.Do([]byte("POST " + want.path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"))
			if err != nil || status != want.status || string(body) != want.body {
				t.Errorf("%s: %d, %d bytes, %v", want.path, status, len(body), err)
			}
		}
	}
}

func TestConnRefusesWhatIsNotHTTP(t *testing.T) {
	for _, said := range []string{"", "\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"} {
		near, far := net.Pipe()
		go func() {
			buf := make([]byte, 10)
			_, _ = far.Read(buf)
			_, _ = far.Write([]byte(said))
			far.Close()
		}()
		c := newConn(near)
		if status, body, err := c.Do([]byte("request")); err == nil {
			t.Errorf("%q is taken for %d %q", said, status, body)
		}
		c.Close()
	}
}
