// Package load drives closed-loop callers and keeps how long each of their calls took.
//
// A caller makes its next call when the last one was answered, so a slow server is asked less often and its latency is
// that of a system in balance, not of a queue that grows. The callers share the machine's processors with what they measure;
// Conn is therefore as plain as HTTP/1.1 allows.
package load

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Caller makes calls one after the other.
type Caller struct {
	Call  func() error // timed
	After func() error // follows each call, untimed; nil for nothing
	Close func()       // nil for nothing
}

// Load says how many callers run for how long.
type Load struct {
	Callers int
	Warm    time.Duration // calls that end in it are not counted
	For     time.Duration // of the measurement; 0 for no limit where Calls is one
	Calls   int           // most calls in all, without a time to warm up; 0 for no limit
	Start   func()        // called when the measurement begins; nil for nothing
	Stop    func()        // called when it ends, while callers may still wait for their last answer
}

// Result is what was measured. The calls that ended in the measurement count.
type Result struct {
	Latencies []time.Duration // of each call that succeeded, sorted
	Elapsed   time.Duration
	Failed    int   // calls that failed, also while warming up
	First     error // one of the failures
}

// PerSecond is how many calls succeeded in a second.
func (r Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(len(r.Latencies)) / r.Elapsed.Seconds()
}

// maxFailures ends a caller: what fails this often is not going to yield a figure.
const maxFailures = 20

const (
	warming = iota
	measuring
	over
)

// run is one load while it runs.
type run struct {
	Load
	phase   atomic.Int32
	tickets atomic.Int64
	mu      sync.Mutex
	result  Result
}

// Run opens the callers with open, which gets numbers from 0, lets them run and returns when each has its last answer. The
// error is that of a caller that could not be opened, or of ctx; failures of calls are in the Result.
func (l Load) Run(ctx context.Context, open func(i int) (Caller, error)) (Result, error) {
	callers := make([]Caller, 0, l.Callers)
	defer func() {
		for _, c := range callers {
			if c.Close != nil {
				c.Close()
			}
		}
	}()
	for i := range l.Callers {
		c, err := open(i)
		if err != nil {
			return Result{}, err
		}
		callers = append(callers, c)
	}
	r := &run{Load: l}
	var all sync.WaitGroup
	if l.Calls > 0 {
		r.begin()
	}
	began := time.Now()
	for _, c := range callers {
		all.Go(func() { r.drive(ctx, c) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	if l.Calls == 0 {
		if l.Warm > 0 {
			pause(ctx.Done(), l.Warm)
		}
		r.begin()
		began = time.Now()
		pause(ctx.Done(), l.For)
	} else {
		pause(done, l.For)
	}
	r.result.Elapsed = time.Since(began)
	r.end()
	<-done
	slices.Sort(r.result.Latencies)
	return r.result, ctx.Err()
}

func (r *run) begin() {
	if r.Start != nil {
		r.Start()
	}
	r.phase.Store(measuring)
}

func (r *run) end() {
	r.phase.Store(over)
	if r.Stop != nil {
		r.Stop()
	}
}

// drive makes the calls of one caller.
func (r *run) drive(ctx context.Context, c Caller) {
	var took []time.Duration
	var failed int
	var first error
	for ctx.Err() == nil && failed < maxFailures && r.more() {
		began := time.Now()
		err := c.Call()
		d := time.Since(began)
		counts := r.phase.Load() == measuring
		if err == nil && c.After != nil {
			err = c.After()
		}
		switch {
		case err != nil:
			if failed++; first == nil {
				first = err
			}
		case counts:
			took = append(took, d)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Latencies = append(r.result.Latencies, took...)
	r.result.Failed += failed
	if r.result.First == nil {
		r.result.First = first
	}
}

func (r *run) more() bool {
	return r.phase.Load() != over && (r.Calls == 0 || r.tickets.Add(1) <= int64(r.Calls))
}

// pause waits for the end of a time, or of end. No time is without end.
func pause(end <-chan struct{}, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-end:
	}
}
