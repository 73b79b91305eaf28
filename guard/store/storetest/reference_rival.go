package storetest

import (
	"bytes"
	"context"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Rivals implements guard.Store. The zero digest has no rivals.
func (s *Reference) Rivals(ctx context.Context, tenant string, r guard.Relation, digest, key fingerprint.Digest) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	if !slices.Contains([]guard.Relation{guard.OtherScope, guard.SameIdentity, guard.NearEffect}, r) {
		return nil, &guard.Error{Code: guard.CodeInvalid, Field: "/relation"}
	}
	var found []guard.Effect
	for _, e := range s.rivals(tenant, r, digest, key) {
		found = append(found, clone(e))
	}
	return found, nil
}

func (s *Reference) rivals(tenant string, r guard.Relation, digest, key fingerprint.Digest) (found []*guard.Effect) {
	related := map[guard.Relation]func(*guard.Effect) bool{
		guard.OtherScope:   func(e *guard.Effect) bool { return bytes.Equal(e.Key.Common(), key.Common()) },
		guard.SameIdentity: func(e *guard.Effect) bool { return !digest.IsZero() && e.Identity == digest },
		guard.NearEffect:   func(e *guard.Effect) bool { return !digest.IsZero() && e.Near == digest },
	}[r]
	for _, e := range slices.Backward(s.effects) {
		if len(found) < guard.RivalMost && e.Tenant == tenant && e.Key != key && related(e) && s.answers(e) {
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
