package postgres

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

const (
	// noticeEvery is how long changes are gathered before others are told of them.
	noticeEvery = 10 * time.Millisecond
	// maxNotices is how many changes wait to be told; more are not told of.
	maxNotices = 4096
	// maxMessage keeps a message below the 8000 bytes that PostgreSQL takes.
	maxMessage = 7000
	// listenAgain is how long a watch that lost its connection waits before it looks for another one.
	listenAgain = time.Second
	// askListeners is how long it is believed that somebody listens, or nobody.
	askListeners = time.Second
)

// Who listens holds this lock in common, so that others can see whether there is anybody to tell.
const (
	sqlListen    = "LISTEN onceguard; SELECT pg_advisory_lock_shared(1330529125, 3)"
	sqlListeners = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1330529125 AND objid = 3 AND objsubid = 2
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
)

// notice names an effect that has changed.
type notice struct{ tenant, id string }

// notices wait to be told to other stores. They are hints: where too many wait, some are forgotten.
type notices struct {
	queue    chan notice
	closed   chan struct{}
	watching atomic.Int64 // connections of this store that listen
	quiet    atomic.Int64 // until when nobody listens, as far as is known: nanoseconds since 1970
}

func newNotices() *notices {
	return &notices{queue: make(chan notice, maxNotices), closed: make(chan struct{})}
}

// changed has the stores that watch told of a change, soon and off the path of who made it.
func (s *Store) changed(e *guard.Effect) {
	if time.Now().UnixNano() < s.notices.quiet.Load() {
		return
	}
	select {
	case s.notices.queue <- notice{e.Tenant, e.ID}:
	default:
	}
}

// notify tells what has changed until the store is closed, all that has come together in one statement. It is never inside of the
// transaction of a claim: those with notifications commit one after the other. While no other store listens, nothing is said.
func (s *Store) notify() {
	var asked time.Time
	var heard bool
	for {
		var gathered []notice
		select {
		case n := <-s.notices.queue:
			gathered = append(gathered, n)
		case <-s.notices.closed:
			return
		}
		pause := time.NewTimer(noticeEvery)
		select {
		case <-pause.C:
		case <-s.notices.closed:
			pause.Stop()
		}
		for len(s.notices.queue) > 0 {
			gathered = append(gathered, <-s.notices.queue)
		}
		if time.Since(asked) > askListeners {
			asked, heard = time.Now(), s.heard()
		}
		if heard {
			s.tell(gathered)
		} else {
			s.notices.quiet.Store(asked.Add(askListeners).UnixNano())
		}
	}
}

// heard tells whether another store listens.
func (s *Store) heard() bool {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	var listeners int64
	err := s.writers.QueryRow(ctx, sqlListeners).Scan(&listeners)
	return err == nil && listeners > s.notices.watching.Load()
}

// tell makes one statement of notices. What it says is a hint, so that its failure is nobody's.
func (s *Store) tell(gathered []notice) {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	_, _ = s.writers.Exec(ctx, sqlWake, messages(gathered))
}

// messages packs notices into few messages. Each line is the tenant, a tab and the id.
func messages(gathered []notice) []string {
	var out []string
	var b strings.Builder
	seen := map[notice]bool{}
	for _, n := range gathered {
		line := encodeText(n.tenant) + "\t" + encodeText(n.id) + "\n"
		if seen[n] || strings.ContainsAny(n.tenant+n.id, "\t\n") || len(line) > maxMessage {
			continue
		}
		seen[n] = true
		if b.Len()+len(line) > maxMessage {
			out = append(out, b.String())
			b.Reset()
		}
		b.WriteString(line)
	}
	return append(out, b.String())
}

// Watch implements guard.Watcher with LISTEN, on a connection of its own that it has as long as it runs. Through a pooler that
// gives each transaction another session it hears nothing.
func (s *Store) Watch(ctx context.Context, woken func(tenant, id string)) error {
	if !s.enter() {
		return closed("watch")
	}
	s.leave()
	for {
		_ = s.listen(ctx, woken) // it goes on by itself: a hint that was lost is nobody's failure
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.notices.closed:
			return closed("watch")
		case <-time.After(listenAgain):
		}
	}
}

// errPooled ends an attempt to listen where nothing can be heard.
var errPooled = errors.New("the session is not this store's own")

// listen hears until its connection breaks, ctx ends or the store is closed.
func (s *Store) listen(ctx context.Context, woken func(tenant, id string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.notices.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := pgx.ConnectConfig(ctx, s.readers.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if direct, err := isDirect(ctx, conn); err != nil || !direct {
		return errors.Join(err, errPooled)
	}
	if _, err := conn.Exec(ctx, sqlListen, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	s.notices.watching.Add(1)
	defer s.notices.watching.Add(-1)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		for line := range strings.Lines(n.Payload) {
			tenant, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if ok {
				woken(decodeText(tenant), decodeText(id))
			}
		}
	}
}
