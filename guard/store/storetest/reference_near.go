package storetest

import (
	"context"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Nearby implements guard.Store. The zero digest is near to nothing.
func (s *Reference) Nearby(ctx context.Context, tenant string, near, key fingerprint.Digest) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	var found []guard.Effect
	for _, e := range s.nearby(tenant, near, key) {
		found = append(found, clone(e))
	}
	return found, nil
}

func (s *Reference) nearby(tenant string, near, key fingerprint.Digest) (found []*guard.Effect) {
	for _, e := range slices.Backward(s.effects) {
		if len(found) < guard.NearMost && !near.IsZero() && e.Tenant == tenant && e.Near == near && e.Key != key && s.answers(e) {
			found = append(found, e)
		}
	}
	return found
}

// answers tells whether an effect is open, or done within its window.
func (s *Reference) answers(e *guard.Effect) bool {
	switch e.State {
	case guard.Held, guard.Approved, guard.Pending, guard.Partial, guard.Unknown:
		return true
	case guard.Done:
		return s.now().Before(e.WindowUntil)
	}
	return false
}

// superseded names the effect under another key that was done last on the resource of e, if that was after e was.
func (s *Reference) superseded(e *guard.Effect) string {
	if e.State != guard.Done || e.Resource.IsZero() {
		return ""
	}
	last := e
	for _, o := range s.effects {
		if o.Tenant == e.Tenant && o.Resource == e.Resource && o.Key != e.Key && o.State == guard.Done &&
			o.Since.After(e.Since) && !o.Since.Before(last.Since) {
			last = o
		}
	}
	if last == e {
		return ""
	}
	return last.ID
}

// Editions implements guard.Store.
func (s *Reference) Editions(ctx context.Context, after int64) ([]guard.Edition, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	var found []guard.Edition
	for _, e := range s.editions {
		if e.Number > after {
			e.Text = slices.Clone(e.Text)
			found = append(found, e)
		}
	}
	return found, nil
}

// AddEdition implements guard.Store.
func (s *Reference) AddEdition(ctx context.Context, e guard.Edition) (guard.Edition, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return guard.Edition{}, err
	}
	for _, known := range s.editions {
		if known.Pattern == e.Pattern && string(known.Text) == string(e.Text) {
			known.Text = slices.Clone(known.Text)
			return known, nil
		}
	}
	e.Number = s.lastEdition() + 1
	kept := e
	kept.Text = slices.Clone(e.Text)
	s.editions = append(s.editions, kept)
	return e, nil
}

// lastEdition is the highest number in the book, 0 while it is empty.
func (s *Reference) lastEdition() int64 {
	if len(s.editions) == 0 {
		return 0
	}
	return s.editions[len(s.editions)-1].Number
}
