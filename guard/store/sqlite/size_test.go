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
	err = storetest.Each(64, effects, func() error {
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
	if err := s.Close(); err != nil { // folds the log into the file
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	per := info.Size() / effects
	t.Logf("%d bytes for each effect", per)
	if per > most {
		t.Errorf("an effect takes %d bytes, and the package comment says less than %d", per, most)
	}
}
