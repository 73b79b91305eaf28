package postgres

import (
	"context"
	"strings"
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
)

// notice names an effect that has changed.
type notice struct{ tenant, id string }

// notices wait to be told to other stores. They are hints: where too many wait, some are forgotten.
type notices struct {
	queue  chan notice
	closed chan struct{}
}

func newNotices() notices {
	return notices{queue: make(chan notice, maxNotices), closed: make(chan struct{})}
}

// changed has the stores that watch told of a change, soon and off the path of who made it.
func (s *Store) changed(e *guard.Effect) {
	select {
	case s.notices.queue <- notice{e.Tenant, e.ID}:
	default:
	}
}

// notify tells what has changed until the store is closed, all that has come together in one statement. It is never inside of the
// transaction of a claim: those with notifications commit one after the other.
func (s *Store) notify() {
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
		s.tell(gathered)
	}
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
	if _, err := conn.Exec(ctx, "LISTEN onceguard"); err != nil {
		return err
	}
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
