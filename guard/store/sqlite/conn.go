package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"time"

	engine "modernc.org/sqlite"
	"zombiezen.com/go/sqlite"
)

// busyTimeout is how long a statement waits for another process that uses the same file.
const busyTimeout = 5 * time.Second

// The settings of a connection. Pages of 8 KiB hold more of the long event rows than the default of 4 KiB. The
// write-ahead log is folded into the file every 2,000 pages (16 MiB), inside a commit: a folding that runs beside
// the writer never catches up with it. synchronous = FULL flushes the log at each commit; fullfsync does so on macOS. The cache
// of the connection that writes is small, because SQLite looks at each of its pages after a commit that has split one.
const (
	writing = `PRAGMA page_size = 8192;
		PRAGMA journal_mode = wal;
		PRAGMA synchronous = full;
		PRAGMA fullfsync = on;
		PRAGMA checkpoint_fullfsync = on;
		PRAGMA wal_autocheckpoint = 2000;
		PRAGMA journal_size_limit = 67108864;
		PRAGMA cache_size = -8192;
		PRAGMA temp_store = memory;
		PRAGMA trusted_schema = off;`
	reading = `PRAGMA query_only = on;
		PRAGMA cache_size = -16384;
		PRAGMA temp_store = memory;
		PRAGMA trusted_schema = off;`
)

// conn is a connection and the statements that it has prepared. One goroutine uses it at a time.
type conn struct {
	*sqlite.Conn
	statements map[string]*sqlite.Stmt
}

// Prepare returns the statement of a text, prepared once and ready to run. Its parameters keep what was bound to them
// last, so that each user binds all of them. It stands before the method of sqlite.Conn, which clears the parameters:
// after that SQLite 3.54 plans each statement with a join or an order anew, at ten times the price of running it.
func (c *conn) Prepare(text string) (*sqlite.Stmt, error) {
	if stmt := c.statements[text]; stmt != nil {
		return stmt, stmt.Reset()
	}
	stmt, _, err := c.PrepareTransient(text)
	if err == nil {
		c.statements[text] = stmt
	}
	return stmt, err
}

// Close closes the connection and what it has prepared.
func (c *conn) Close() error {
	var errs []error
	for _, stmt := range c.statements {
		errs = append(errs, stmt.Finalize())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// exec runs a statement that returns no rows.
func (c *conn) exec(text string) error {
	stmt, err := c.Prepare(text)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return errors.Join(err, stmt.Reset())
}

// useFdatasync lets SQLite flush with fdatasync, as the builds of its own makers do: fsync also makes a commit wait until
// the file system has recorded when the log was changed, which nobody asks for after a crash. A system without
// fdatasync keeps its own way to flush.
var useFdatasync = sync.OnceFunc(func() { _, _ = engine.Fdatasync(true) })

// openReader opens the file at an absolute path for a connection that reads. openWriter is its fellow.
func openReader(path string) (*sqlite.Conn, error) {
	return sqlite.OpenConn(path, sqlite.OpenReadWrite)
}

func openConn(open func(path string) (*sqlite.Conn, error), path, settings string) (*conn, error) {
	useFdatasync()
	opened, err := open(path)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: opened, statements: map[string]*sqlite.Stmt{}}
	c.SetBusyTimeout(busyTimeout)
	// Settings are applied one by one, because they cannot be changed inside a transaction.
	for rest := settings; ; {
		stmt, trailing, err := c.PrepareTransient(rest)
		if err != nil {
			return nil, errors.Join(explain(err), c.Close())
		}
		if stmt == nil {
			return c, nil
		}
		for more := true; more && err == nil; {
			more, err = stmt.Step()
		}
		if err := errors.Join(err, stmt.Finalize()); err != nil {
			return nil, errors.Join(explain(err), c.Close())
		}
		if trailing == 0 {
			return c, nil
		}
		rest = rest[len(rest)-trailing:]
	}
}

func explain(err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultNotADB {
		return fmt.Errorf("the file is not a ledger, nor any SQLite database: choose another file: %w", err)
	}
	return err
}
