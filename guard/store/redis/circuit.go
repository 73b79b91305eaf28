package redis

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// maxRest is the longest pause between two questions whether a broken Redis answers again.
	maxRest = 15 * time.Second
	// steady is how long a circuit must hold for the next pause to be short again. One that never does belongs to a Redis
	// that answers a ping and refuses the rest.
	steady = time.Minute
)

// circuit keeps callers from asking a Redis that does not answer. One failure breaks it, and it is mended in the background, so
// that no caller ever waits to find out. A new circuit is broken.
type circuit struct {
	whole  atomic.Bool
	turned atomic.Int64 // when whole became what it is, for people: Unix time in nanoseconds
	broken chan error   // holds the failure that broke it
}

func newCircuit() *circuit {
	c := &circuit{broken: make(chan error, 1)}
	c.turned.Store(time.Now().UnixNano())
	return c
}

// state is works, and since when.
func (c *circuit) state() (works bool, since time.Time) {
	return c.whole.Load(), time.Unix(0, c.turned.Load())
}

// close makes the circuit whole.
func (c *circuit) close() {
	c.whole.Store(true)
	c.turned.Store(time.Now().UnixNano())
}

// works reports whether Redis may be asked.
func (c *circuit) works() bool { return c.whole.Load() }

// fail breaks the circuit.
func (c *circuit) fail(err error) {
	if c.whole.CompareAndSwap(true, false) {
		c.turned.Store(time.Now().UnixNano())
		c.broken <- err // there is room: mend takes it before it makes the circuit whole again
	}
}

// mend asks until Redis answers, makes the circuit whole, waits until it breaks, rests and begins again, until ctx ends.
func (c *circuit) mend(ctx context.Context, rest time.Duration, ping func(context.Context) error, log *slog.Logger) {
	told := false
	for pause := rest; ; {
		if err := ping(ctx); err != nil {
			if !told && ctx.Err() == nil {
				log.Warn("Redis does not answer: calls are decided without it, and wake-ups between servers come late", "error", err)
				told = true
			}
			if !sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, maxRest)
			continue
		}
		if told {
			log.Info("Redis answers again")
			told = false
		}
		began := time.Now()
		c.close()
		select {
		case err := <-c.broken:
			log.Warn("an exchange with Redis failed, and it is left alone for a moment", "error", err)
		case <-ctx.Done():
			return
		}
		if time.Since(began) > steady {
			pause = rest
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, maxRest)
	}
}

// sleep reports whether ctx lasted as long as d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
