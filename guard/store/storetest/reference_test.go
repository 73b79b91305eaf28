package storetest_test

import (
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReference(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c *storetest.Clock) guard.Store { return storetest.NewReference(c.Now) })
}

func TestIdleFaulty(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c *storetest.Clock) guard.Store {
		return &storetest.Faulty{Store: storetest.NewReference(c.Now)}
	})
}

// TestFaultyEntries plants both faults into a write that makes no effect.
func TestFaultyEntries(t *testing.T) {
	for fault, want := range map[storetest.Fault]struct {
		code    guard.ErrorCode
		entries int
	}{storetest.NotApplied: {guard.CodeUnavailable, 0}, storetest.Applied: {guard.CodeUncertain, 1}} {
		s := &storetest.Faulty{Store: storetest.NewReference(nil), Fail: storetest.Script("enter", fault)}
		e := guard.Entry{Kind: guard.EntryEdition, Name: "pay.*", Text: []byte("spec")}
		got, err := s.Enter(t.Context(), e)
		if guard.CodeOf(err) != want.code || got.Number != 0 {
			t.Errorf("entered as %d, %v; want %s", got.Number, err, want.code)
		}
		if book, err := s.Book(t.Context(), 0); err != nil || len(book) != want.entries {
			t.Errorf("%d entries, %v; want %d", len(book), err, want.entries)
		}
		for range 2 { // the same again is the way out of either fault
			if got, err := s.Enter(t.Context(), e); err != nil || got.Number != 1 {
				t.Errorf("entered again as %d, %v", got.Number, err)
			}
		}
	}
}

// TestFaultyHoldsReadsUp stops a caller between what it sees and what it claims.
func TestFaultyHoldsReadsUp(t *testing.T) {
	var order []string
	s := &storetest.Faulty{
		Store: storetest.NewReference(nil),
		Fail: func(verb string) storetest.Fault {
			t.Errorf("a fault for %s was asked for", verb)
			return storetest.None
		},
		Before: func(verb string) { order = append(order, "before "+verb) },
		After:  func(verb string) { order = append(order, "after "+verb) },
	}
	if _, err := s.Rivals(t.Context(), "acme", guard.NearEffect, storetest.Digest("near", 1), storetest.Digest("key", 1)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"before rivals", "after rivals"}; !slices.Equal(order, want) {
		t.Errorf("called %q, want %q", order, want)
	}
}

// TestLockstepOfReferences holds the comparison itself to agree with itself.
func TestLockstepOfReferences(t *testing.T) {
	storetest.Lockstep(t, func(_ *testing.T, c *storetest.Clock) guard.Store { return storetest.NewReference(c.Now) })
}
