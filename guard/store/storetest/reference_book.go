package storetest

import (
	"context"
	"slices"

	"github.com/onceguard/onceguard/guard"
)

// Book implements guard.Store.
func (s *Reference) Book(ctx context.Context, after int64) ([]guard.Entry, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	var found []guard.Entry
	for _, e := range s.book {
		if e.Number > after {
			e.Text = slices.Clone(e.Text)
			found = append(found, e)
		}
	}
	return found, nil
}

// Enter implements guard.Store.
func (s *Reference) Enter(ctx context.Context, e guard.Entry) (guard.Entry, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Entry{}, err
	}
	if e.Kind == "" {
		return guard.Entry{}, &guard.Error{Code: guard.CodeInvalid, Field: "/kind"}
	}
	latest := int64(0)
	for _, known := range s.book {
		if known.Kind != e.Kind || known.Name != e.Name {
			continue
		}
		if latest = known.Number; e.Kind == guard.EntryEdition && string(known.Text) == string(e.Text) {
			known.Text = slices.Clone(known.Text)
			return known, nil
		}
	}
	if e.Kind == guard.EntryEdition {
		e.Onto = 0
	} else if e.Onto != latest {
		return guard.Entry{}, refusal(guard.CodeConflict, "a newer entry was made since", nil)
	}
	e.Number, e.At = s.lastEntry()+1, s.now()
	kept := e
	kept.Text = slices.Clone(e.Text)
	s.book = append(s.book, kept)
	return e, nil
}

// lastEntry is the highest number in the book, 0 while it is empty.
func (s *Reference) lastEntry() int64 {
	if len(s.book) == 0 {
		return 0
	}
	return s.book[len(s.book)-1].Number
}
