package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard"
)

const (
	// writeLimit ends a write that the server does not answer. It is long, because a write that was cut off is uncertain.
	writeLimit = 30 * time.Second

	// grace is how long a caller whose context has ended still waits for a write that can no longer be withdrawn.
	grace = 2 * time.Second

	// retries is how often a write is made again that was surely not made: a deadlock, or a connection that had died.
	retries = 5
)

// errMoved says that an effect was changed after it was read. Nothing was written.
var errMoved = errors.New("the effect is not as it was read")

// The SQLSTATEs that are told apart.
const (
	stateMoved         = "OG001" // of our function change
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateReadOnly      = "25006"
)

// write runs f on a connection for writes and returns the verdict about it. f makes one statement, or several in one
// round trip, and returns their error when the server is ready for more: only then is the write known to be durable.
//
// The caller's context ends its waiting and never the statement: a server that waits for its standby answers a
// cancelled commit as if it were safe. Before f runs, the write is withdrawn.
func (s *Store) write(ctx context.Context, op string, f func(context.Context, *pgx.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(op, err)
	}
	if !s.enter() {
		return closed(op)
	}
	conn, err := s.writers.Acquire(ctx)
	if err != nil {
		s.leave()
		return unavailable(op, err)
	}
	done := make(chan error, 1)
	go func() {
		defer s.leave()
		done <- s.attempt(op, conn, f)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	return outlast(op, ctx, done)
}

// outlast waits for a write under way, whose caller has left.
func outlast(op string, ctx context.Context, done <-chan error) error {
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return uncertain(op, ctx.Err())
	}
}

// attempt runs f until its outcome is known or cannot be, and gives the connection back.
func (s *Store) attempt(op string, conn *pgxpool.Conn, f func(context.Context, *pgx.Conn) error) error {
	for try := 1; ; try++ {
		forget(conn.Conn())
		err := limited(conn.Conn(), f)
		warning := warned(conn.Conn())
		if err != nil && isReadOnly(err) {
			_ = conn.Conn().Close(context.Background()) // the server has become a standby: the next connection finds the primary
		}
		conn.Release()
		verdict, again := judge(op, err)
		if verdict == nil && warning != "" {
			verdict = uncertain(op, errors.New(warning))
		}
		if !again || try > retries {
			return verdict
		}
		ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
		conn, err = s.writers.Acquire(ctx)
		cancel()
		if err != nil {
			return unavailable(op, err)
		}
	}
}

// limited runs f for no longer than writeLimit. The limit is set on the connection: pgx starts a goroutine for each statement whose
// context can end, which would be a tenth of the time of a lonely claim.
func limited(c *pgx.Conn, f func(context.Context, *pgx.Conn) error) error {
	if err := c.PgConn().Conn().SetDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	err := f(context.Background(), c)
	if c.IsClosed() {
		return err
	}
	_ = c.PgConn().Conn().SetDeadline(time.Time{}) // fails on a broken connection only, which the next statement finds
	return err
}

// judge tells what an error of a write means: the answer to its caller, and whether it may be made again because it surely
// was not. An ERROR of the server ends the whole transaction. Anything graver, and a connection that broke, may have come
// after the commit.
func judge(op string, err error) (verdict error, again bool) {
	if err == nil {
		return nil, false
	}
	if _, ok := errors.AsType[*guard.Error](err); ok || errors.Is(err, errMoved) {
		return err, false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.SeverityUnlocalized != "ERROR":
			return uncertain(op, err), false
		case e.Code == stateMoved:
			return errMoved, false
		}
		return unavailable(op, err), e.Code == stateSerialization || e.Code == stateDeadlock
	}
	if pgconn.SafeToRetry(err) {
		return unavailable(op, err), true
	}
	return uncertain(op, err), false
}

func isReadOnly(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == stateReadOnly
}

// A server that stops waiting for its standby says so in a warning and answers as if the commit were safe everywhere.
const warningKey = "onceguard.warning"

func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warningKey] = n.Message
	}
}

func forget(c *pgx.Conn) { delete(c.PgConn().CustomData(), warningKey) }

func warned(c *pgx.Conn) string {
	message, _ := c.PgConn().CustomData()[warningKey].(string)
	return message
}
