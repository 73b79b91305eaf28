package storetest

import (
	"reflect"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var bookCases = []suiteCase{
	{"Enter appends an entry and returns it with its number, which is higher than all before, and its time", func(t *test) {
		t.book(0)
		var want []guard.Entry
		last := int64(0)
		for _, e := range []guard.Entry{
			edition("pay.*", "one"), edition("", "one"), edition("pay.*", "two"),
			{Kind: guard.EntryPolicy, Name: "pay.*", Text: []byte("one"), Author: "ada", Reason: "refunds are dear"},
			{Kind: guard.EntrySwitch, Name: "pay.*", Text: []byte("one"), Author: "ada"},
			edition("a\x01\"'ä", "\x00\xff\xfe'\x00"), {Kind: guard.EntryEdition, Name: "empty"},
		} {
			t.clock.Move(time.Second)
			e.Number, e.At = 77, t.clock.Now().Add(-time.Hour) // which the store sets
			got := t.entered(e)
			if e.Number, e.At = got.Number, t.clock.Now(); got.Number <= last || !sameEntry(got, e) {
				t.Fatalf("after entry %d came %+v; want %+v", last, got, e)
			}
			last, want = got.Number, append(want, e)
			t.book(0, want...)
		}
	}},
	{"Book returns the entries with a higher number than after, in order", func(t *test) {
		a, b, c := t.entered(edition("a", "z")), t.entered(edition("b", "y")), t.entered(edition("a", "x"))
		t.book(-1, a, b, c)
		t.book(a.Number, b, c)
		t.book(b.Number, c)
		t.book(c.Number)
		t.book(c.Number + 100)
	}},
	{"an edition that is in the book already, with the same Name and Text, is returned as it is", func(t *test) {
		first := edition("a", "z")
		first.Author, first.Reason = "ada", "the first"
		a, b := t.entered(first), t.entered(edition("b", "z"))
		t.clock.Move(time.Second)
		for _, want := range []guard.Entry{a, b} {
			again := edition(want.Name, string(want.Text))
			again.Author, again.Onto = "bob", 99
			if got := t.entered(again); !sameEntry(got, want) {
				t.Fatalf("entry %+v was entered again as %+v", want, got)
			}
		}
		t.book(0, a, b)
	}},
	{"of every other kind, Onto must be the number of the latest entry of the same Kind and Name", func(t *test) {
		for _, kind := range []guard.EntryKind{guard.EntryPolicy, guard.EntrySwitch} {
			e := guard.Entry{Kind: kind, Name: "pay.*", Text: []byte("one"), Onto: 1 << 40}
			t.conflicts(e)
			e.Onto = 0
			first := t.entered(e)
			t.conflicts(e)
			t.entered(guard.Entry{Kind: kind, Name: "mail.*"})
			t.entered(edition("pay.*", "spec "+string(kind)))
			e.Onto = first.Number
			second := t.entered(e) // with the same text, too
			if second.Number <= first.Number || second.Onto != first.Number {
				t.Fatalf("onto entry %d came %+v", first.Number, second)
			}
			t.conflicts(e)
			e.Onto = 0
			t.conflicts(e)
		}
	}},
	{"an entry without a kind is refused", func(t *test) {
		_, err := t.store.Enter(t.ctx, guard.Entry{Name: "a"})
		t.code(err, guard.CodeInvalid)
		t.book(0)
	}},
	{"the book keeps its own bytes", func(t *test) {
		e := edition("a", "kept")
		got := t.entered(e)
		want := got
		want.Text = []byte("kept")
		clear(e.Text)
		clear(got.Text)
		all, err := t.store.Book(t.ctx, 0)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d entries, %v", len(all), err)
		}
		clear(all[0].Text)
		t.book(0, want)
	}},
	{"a claim whose Book is lower than the highest number is refused before anything else", func(t *test) {
		failed, r := t.in(guard.Failed)
		standing, _ := t.in(guard.Done)
		first := t.entered(edition("a", ""))
		last := t.entered(guard.Entry{Kind: guard.EntrySwitch, Name: "pay.*"})
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
	{"every kind of entry raises the number that claims are checked against", func(t *test) {
		r := NewCall(tenant)
		for _, kind := range []guard.EntryKind{guard.EntryEdition, guard.EntryPolicy, guard.EntrySwitch} {
			e := t.entered(guard.Entry{Kind: kind, Name: "a"})
			_, err := t.store.Claim(t.ctx, r)
			t.code(err, guard.CodeOldBook)
			r.Book = e.Number
		}
		t.won(r)
	}},
	{"nothing but a claim asks for the book", func(t *test) {
		e, _ := t.in(guard.Pending)
		held, _ := t.in(guard.Held)
		t.entered(edition("a", ""))
		if _, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease); err != nil {
			t.Fatal(err)
		}
		t.settled(Outcome(e, guard.Done))
		t.decided(Verdict(held, guard.EventApproved, guard.Approved))
	}},
}

func edition(name, text string) guard.Entry {
	return guard.Entry{Kind: guard.EntryEdition, Name: name, Text: []byte(text)}
}

// entered adds an entry and expects it back.
func (t *test) entered(e guard.Entry) guard.Entry {
	t.Helper()
	got, err := t.store.Enter(t.ctx, e)
	if err != nil || got.Kind != e.Kind || got.Name != e.Name || string(got.Text) != string(e.Text) || got.Number < 1 {
		t.Fatalf("entered %+v, %v; want %+v", got, err, e)
	}
	return got
}

// conflicts expects an entry to be refused and the book to be as it was.
func (t *test) conflicts(e guard.Entry) {
	t.Helper()
	before, err := t.store.Book(t.ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = t.store.Enter(t.ctx, e)
	t.code(err, guard.CodeConflict)
	t.book(0, before...)
}

// book expects the entries after a number.
func (t *test) book(after int64, want ...guard.Entry) {
	t.Helper()
	got, err := t.store.Book(t.ctx, after)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d entries after %d, error %v; want %d", len(got), after, err, len(want))
	}
	for i := range got {
		if !sameEntry(got[i], want[i]) {
			t.Fatalf("entry %d after %d is %+v; want %+v", i+1, after, got[i], want[i])
		}
	}
}

// sameEntry compares two entries, of which no text and an empty one are equal.
func sameEntry(a, b guard.Entry) bool {
	same := string(a.Text) == string(b.Text) && a.At.Equal(b.At)
	a.Text, b.Text, a.At, b.At = nil, nil, time.Time{}, time.Time{}
	return same && reflect.DeepEqual(a, b)
}
