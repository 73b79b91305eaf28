package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// stripping is what Prune does to an event, and allowed only at its time.
const stripping = "UPDATE events SET arguments = NULL, body = NULL, " +
	"arguments_hash = iif(arguments IS NULL, arguments_hash, zeroblob(32)), body_hash = iif(body IS NULL, body_hash, zeroblob(32))"

// TestKept asks the database itself to forget what Prune would not.
func TestKept(t *testing.T) {
	clock := storetest.NewClock()
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Now: clock.Now})
	refused := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if err := s.TestingOnlyExec(statement); guard.CodeOf(err) != guard.CodeUnavailable {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	done := func() guard.Effect {
		t.Helper()
		got, err := s.Claim(t.Context(), storetest.NewCall("acme"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	forgotten := done()
	clock.Move(storetest.Window)
	e := done()
	prune := func(r guard.Retention, want guard.Pruned) {
		t.Helper()
		if got, err := s.Prune(t.Context(), r, 10); err != nil || got != want {
			t.Errorf("pruned %+v, %v; want %+v", got, err, want)
		}
	}
	refused("DELETE FROM effects", "DELETE FROM events", stripping)
	prune(guard.Retention{Rows: 1}, guard.Pruned{Rows: 1})
	refused("DELETE FROM effects", "DELETE FROM events", stripping)

	clock.Move(storetest.Window)
	if err := s.Note(t.Context(), []guard.Note{{Tenant: "acme", ID: e.ID, Code: "doubt", Review: "doubt"}}); err != nil {
		t.Fatal(err)
	}
	another := done()
	clock.Move(storetest.Window)
	prune(guard.Retention{Bodies: 1}, guard.Pruned{Bodies: 1})
	of := fmt.Sprintf(" WHERE effect = (SELECT number FROM effects WHERE id = '%s')", e.ID)
	refused("DELETE FROM effects WHERE id = '"+e.ID+"'", stripping+of)
	of = fmt.Sprintf(" WHERE effect = (SELECT number FROM effects WHERE id = '%s')", another.ID)
	refused("DELETE FROM events"+of, stripping+", note = 'x'"+of, "UPDATE events SET arguments_hash = zeroblob(32)"+of,
		"UPDATE events SET arguments_hash = NULL"+of, "UPDATE events SET arguments = x'7b7d', arguments_hash = NULL"+of)
	storetest.Check(t, s, "acme")
	if _, err := s.Get(t.Context(), "acme", forgotten.ID); guard.CodeOf(err) != guard.CodeNotFound {
		t.Errorf("a forgotten effect gave %v", err)
	}
}

// TestCorruptIsNotPruned leaves what does not verify for a person.
func TestCorruptIsNotPruned(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := openAt(t, path, sqlite.Options{Now: clock.Now})
	fill(t, s, 2)
	if err := script(path, "DROP TRIGGER events_are_final; UPDATE events SET note = 'x' WHERE number = 2"); err != nil {
		t.Fatal(err)
	}
	clock.Move(storetest.Window)
	if got, err := s.Prune(t.Context(), guard.Retention{Bodies: 1}, 10); err != nil || got.Bodies != 1 {
		t.Errorf("pruned %+v, %v; want the one that verifies", got, err)
	}
}

// TestSizeOfPruned holds the package comment to what it says about effects that lost their bytes, and about room that is used again.
func TestSizeOfPruned(t *testing.T) {
	const effects, most = 2000, 1050
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	prune := func(r guard.Retention) {
		t.Helper()
		for {
			got, err := s.Prune(t.Context(), r, 100)
			if err != nil {
				t.Fatal(err)
			}
			if got.Bodies+got.Rows < 100 {
				return
			}
		}
	}
	fill(t, s, effects)
	clock.Move(storetest.Window)
	pages, err := s.TestingOnlyPages()
	if err != nil {
		t.Fatal(err)
	}
	prune(guard.Retention{Rows: time.Hour})
	fill(t, s, effects)
	clock.Move(storetest.Window)
	again, err := s.TestingOnlyPages()
	if err != nil || again > pages+pages/20 {
		t.Errorf("%d pages, %v, and before the first ones were forgotten %d", again, err, pages)
	}
	prune(guard.Retention{Bodies: time.Hour})
	if err := s.TestingOnlyVacuum(); err != nil {
		t.Fatal(err)
	}
	if per := sizeOf(t, s, path) / effects; per > most {
		t.Errorf("an effect without its bytes takes %d bytes, and the package comment says less than %d", per, most)
	}
}
