package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/onceguard/onceguard/guard"
)

// grace is how long a caller whose context has ended still waits for a write that can no longer be withdrawn. A commit
// takes milliseconds, so that only a disk that hangs makes the answer uncertain.
const grace = 2 * time.Second

// The life of a request: the writer takes it or the caller withdraws it, whoever comes first.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// request is one write that waits for the writer.
type request struct {
	op    string
	apply func(*writer) error // may run more than once, each time on a rolled back ledger
	state atomic.Int32
	err   error
	done  chan struct{}
}

// writer owns the only connection that writes. All its methods but submit and stop run on its goroutine.
type writer struct {
	store   *Store
	queue   chan *request
	stopped chan struct{} // closed when run has returned

	mu     sync.RWMutex // held for reading while a request is put into the queue
	closed bool

	conn       *conn     // nil after a commit that failed, until the file was opened again
	now        time.Time // of the request that is applied
	lastEffect int64     // highest number in use, read at the start of each batch
	lastEvent  int64
	lastEntry  int64 // of the book
	recent     recent
	commitConn func(*conn) error // replaced by tests
}

func newWriter(s *Store) *writer {
	return &writer{
		store:      s,
		queue:      make(chan *request, s.options.MaxBatch),
		stopped:    make(chan struct{}),
		commitConn: func(c *conn) error { return c.exec("COMMIT") },
	}
}

// write runs apply in the next batch and returns once its commit is durable.
func (s *Store) write(ctx context.Context, op string, apply func(*writer) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(op, err)
	}
	r := &request{op: op, apply: apply, done: make(chan struct{})}
	if err := s.writer.submit(ctx, r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	if r.state.CompareAndSwap(waiting, withdrawn) {
		return unavailable(op, ctx.Err())
	}
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-r.done:
		return r.err
	case <-limit.C:
		return uncertain(op, ctx.Err())
	}
}

func (w *writer) submit(ctx context.Context, r *request) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return closed(r.op)
	}
	select {
	case w.queue <- r:
		return nil
	case <-ctx.Done():
		return unavailable(r.op, ctx.Err())
	}
}

// stop lets the writer finish what is in the queue. It returns false when it was called before.
func (w *writer) stop() bool {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	if first {
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
	return first
}

func (w *writer) run() {
	defer close(w.stopped)
	for first := range w.queue {
		// Callers that were answered by the last commit are about to write again. Letting them run first joins
		// them into one batch; waiting for them by the clock would make a lonely caller slower.
		runtime.Gosched()
		w.commit(w.gather(first))
	}
}

// gather takes what waits, without waiting for more.
func (w *writer) gather(first *request) []*request {
	var batch []*request
	for r, ok := first, true; ok; {
		if r.state.CompareAndSwap(waiting, taken) {
			batch = append(batch, r)
		}
		if len(batch) == w.store.options.MaxBatch {
			break
		}
		select {
		case r, ok = <-w.queue:
		default:
			ok = false
		}
	}
	return batch
}

// commit makes the batch durable with one commit and answers each request. When one of them breaks the batch, which no
// refusal does, each is tried alone, so that it disturbs nobody but itself.
func (w *writer) commit(batch []*request) {
	if len(batch) == 0 {
		return
	}
	err := w.try(batch)
	var broken *brokenError
	if errors.As(err, &broken) && len(batch) > 1 {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	for _, r := range batch {
		// A refusal falls with its batch, because it may rest on a write of the same batch that never came true.
		// It wrote nothing, so that it is never uncertain.
		switch {
		case err == nil:
		case errors.Is(err, errCommit) && r.err == nil:
			r.err = uncertain(r.op, err)
		default:
			r.err = unavailable(r.op, err)
		}
		close(r.done)
	}
}

// brokenError is the failure of one statement of a batch, which was then rolled back.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// errCommit marks a commit of which nobody knows whether it will be found after a crash.
var errCommit = errors.New("commit failed")

// try applies and commits a batch. Unless it returns nil or errCommit, nothing was and nothing will be written.
func (w *writer) try(batch []*request) error {
	if err := w.begin(); err != nil {
		return errors.Join(err, w.rollback())
	}
	for _, r := range batch {
		w.now = w.store.now()
		if r.err = r.apply(w); r.err != nil && !isRefusal(r.err) {
			return &brokenError{errors.Join(r.err, w.rollback())}
		}
	}
	err := w.commitConn(w.conn)
	if err == nil {
		return nil
	}
	// A commit that could not write the whole of its pages is not one: the log has no end mark for it.
	if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultBusy || code == sqlite.ResultFull {
		return errors.Join(err, w.rollback())
	}
	// The end mark may be in the log although its flush failed, and a crash might bring it to light. Until the file
	// was opened again nothing else may be decided, because it would be decided on what may not be there.
	w.abandon()
	return errors.Join(errCommit, err)
}

// isRefusal tells an answer of the ledger's rules, before which nothing was written, from a failure of the disk.
func isRefusal(err error) bool {
	var e *guard.Error
	return errors.As(err, &e)
}

func (w *writer) begin() error {
	if w.conn == nil {
		if err := w.reopen(); err != nil {
			return err
		}
	}
	// IMMEDIATE takes the right to write at once: what the batch reads stays true until its commit.
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	stmt, err := w.conn.Prepare(sqlLastNumbers)
	if err != nil {
		return err
	}
	defer stmt.Reset()
	if _, err := stmt.Step(); err != nil {
		return err
	}
	w.lastEffect, w.lastEvent, w.lastEntry = stmt.ColumnInt64(0), stmt.ColumnInt64(1), stmt.ColumnInt64(2)
	return nil
}

// rollback leaves the connection without a transaction, or gives it up.
func (w *writer) rollback() error {
	w.recent.clear()
	if w.conn == nil || w.conn.AutocommitEnabled() {
		return nil
	}
	err := w.conn.exec("ROLLBACK")
	if err != nil || !w.conn.AutocommitEnabled() {
		w.abandon()
	}
	return err
}

// abandon closes all connections, so that the next one reads the log from the disk. Reads answer
// CodeUnavailable until then.
func (w *writer) abandon() {
	w.recent.clear()
	// The errors of closing say nothing new: the store already knows that it cannot rely on these connections.
	_ = w.store.disconnect()
	for range w.store.options.Readers {
		w.store.readers <- nil
	}
}

// reopen brings the store back after abandon. It moves all that the log holds into the file and flushes
// that, because a page that once failed to be flushed may look clean to the kernel and not be on the disk.
func (w *writer) reopen() error {
	for range w.store.options.Readers {
		<-w.store.readers
	}
	err := w.store.connect(context.Background())
	if err != nil {
		for range w.store.options.Readers {
			w.store.readers <- nil
		}
		return err
	}
	busy, err := sqlitex.ResultInt(w.conn.Prep("PRAGMA wal_checkpoint(truncate)"))
	if err == nil && busy != 0 {
		err = errors.New("another process uses the file, so that its log cannot be folded in")
	}
	if err != nil {
		w.abandon()
	}
	return err
}
