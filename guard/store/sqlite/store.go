package sqlite

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Store is a ledger in one SQLite file. It is safe for concurrent use.
type Store struct {
	path    string
	options Options
	held    *os.File // nil unless exclusive
	last    atomic.Int64
	writer  *writer

	// readers holds the idle connections for reads. An entry is nil while the file cannot be opened.
	readers chan *conn
	closing chan struct{}
}

var (
	_ guard.Store       = (*Store)(nil)
	_ guard.Credentials = (*Store)(nil)
)

func newStore(path string, o Options, held *os.File) *Store {
	s := &Store{
		path:    path,
		options: o,
		held:    held,
		readers: make(chan *conn, o.Readers),
		closing: make(chan struct{}),
	}
	s.writer = newWriter(s)
	return s
}

// now returns the time in whole microseconds. It never goes back, whatever the clock of the machine does.
func (s *Store) now() time.Time {
	n := s.options.Now().UnixMicro()
	for {
		last := s.last.Load()
		if n <= last {
			n = last
			break
		}
		if s.last.CompareAndSwap(last, n) {
			break
		}
	}
	return time.UnixMicro(n).UTC()
}

// Close implements guard.Store.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil
	}
	close(s.closing)
	err := s.disconnect()
	return errors.Join(err, release(s.held))
}

// disconnect waits for the reads under way and closes all connections.
func (s *Store) disconnect() error {
	var errs []error
	for range s.options.Readers {
		if r := <-s.readers; r != nil {
			errs = append(errs, r.Close())
		}
	}
	if s.writer.conn != nil {
		errs = append(errs, s.writer.conn.Close())
		s.writer.conn = nil
	}
	return errors.Join(errs...)
}

// reader waits for an idle connection for reads, which must be given back.
func (s *Store) reader(ctx context.Context, op string) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(op, err)
	}
	select {
	case <-s.closing:
		return nil, closed(op)
	default:
	}
	select {
	case c := <-s.readers:
		if c == nil {
			s.readers <- nil
			return nil, unavailable(op, errors.New("the file cannot be opened again after a failed commit"))
		}
		return c, nil
	case <-s.closing:
		return nil, closed(op)
	case <-ctx.Done():
		return nil, unavailable(op, ctx.Err())
	}
}

func unavailable(op string, err error) error {
	return &guard.Error{Code: guard.CodeUnavailable, Op: op, Message: "the ledger does not answer", Err: err}
}

func closed(op string) error {
	return &guard.Error{Code: guard.CodeUnavailable, Op: op, Message: "the ledger is closed"}
}

func uncertain(op string, err error) error {
	return &guard.Error{Code: guard.CodeUncertain, Op: op, Message: "the ledger did not confirm the write, which may have been made", Err: err}
}

func corrupt(op, id string) error {
	return &guard.Error{Code: guard.CodeCorrupt, Op: op, Message: "the records of effect " + id + " do not verify, so nothing is answered from them: restore the ledger from a backup"}
}

func invalid(op, field, message string) error {
	return &guard.Error{Code: guard.CodeInvalid, Op: op, Field: field, Message: message}
}

func notFound(op string) error {
	return &guard.Error{Code: guard.CodeNotFound, Op: op, Message: "there is no such effect"}
}
