package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestStaleMemory changes an effect through another store after this one has claimed it: what this one still remembers of
// it decides nothing.
func TestStaleMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	claimer, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	for name, c := range map[string]struct {
		meanwhile func(e guard.Effect) error
		want      guard.ErrorCode // of the settlement that follows
	}{
		"settled otherwise": {func(e guard.Effect) error {
			_, err := other.Settle(t.Context(), storetest.Outcome(e, guard.Failed))
			return err
		}, guard.CodeConflict},
		"settled equally": {func(e guard.Effect) error {
			_, err := other.Settle(t.Context(), storetest.Outcome(e, guard.Done))
			return err
		}, ""},
		"noted": {func(e guard.Effect) error {
			return other.Note(t.Context(), []guard.Note{{Tenant: e.Tenant, ID: e.ID, Code: "repeat", Count: 1}})
		}, ""},
		"renewed": {func(e guard.Effect) error {
			_, err := other.Extend(t.Context(), e.ID, e.Fence, time.Hour)
			return err
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := claimer.Claim(t.Context(), storetest.NewCall("acme"))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.meanwhile(got.Effect); err != nil {
				t.Fatal(err)
			}
			_, err = claimer.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done))
			if guard.CodeOf(err) != c.want {
				t.Fatalf("settled with %v, want code %q", err, c.want)
			}
			storetest.Check(t, claimer, "acme")
		})
	}
}

// TestMemoryOwnsItsBytes changes the caller's bytes after the claim.
func TestMemoryOwnsItsBytes(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	call := storetest.NewCall("acme")
	want := string(call.Effect.Arguments)
	got, err := s.Claim(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	clear(call.Effect.Arguments)
	settled, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done))
	if err != nil || string(settled.Arguments) != want {
		t.Fatalf("settled with arguments %q, %v", settled.Arguments, err)
	}
}
