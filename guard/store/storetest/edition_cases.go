package storetest

import (
	"bytes"

	"github.com/onceguard/onceguard/guard"
)

var editionCases = []suiteCase{
	{"AddEdition appends an entry with a number that is higher than all before", func(t *test) {
		t.book(0)
		var want []guard.Edition
		last := int64(0)
		for _, e := range []guard.Edition{
			{Pattern: "pay.*", Text: []byte("one")}, {Pattern: "", Text: []byte("one")}, {Pattern: "pay.*", Text: []byte("two")},
			{Pattern: "a\x00\"'ä", Text: []byte{0, 255, 254, '\'', 0}}, {Pattern: "empty"},
		} {
			e.Number = 77 // which the store ignores
			got := t.edition(e)
			if got.Number <= last {
				t.Fatalf("entry %d comes after %d", got.Number, last)
			}
			last, e.Number = got.Number, got.Number
			want = append(want, e)
			t.book(0, want...)
		}
	}},
	{"Editions returns those with a higher number than after, in order", func(t *test) {
		a := t.edition(guard.Edition{Pattern: "a", Text: []byte("z")})
		b := t.edition(guard.Edition{Pattern: "b", Text: []byte("y")})
		c := t.edition(guard.Edition{Pattern: "a", Text: []byte("x")})
		t.book(-1, a, b, c)
		t.book(a.Number, b, c)
		t.book(b.Number, c)
		t.book(c.Number)
		t.book(c.Number + 100)
	}},
	{"AddEdition returns the entry that has the same Pattern and Text, if there is one", func(t *test) {
		a := t.edition(guard.Edition{Pattern: "a", Text: []byte("z")})
		b := t.edition(guard.Edition{Pattern: "b", Text: []byte("z")})
		for _, want := range []guard.Edition{a, b} {
			if got := t.edition(guard.Edition{Pattern: want.Pattern, Text: want.Text}); got.Number != want.Number {
				t.Fatalf("entry %d was entered again as %d", want.Number, got.Number)
			}
		}
		t.book(0, a, b)
	}},
	{"the book keeps its own bytes", func(t *test) {
		text := []byte("kept")
		e := t.edition(guard.Edition{Pattern: "a", Text: text})
		clear(text)
		clear(e.Text)
		got, err := t.store.Editions(t.ctx, 0)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d entries, %v", len(got), err)
		}
		clear(got[0].Text)
		t.book(0, guard.Edition{Number: e.Number, Pattern: "a", Text: []byte("kept")})
	}},
	{"a claim whose Book is lower than the highest number is refused before anything else", func(t *test) {
		failed, r := t.in(guard.Failed)
		standing, _ := t.in(guard.Done)
		first := t.edition(guard.Edition{Pattern: "a"})
		last := t.edition(guard.Edition{Pattern: "b"})
		same := NewCall(tenant)
		same.Effect.Key = standing.Key
		unheard := Again(NewCall(tenant), failed)
		for _, r := range []guard.ClaimRequest{NewCall(tenant), Parked(NewCall(tenant)), Denied(NewCall(tenant)), same, unheard, Again(r, failed), Next(r, failed)} {
			for _, book := range []int64{0, first.Number, last.Number - 1} {
				r.Book = book
				_, err := t.store.Claim(t.ctx, r)
				t.code(err, guard.CodeOldBook)
			}
			if !r.Again {
				_, err := t.store.Get(t.ctx, tenant, r.Effect.ID)
				t.code(err, guard.CodeNotFound)
			}
		}
		t.same(t.get(failed.ID), failed)
		t.same(t.get(standing.ID), standing)
		for _, book := range []int64{last.Number, last.Number + 1} {
			r := NewCall(tenant)
			r.Book = book
			t.won(r)
		}
		same.Book = last.Number
		t.stands(same, guard.SameEffect, standing.ID)
	}},
	{"nothing but a claim asks for the book", func(t *test) {
		e, _ := t.in(guard.Pending)
		held, _ := t.in(guard.Held)
		t.edition(guard.Edition{Pattern: "a"})
		if _, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease); err != nil {
			t.Fatal(err)
		}
		t.settled(Outcome(e, guard.Done))
		t.decided(Verdict(held, guard.EventApproved, guard.Approved))
	}},
}

// edition adds an entry and expects it back.
func (t *test) edition(e guard.Edition) guard.Edition {
	t.Helper()
	got, err := t.store.AddEdition(t.ctx, e)
	if err != nil || got.Pattern != e.Pattern || !bytes.Equal(got.Text, e.Text) || got.Number < 1 {
		t.Fatalf("added %+v, %v; want %+v", got, err, e)
	}
	return got
}

// book expects the entries after a number.
func (t *test) book(after int64, want ...guard.Edition) {
	t.Helper()
	got, err := t.store.Editions(t.ctx, after)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d entries after %d, error %v; want %d", len(got), after, err, len(want))
	}
	for i, e := range got {
		if e.Number != want[i].Number || e.Pattern != want[i].Pattern || !bytes.Equal(e.Text, want[i].Text) {
			t.Fatalf("entry %d after %d is %+v; want %+v", i+1, after, e, want[i])
		}
	}
}
