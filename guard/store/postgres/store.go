package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

// Store is a ledger in a PostgreSQL database. It is safe for concurrent use, and any number of stores may share a
// database.
type Store struct {
	options     Options
	writers     *pgxpool.Pool
	readers     *pgxpool.Pool // apart from the writers, so that many reads never keep a claim waiting
	claims      *flusher[*claiming]
	settlements *flusher[*changing]
	recent      recent
	notices     *notices
	last        atomic.Int64
	running     sync.WaitGroup // the goroutines of the flushers

	closing sync.RWMutex // held for reading while a write is begun
	closed  bool
	writing sync.WaitGroup
}

var (
	_ guard.Store       = (*Store)(nil)
	_ guard.Credentials = (*Store)(nil)
	_ guard.Watcher     = (*Store)(nil)
)

func newStore(o Options, writers, readers *pgxpool.Pool) *Store {
	s := &Store{options: o, writers: writers, readers: readers}
	s.claims = newFlusher(s, s.flushClaims)
	s.settlements = newFlusher(s, s.flushSettlements)
	s.notices = newNotices()
	s.running.Go(s.notify)
	return s
}

// enter begins a write, unless the store is closed. Each is ended by leave.
func (s *Store) enter() bool {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return false
	}
	s.writing.Add(1)
	return true
}

func (s *Store) leave() { s.writing.Done() }

// Close implements guard.Store.
func (s *Store) Close() error {
	s.closing.Lock()
	first := !s.closed
	s.closed = true
	s.closing.Unlock()
	if !first {
		return nil
	}
	s.writing.Wait()
	close(s.claims.queue)
	close(s.settlements.queue)
	close(s.notices.closed)
	s.running.Wait()
	s.writers.Close()
	s.readers.Close()
	return nil
}

// clock returns the time that a statement shall take for now: nil for the clock of the database, which is the clock of the ledger.
func (s *Store) clock() *time.Time {
	if s.options.Now == nil {
		return nil
	}
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
	now := time.UnixMicro(n).UTC()
	return &now
}

// read runs f on a connection for reads. A read that fails has changed nothing, so that it is made again where its
// connection had died before.
func (s *Store) read(ctx context.Context, op string, f func(*pgxpool.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(op, err)
	}
	for try := 1; ; try++ {
		conn, err := s.readers.Acquire(ctx)
		if err != nil {
			return unavailable(op, err)
		}
		err = f(conn)
		broken := conn.Conn().IsClosed()
		conn.Release()
		if err == nil {
			return nil
		}
		if _, ok := errors.AsType[*guard.Error](err); ok {
			return err
		}
		if !broken || try > retries || ctx.Err() != nil {
			return unavailable(op, err)
		}
	}
}
