package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestLogWrites counts what a commit asks of the system: it is written at once and flushed before it is answered.
func TestLogWrites(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	var log sqlite.Log
	if err := s.TestingOnlyWatch(&log); err != nil {
		t.Fatal(err)
	}
	const claims = 500 // so many that the log is folded into the file and begun anew
	for i := range claims {
		_, before, _ := log.Counts()
		if got, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil || !got.Won {
			t.Fatalf("won %v, %v", got.Won, err)
		}
		if _, after, unsynced := log.Counts(); after <= before || unsynced {
			t.Fatalf("claim %d was answered before its flush: %d flushes, %d before it, unflushed %v", i, after, before, unsynced)
		}
	}
	if writes, _, _ := log.Counts(); writes < claims || writes > claims*11/10 {
		t.Errorf("%d commits made %d writes", claims, writes)
	}
}

// TestLogFlushIsAwaited stops the flush: nothing is answered until it is over.
func TestLogFlushIsAwaited(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	var log sqlite.Log
	if err := s.TestingOnlyWatch(&log); err != nil {
		t.Fatal(err)
	}
	entered, end := make(chan struct{}), make(chan struct{})
	log.OnSync = func() int32 {
		select {
		case entered <- struct{}{}:
			<-end
		case <-end: // a later flush, such as that of Close
		}
		return lib.SQLITE_OK
	}
	answered := make(chan error, 1)
	go func() {
		_, err := s.Claim(context.Background(), storetest.NewCall("acme"))
		answered <- err
	}()
	<-entered
	select {
	case err := <-answered:
		t.Errorf("answered before the flush: %v", err)
	default:
	}
	close(end)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

// TestLogFails fails a write and a flush of the log, as the system would: the caller is told what is known of the claim, and the
// store goes on from what is in the file.
func TestLogFails(t *testing.T) {
	for name, c := range map[string]struct {
		write, sync int32
		want        guard.ErrorCode
	}{
		"the flush":   {sync: lib.SQLITE_IOERR_FSYNC, want: guard.CodeUncertain},
		"the write":   {write: lib.SQLITE_IOERR_WRITE, want: guard.CodeUncertain},
		"a full disk": {write: lib.SQLITE_FULL, want: guard.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			s := openAt(t, path, sqlite.Options{})
			before, err := s.Claim(t.Context(), storetest.NewCall("acme"))
			if err != nil {
				t.Fatal(err)
			}
			var log sqlite.Log
			if err := s.TestingOnlyWatch(&log); err != nil {
				t.Fatal(err)
			}
			once := func(rc int32) func() int32 {
				return func() int32 {
					defer func() { rc = lib.SQLITE_OK }()
					return rc
				}
			}
			log.OnWrite, log.OnSync = once(c.write), once(c.sync)
			call := storetest.NewCall("acme")
			if _, err := s.Claim(t.Context(), call); guard.CodeOf(err) != c.want {
				t.Fatalf("the claim gave %v, want %s", err, c.want)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("the store did not recover: %v", err)
			}
			found, err := s.Lookup(t.Context(), call.Effect.Key)
			if err != nil || found.Effect != nil {
				t.Errorf("a claim whose commit failed was made: %v, %v", found.Effect, err)
			}
			if _, err := s.Settle(t.Context(), storetest.Outcome(before.Effect, guard.Done)); err != nil {
				t.Fatal(err)
			}
			storetest.Check(t, openAt(t, path, sqlite.Options{}), "acme")
		})
	}
}

// TestLogForgets makes a batch too large for memory and takes another back, of which a part was kept from the log, and lets another
// process, in the form of a second store, write to the same place of the log.
func TestLogForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	a, b := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	claims := 0
	claim := func(s *sqlite.Store) {
		t.Helper()
		if got, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil || !got.Won {
			t.Fatalf("won %v, %v", got.Won, err)
		}
		claims++
	}
	// More than the cache holds, once in order and once so that pages change again that are in the log.
	const inOrder = `INSERT INTO tallies
		WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4000), long (text) AS MATERIALIZED (SELECT hex(zeroblob(1500)))
		SELECT 'acme', n, hex(randomblob(8)) || text, 'kind', 'code', 1 FROM n, long`
	if err := a.TestingOnlyExec(strings.Replace(inOrder, "'acme', n,", "'acme', n % 70,", 1)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		claim(a)
		kept, err := a.TestingOnlyTakeBack(inOrder)
		if err != nil {
			t.Fatal(err)
		}
		if kept == 0 {
			t.Error("nothing was kept from the log: the test proves nothing")
		}
		claim(b)
		claim(a)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if found := storetest.Check(t, openAt(t, path, sqlite.Options{}), "acme"); len(found) != claims {
		t.Errorf("%d effects of %d claims", len(found), claims)
	}
	if err := script(path, `CREATE TEMP TABLE sound (ok TEXT CHECK (ok = 'ok'));
		INSERT INTO sound SELECT * FROM pragma_integrity_check;
		CREATE TEMP TABLE counted (n INTEGER CHECK (n = 4000));
		INSERT INTO counted SELECT count(*) FROM tallies`); err != nil {
		t.Error(err)
	}
}
