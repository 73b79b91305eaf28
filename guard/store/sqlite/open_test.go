package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	engine "modernc.org/sqlite"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestOpenMakesPrivateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data ?%41#", "ledger.db") // SQLite is given a URI
	s := openAt(t, path, sqlite.Options{Exclusive: true})
	if _, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + ".pid": 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", name, got, want)
		}
	}
}

// TestFdatasync holds the engine to the flush that the figures of the package were taken with.
func TestFdatasync(t *testing.T) {
	openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if runtime.GOOS == "linux" && !engine.FdatasyncEnabled() {
		t.Error("a commit flushes with fsync")
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(path string) error
		want    string
	}{
		"a file that others may read": {func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o644))
		}, "set it to 0600"},
		"a folder": {func(path string) error { return os.Mkdir(path, 0o700) }, "not a regular file"},
		"a file that is no database": {func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("not a database. ", 100)), 0o600)
		}, "not a ledger"},
		"a database of another program": {func(path string) error { return script(path, "CREATE TABLE songs (title)") }, "another program"},
		"a newer ledger": {func(path string) error {
			return script(path, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 999", 0x4f6e6365))
		}, "schema 999"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			if err := c.prepare(path); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("opened with error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func script(path, text string) error {
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite, zombiezen.OpenCreate)
	if err != nil {
		return err
	}
	return errors.Join(sqlitex.ExecuteScript(conn, text, nil), conn.Close(), os.Chmod(path, 0o600))
}

func TestExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := sqlite.Open(t.Context(), path, sqlite.Options{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), path, sqlite.Options{Exclusive: true})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Fatalf("the second server got %v, want the process that holds the ledger", err)
	}
	beside := openAt(t, path, sqlite.Options{}) // a command beside a running server
	if err := beside.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, sqlite.Options{Exclusive: true})
}

// TestTwoStores has two processes' worth of stores on one file: what one acknowledged, the other sees and respects.
func TestTwoStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	a, b := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	for range 50 {
		call := storetest.NewCall("acme")
		rival := storetest.NewCall("acme")
		rival.Effect.Key = call.Effect.Key
		first, err := a.Claim(t.Context(), call)
		if err != nil || !first.Won {
			t.Fatalf("won %v, %v", first.Won, err)
		}
		second, err := b.Claim(t.Context(), rival)
		if err != nil || second.Won || second.Effect.ID != first.Effect.ID {
			t.Fatalf("won %v, %v", second.Won, err)
		}
		a, b = b, a
	}
	storetest.Check(t, a, "acme")
}
