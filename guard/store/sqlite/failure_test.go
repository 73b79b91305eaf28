package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestDiskFull fills the file up to a limit: claims are refused as not written, what was acknowledged stays, and the ledger
// goes on by itself when there is room again.
func TestDiskFull(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	pages, err := s.TestingOnlyPages()
	if err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if err := s.TestingOnlyExec(fmt.Sprint("PRAGMA max_page_count = ", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 20)
	won := map[string]bool{}
	var full error
	for range 10_000 {
		call := storetest.NewCall("acme")
		got, err := s.Claim(t.Context(), call)
		if err != nil {
			full = err
			break
		}
		won[got.Effect.ID] = true
	}
	if guard.CodeOf(full) != guard.CodeUnavailable || len(won) == 0 {
		t.Fatalf("%d claims, then %v; want CodeUnavailable", len(won), full)
	}
	found := storetest.Check(t, s, "acme")
	if len(found) != len(won) {
		t.Fatalf("%d effects of %d claims", len(found), len(won))
	}
	limit(pages + 10_000)
	if got, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil || !got.Won {
		t.Fatalf("after room was made: won %v, %v", got.Won, err)
	}
}

// TestFailedCommit fails a commit after and before it was applied: the caller is told that nobody knows, and the store
// reads the truth from the disk before it goes on.
func TestFailedCommit(t *testing.T) {
	for _, applied := range []bool{true, false} {
		t.Run(fmt.Sprint("applied=", applied), func(t *testing.T) {
			s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
			before, err := s.Claim(t.Context(), storetest.NewCall("acme"))
			if err != nil {
				t.Fatal(err)
			}
			s.TestingOnlyFailCommit(applied)
			call := storetest.NewCall("acme")
			_, err = s.Claim(t.Context(), call)
			if guard.CodeOf(err) != guard.CodeUncertain {
				t.Fatalf("the claim gave %v, want CodeUncertain", err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("the store did not recover: %v", err)
			}
			found, err := s.Lookup(t.Context(), call.Effect.Key)
			if err != nil || (found.Effect != nil) != applied {
				t.Fatalf("found %v, %v; applied was %v", found.Effect, err, applied)
			}
			if applied && found.Effect.Claim != call.Effect.Claim {
				t.Fatal("the claim that was found is another's")
			}
			if _, err := s.Settle(t.Context(), storetest.Outcome(before.Effect, guard.Done)); err != nil {
				t.Fatal(err)
			}
			storetest.Check(t, s, "acme")
		})
	}
}

// TestBrokenRequest joins one request that SQLite refuses with others in one batch: only it fails.
func TestBrokenRequest(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	errs := make(chan error, 9)
	for range 8 {
		go func() {
			_, err := s.Claim(context.Background(), storetest.NewCall("acme"))
			errs <- err
		}()
	}
	broken := make(chan error, 1)
	go func() { broken <- s.TestingOnlyExec("INSERT INTO effects (id) VALUES ('half')") }()
	release()
	for range 8 {
		if err := <-errs; err != nil {
			t.Errorf("a good request failed: %v", err)
		}
	}
	if err := <-broken; guard.CodeOf(err) != guard.CodeUnavailable {
		t.Errorf("the broken request gave %v", err)
	}
	if n := len(storetest.Check(t, s, "acme")); n != 8 {
		t.Errorf("%d effects", n)
	}
}

// TestWithdrawn ends the context of a write that waits behind another: it is never made.
func TestWithdrawn(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	ctx, cancel := context.WithCancel(t.Context())
	call := storetest.NewCall("acme")
	got := make(chan error, 1)
	go func() {
		_, err := s.Claim(ctx, call)
		got <- err
	}()
	cancel()
	err := <-got
	release()
	if guard.CodeOf(err) != guard.CodeUnavailable {
		t.Fatalf("a withdrawn claim gave %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Lookup(t.Context(), call.Effect.Key); err != nil || found.Effect != nil {
		t.Fatalf("a withdrawn claim was made: %v, %v", found.Effect, err)
	}
}

// TestCorrupt changes recorded bytes behind the store's back: nothing is answered from them, and nothing is claimed over them.
func TestCorrupt(t *testing.T) {
	for name, change := range map[string]string{
		"result":    "UPDATE events SET body = x'7477696365' WHERE seq = 2",
		"arguments": "UPDATE events SET arguments = x'7b7d' WHERE seq = 1",
		"actor":     "UPDATE events SET actor_name = 'mallory' WHERE seq = 2",
		"state":     "UPDATE effects SET state = 'failed', failures = attempts",
		"head":      "UPDATE effects SET head = zeroblob(32)",
		"missing":   "DELETE FROM events WHERE seq = 2",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			s := openAt(t, path, sqlite.Options{})
			call := storetest.NewCall("acme")
			call.Effect.Near = storetest.Digest("near", 1)
			got, err := s.Claim(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done)); err != nil {
				t.Fatal(err)
			}
			if err := script(path, "DROP TRIGGER events_are_final; DROP TRIGGER events_are_kept; "+change); err != nil {
				t.Fatal(err)
			}
			_, lookup := s.Lookup(t.Context(), call.Effect.Key)
			_, get := s.Get(t.Context(), "acme", call.Effect.ID)
			_, events := s.Events(t.Context(), "acme", call.Effect.ID)
			again := storetest.NewCall("acme")
			again.Effect.Key = call.Effect.Key
			_, claim := s.Claim(t.Context(), again)
			worded := storetest.NewCall("acme")
			worded.Effect.Near, worded.CheckNear = call.Effect.Near, true
			_, rivals := s.Rivals(t.Context(), "acme", guard.NearEffect, worded.Effect.Near, worded.Effect.Key)
			_, near := s.Claim(t.Context(), worded)
			if name == "state" { // as a failed effect it is near to nothing
				rivals, near = get, get
			}
			for verb, err := range map[string]error{"lookup": lookup, "get": get, "events": events, "claim": claim, "rivals": rivals, "near claim": near} {
				if guard.CodeOf(err) != guard.CodeCorrupt {
					t.Errorf("%s gave %v, want CodeCorrupt", verb, err)
				}
			}
			if _, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
				t.Errorf("another effect cannot be claimed: %v", err)
			}
		})
	}
}

// TestEventsAreFinal asks the database itself to change history.
func TestEventsAreFinal(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if _, err := s.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE events SET note = 'x'", "DELETE FROM events", "DELETE FROM effects", "UPDATE effects SET state = 'sent'", "UPDATE effects SET fence = 0", "UPDATE effects SET due = NULL"} {
		if err := s.TestingOnlyExec(statement); guard.CodeOf(err) != guard.CodeUnavailable {
			t.Errorf("%s: %v", statement, err)
		}
	}
	storetest.Check(t, s, "acme")
}
