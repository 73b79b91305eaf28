package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestSize holds the package comment to what it says about the bytes of an effect.
func TestSize(t *testing.T) {
	const effects, most = 2000, 2100
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, effects)
	if per := sizeOf(t, s, path) / effects; per > most {
		t.Errorf("an effect takes %d bytes, and the package comment says less than %d", per, most)
	}
}

// fill records done effects.
func fill(t *testing.T, s *sqlite.Store, effects int) {
	t.Helper()
	err := storetest.Each(64, effects, func() error {
		got, err := s.Claim(t.Context(), storetest.NewCall("acme"))
		if err != nil {
			return err
		}
		_, err = s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sizeOf closes the ledger, which folds the log into the file, and gives the bytes of the file.
func sizeOf(t *testing.T, s *sqlite.Store, path string) int64 {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
