package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"zombiezen.com/go/sqlite/sqlitex"
)

// TestingOnlyExec runs a statement on the writer's connection, outside of the contract.
func (s *Store) TestingOnlyExec(statement string) error {
	return s.write(context.Background(), "test", func(w *writer) error {
		return sqlitex.ExecuteTransient(w.conn.Conn, statement, nil)
	})
}

// TestingOnlyPages returns how many pages the file has.
func (s *Store) TestingOnlyPages() (n int, err error) {
	err = s.write(context.Background(), "test", func(w *writer) error {
		n, err = sqlitex.ResultInt(w.conn.Prep("PRAGMA page_count"))
		return err
	})
	return n, err
}

// TestingOnlyVacuum packs the file, as one would be that had never held what was forgotten. No transaction may be open.
func (s *Store) TestingOnlyVacuum() error {
	return sqlitex.ExecuteTransient(s.writer.conn.Conn, "VACUUM", nil)
}

// TestingOnlyFailCommit makes the next commit fail as a failed flush would, after it was applied or before.
func (s *Store) TestingOnlyFailCommit(applied bool) {
	_ = s.write(context.Background(), "test", func(w *writer) error {
		commit := w.commitConn
		w.commitConn = func(c *conn) error {
			if err := commit(c); err != nil { // the commit of this very request
				return err
			}
			w.commitConn = func(c *conn) error {
				w.commitConn = commit
				if applied {
					return errors.Join(commit(c), errors.New("a planted failure of the flush"))
				}
				return errors.New("a planted failure of the flush")
			}
			return nil
		}
		return nil
	})
}

// TestingOnlyBlock stops the writer inside a request until the returned function is called.
func (s *Store) TestingOnlyBlock() (release func()) {
	entered, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- s.write(context.Background(), "test", func(*writer) error {
			close(entered)
			<-end
			return nil
		})
	}()
	<-entered
	return func() {
		close(end)
		<-done
	}
}

// TestingOnlyPlans returns the query plan and the program of each statement by its name.
func (s *Store) TestingOnlyPlans() (plans, programs map[string]string, err error) {
	names, err := fs.Glob(queryFiles, "queries/*.sql")
	if err != nil {
		return nil, nil, err
	}
	plans, programs = map[string]string{}, map[string]string{}
	err = s.write(context.Background(), "test", func(w *writer) error {
		for _, name := range names {
			text := embedded(queryFiles, name)
			key := strings.TrimSuffix(strings.TrimPrefix(name, "queries/"), ".sql")
			if plans[key], err = column(w.conn, "EXPLAIN QUERY PLAN "+text, 3); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if programs[key], err = column(w.conn, "EXPLAIN "+text, 1); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	return plans, programs, err
}

// column runs a statement whose parameters are not bound, which explaining it does not need.
func column(c *conn, text string, n int) (string, error) {
	stmt, _, err := c.PrepareTransient(text)
	if err != nil {
		return "", err
	}
	defer stmt.Finalize()
	var lines []string
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return strings.Join(lines, "\n"), err
		}
		lines = append(lines, stmt.ColumnText(n))
	}
}
