package sqlite

import (
	"context"
	"errors"
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Log watches what reaches the system of the log of a store, and fails it. There is one at a time.
type Log struct {
	mu       sync.Mutex
	engine   methods
	writes   int
	syncs    int
	unsynced bool

	// OnWrite and OnSync answer in place of the system where they return another code than SQLITE_OK.
	OnWrite, OnSync func() int32
}

var watched *Log

// Writes and Syncs are the calls until now. Unsynced tells whether anything was written since the last sync.
func (l *Log) Counts() (writes, syncs int, unsynced bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes, l.syncs, l.unsynced
}

// TestingOnlyWatch puts l before the log of the store, until the store opens the log anew.
func (s *Store) TestingOnlyWatch(l *Log) error {
	return s.write(context.Background(), "test", func(*writer) error {
		vfsFiles.RLock()
		defer vfsFiles.RUnlock()
		for _, f := range vfsFiles.open {
			if f.path == s.path+"-wal" {
				l.engine, watched = f.engine, l
				f.engine.FxWrite, f.engine.FxSync = address(watchWrite), address(watchSync)
				return nil
			}
		}
		return errors.New("the log is not open")
	})
}

func watchWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	l := watched
	if l.OnWrite != nil {
		if rc := l.OnWrite(); rc != lib.SQLITE_OK {
			// As on a disk that is full, half of it is there.
			function[transferFunc](l.engine.FxWrite)(tls, file, data, n/2, offset)
			return rc
		}
	}
	rc := function[transferFunc](l.engine.FxWrite)(tls, file, data, n, offset)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	l.unsynced = true
	return rc
}

func watchSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	l := watched
	if l.OnSync != nil {
		if rc := l.OnSync(); rc != lib.SQLITE_OK {
			return rc
		}
	}
	rc := function[syncFunc](l.engine.FxSync)(tls, file, flags)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.syncs++
	l.unsynced = false
	return rc
}

// TestingOnlyTakeBack runs a statement and takes it back. It returns how many bytes of it were kept from the log until then.
func (s *Store) TestingOnlyTakeBack(statement string) (kept int, err error) {
	planted := errors.New("a planted failure")
	err = s.write(context.Background(), "test", func(w *writer) error {
		if err := sqlitex.ExecuteTransient(w.conn.Conn, statement, nil); err != nil {
			return err
		}
		vfsFiles.RLock()
		defer vfsFiles.RUnlock()
		for _, f := range vfsFiles.open {
			if f.path == s.path+"-wal" {
				kept += len(f.kept)
			}
		}
		return planted
	})
	if errors.Is(err, planted) {
		err = nil
	}
	return kept, err
}
