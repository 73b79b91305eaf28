package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestEntryOfAnotherProcess makes an entry through another store on the same file: from then on no claim of this one
// is won by the old book.
func TestEntryOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	claimer, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	if _, err := claimer.Claim(t.Context(), storetest.NewCall("acme")); err != nil {
		t.Fatal(err)
	}
	first, err := other.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Name: "pay.*", Text: []byte("spec")})
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
	second, err := claimer.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Text: []byte("spec")})
	if err != nil || second.Number <= first.Number {
		t.Fatalf("the next entry is %d after %d, %v", second.Number, first.Number, err)
	}
}

// TestBookIsFinal asks the database itself to change the book.
func TestBookIsFinal(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if _, err := s.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Name: "pay.*", Text: []byte("spec")}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE book SET text = x'00'", "UPDATE book SET number = 9", "DELETE FROM book"} {
		if err := s.TestingOnlyExec(statement); guard.CodeOf(err) != guard.CodeUnavailable {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if book, err := s.Book(t.Context(), 0); err != nil || len(book) != 1 || string(book[0].Text) != "spec" || book[0].Number != 1 {
		t.Errorf("the book is %v, %v", book, err)
	}
}

// TestFailedCommitOfAnEntry: what nobody knows of an entry is settled by entering it again.
func TestFailedCommitOfAnEntry(t *testing.T) {
	for _, applied := range []bool{true, false} {
		s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
		s.TestingOnlyFailCommit(applied)
		e := guard.Entry{Kind: guard.EntryEdition, Name: "pay.*", Text: []byte("spec")}
		if _, err := s.Enter(t.Context(), e); guard.CodeOf(err) != guard.CodeUncertain {
			t.Fatalf("applied %v: entered with %v, want CodeUncertain", applied, err)
		}
		_, err := s.Claim(t.Context(), storetest.NewCall("acme"))
		if old := guard.CodeOf(err) == guard.CodeOldBook; old != applied {
			t.Errorf("applied %v: the next claim gave %v", applied, err)
		}
		if got, err := s.Enter(t.Context(), e); err != nil || got.Number != 1 {
			t.Errorf("applied %v: entered again as %d, %v", applied, got.Number, err)
		}
	}
}

// TestRolledBackEntry breaks the batch in which an entry was made: neither the batch nor a claim after it
// believes in an entry that never came true.
func TestRolledBackEntry(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	added, broken := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Name: "pay.*"})
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
	if book, err := s.Book(t.Context(), 0); err != nil || len(book) != 1 || book[0].Number != 1 {
		t.Errorf("the book is %v, %v", book, err)
	}
	call := storetest.NewCall("acme")
	call.Book = 1
	if got, err := s.Claim(t.Context(), call); err != nil || !got.Won {
		t.Errorf("won %v, %v", got.Won, err)
	}
}

// TestEntriesOfOneBatch enters many at once: each has a number of its own.
func TestEntriesOfOneBatch(t *testing.T) {
	const entries = 16
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	release := s.TestingOnlyBlock()
	numbers := make(chan int64, entries)
	for i := range entries {
		go func() {
			got, err := s.Enter(t.Context(), guard.Entry{Kind: guard.EntryEdition, Text: []byte{byte(i)}})
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
			t.Errorf("an entry has number %d", n)
		}
		met[n] = true
	}
}
