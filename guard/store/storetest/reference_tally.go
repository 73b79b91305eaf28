package storetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// AddTallies implements guard.Store.
func (s *Reference) AddTallies(ctx context.Context, add []guard.Tally) error {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(add, func(t guard.Tally) bool { return t.Tenant == "" || t.Count < 0 }) {
		return &guard.Error{Code: guard.CodeInvalid, Field: "/tallies"}
	}
	for _, t := range add {
		t.Start = s.now().Truncate(guard.TallyBucket)
		count := t.Count
		t.Count = 0
		i := slices.IndexFunc(s.tallies, func(known guard.Tally) bool {
			known.Count = 0
			return known == t
		})
		if i < 0 {
			s.tallies = append(s.tallies, t)
			i = len(s.tallies) - 1
		}
		s.tallies[i].Count += count
	}
	return nil
}

// Tallies implements guard.Store.
func (s *Reference) Tallies(ctx context.Context, tenant string, from, until time.Time) ([]guard.Tally, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	var found []guard.Tally
	for _, t := range s.tallies {
		if t.Tenant == tenant && !t.Start.Before(from) && t.Start.Before(until) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b guard.Tally) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code))
	})
	return found, nil
}
