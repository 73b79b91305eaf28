package postgres

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// The life of a request: a flusher takes it or the caller withdraws it, whoever comes first.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// request is one write that waits for a flusher.
type request[T any] struct {
	op    string
	what  T // the flush writes its answer into it
	err   error
	state atomic.Int32
	done  chan error
}

// flusher joins the writes that wait into one statement. Each of its goroutines takes all that wait, makes them durable in one round
// trip, and answers them. It never waits for more to come, so that a lonely caller pays one round trip and many callers
// share one.
type flusher[T any] struct {
	store *Store
	queue chan *request[T]
	// flush writes the requests in one transaction. What it returns concerns them all; a request that the rules
	// refuse has its own err.
	flush func(context.Context, *pgx.Conn, []*request[T]) error
}

func newFlusher[T any](s *Store, flush func(context.Context, *pgx.Conn, []*request[T]) error) *flusher[T] {
	f := &flusher[T]{store: s, queue: make(chan *request[T], s.options.MaxBatch), flush: flush}
	for range flushers {
		s.running.Go(f.run)
	}
	return f
}

// write returns once what is durable or refused.
func (f *flusher[T]) write(ctx context.Context, op string, what T) error {
	if err := ctx.Err(); err != nil {
		return unavailable(op, err)
	}
	if !f.store.enter() {
		return closed(op)
	}
	defer f.store.leave()
	r := &request[T]{op: op, what: what, done: make(chan error, 1)}
	select {
	case f.queue <- r:
	case <-ctx.Done():
		return unavailable(op, ctx.Err())
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
	}
	if r.state.CompareAndSwap(waiting, withdrawn) {
		return unavailable(op, ctx.Err())
	}
	return outlast(op, ctx, r.done)
}

func (f *flusher[T]) run() {
	for first := range f.queue {
		f.serve(first)
	}
}

// serve takes what waits when it has a connection, and not before: until then callers can withdraw.
func (f *flusher[T]) serve(first *request[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	conn, err := f.store.writers.Acquire(ctx)
	if err != nil {
		for _, r := range f.gather(first) {
			r.done <- unavailable(r.op, err)
		}
		return
	}
	// Callers that were answered by the last statement are about to write again. Letting them run first joins them.
	runtime.Gosched()
	batch := f.gather(first)
	if len(batch) == 0 {
		conn.Release()
		return
	}
	f.commit(conn, batch)
}

// gather takes what waits, without waiting for more.
func (f *flusher[T]) gather(first *request[T]) []*request[T] {
	var batch []*request[T]
	for r, ok := first, true; ok; {
		if r.state.CompareAndSwap(waiting, taken) {
			batch = append(batch, r)
		}
		if len(batch) == f.store.options.MaxBatch {
			break
		}
		select {
		case r, ok = <-f.queue:
		default:
			ok = false
		}
	}
	return batch
}

// commit makes a batch durable and answers each request. When the server refuses it as a whole, which no rule does, each
// is tried alone, so that a bad one disturbs nobody but itself.
func (f *flusher[T]) commit(conn *pgxpool.Conn, batch []*request[T]) {
	err := f.store.attempt(batch[0].op, conn, func(ctx context.Context, c *pgx.Conn) error {
		for _, r := range batch {
			r.err = nil
		}
		return f.flush(ctx, c, batch)
	})
	if guard.CodeOf(err) == guard.CodeUnavailable && len(batch) > 1 {
		f.each(batch, err)
		return
	}
	for _, r := range batch {
		if err != nil {
			r.err = err
		}
		r.done <- r.err
	}
}

// each commits the requests of a refused batch one by one.
func (f *flusher[T]) each(batch []*request[T], refused error) {
	for i := range batch {
		ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
		conn, err := f.store.writers.Acquire(ctx)
		cancel()
		if err != nil { // the server is gone, and all of them fail alike
			for _, r := range batch[i:] {
				r.done <- refused
			}
			return
		}
		f.commit(conn, batch[i:i+1])
	}
}
