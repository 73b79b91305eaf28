package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestEditionOfAnotherProcess enters an edition through another store on the same file: from then on no claim of this one
// is won by the old book.
func TestEditionOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	claimer, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	if _, err := claimer.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
		t.Fatal(err)
	}
	first, err := other.AddEdition(t.Context(), guard.Edition{Pattern: "pay.*", Text: []byte("spec")})
	if err != nil {
		t.Fatal(err)
	}
	call := storetest.NewCall("acme")
	if _, err := claimer.Claim(t.Context(), call); guard.CodeOf(err) != guard.CodeOldBook {
		t.Fatalf("a claim by the old book gave %v", err)
	}
	call.Book = first.Number
	if got, err := claimer.Claim(t.Context(), call); err != nil || !got.Won {
		t.Fatalf("a claim by the new book: won %v, %v", got.Won, err)
	}
	second, err := claimer.AddEdition(t.Context(), guard.Edition{Text: []byte("spec")})
	if err != nil || second.Number <= first.Number {
		t.Fatalf("the next edition is %d after %d, %v", second.Number, first.Number, err)
	}
}

// TestEditionsAreFinal asks the database itself to change the book.
func TestEditionsAreFinal(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if _, err := s.AddEdition(t.Context(), guard.Edition{Pattern: "pay.*", Text: []byte("spec")}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE editions SET text = x'00'", "UPDATE editions SET number = 9", "DELETE FROM editions"} {
		if err := s.TestingOnlyExec(statement); guard.CodeOf(err) != guard.CodeUnavailable {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if book, err := s.Editions(t.Context(), 0); err != nil || len(book) != 1 || string(book[0].Text) != "spec" || book[0].Number != 1 {
		t.Errorf("the book is %v, %v", book, err)
	}
}

// TestFailedCommitOfAnEdition: what nobody knows of an entry is settled by entering it again.
func TestFailedCommitOfAnEdition(t *testing.T) {
	for _, applied := range []bool{true, false} {
		s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
		s.TestingOnlyFailCommit(applied)
		e := guard.Edition{Pattern: "pay.*", Text: []byte("spec")}
		if _, err := s.AddEdition(t.Context(), e); guard.CodeOf(err) != guard.CodeUncertain {
			t.Fatalf("applied %v: added with %v, want CodeUncertain", applied, err)
		}
		_, err := s.Claim(t.Context(), storetest.NewCall("acme"))
		if old := guard.CodeOf(err) == guard.CodeOldBook; old != applied {
			t.Errorf("applied %v: the next claim gave %v", applied, err)
		}
		if got, err := s.AddEdition(t.Context(), e); err != nil || got.Number != 1 {
			t.Errorf("applied %v: added again as %d, %v", applied, got.Number, err)
		}
	}
}

// TestRolledBackEdition breaks the batch in which an edition was entered: neither the batch nor a claim after it
// believes in an entry that never came true.
func TestRolledBackEdition(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	added, broken := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.AddEdition(t.Context(), guard.Edition{Pattern: "pay.*"})
		added <- err
	}()
	go func() { broken <- s.TestingOnlyExec("INSERT INTO effects (id) VALUES ('half')") }()
	release()
	if err := <-added; err != nil {
		t.Error(err)
	}
	if err := <-broken; guard.CodeOf(err) != guard.CodeUnavailable {
		t.Errorf("the broken request gave %v", err)
	}
	if book, err := s.Editions(t.Context(), 0); err != nil || len(book) != 1 || book[0].Number != 1 {
		t.Errorf("the book is %v, %v", book, err)
	}
	call := storetest.NewCall("acme")
	call.Book = 1
	if got, err := s.Claim(t.Context(), call); err != nil || !got.Won {
		t.Errorf("won %v, %v", got.Won, err)
	}
}

// TestEditionsOfOneBatch enters many at once: each has a number of its own.
func TestEditionsOfOneBatch(t *testing.T) {
	const entries = 16
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	numbers := make(chan int64, entries)
	for i := range entries {
		go func() {
			got, err := s.AddEdition(t.Context(), guard.Edition{Text: []byte{byte(i)}})
			if err != nil {
				t.Error(err)
			}
			numbers <- got.Number
		}()
	}
	release()
	met := map[int64]bool{}
	for range entries {
		n := <-numbers
		if met[n] || n < 1 || n > entries {
			t.Errorf("an edition has number %d", n)
		}
		met[n] = true
	}
}
