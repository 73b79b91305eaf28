package storetest

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Prune implements guard.Store. It forgets effects before it forgets bytes, and of each what has not changed for longest.
func (s *Reference) Prune(ctx context.Context, r guard.Retention, limit int) (guard.Pruned, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Pruned{}, err
	}
	if r.Bodies < 0 || r.Rows < 0 {
		return guard.Pruned{}, &guard.Error{Code: guard.CodeInvalid, Field: "/retention"}
	}
	var pruned guard.Pruned
	for ; pruned.Rows < limit; pruned.Rows++ {
		e := s.oldest(r.Rows, func(e *guard.Effect) bool { return !s.needed(e) })
		if e == nil {
			break
		}
		s.effects = slices.DeleteFunc(s.effects, func(o *guard.Effect) bool { return o == e })
		delete(s.events, e.ID)
	}
	for ; pruned.Rows+pruned.Bodies < limit; pruned.Bodies++ {
		e := s.oldest(r.Bodies, func(e *guard.Effect) bool { return slices.ContainsFunc(s.events[e.ID], hasBytes) })
		if e == nil {
			break
		}
		s.strip(e)
	}
	s.tallies = slices.DeleteFunc(s.tallies, func(t guard.Tally) bool { return s.unchanged(t.Start, r.Rows) })
	return pruned, nil
}

// unchanged tells whether a time of rest is over; zero is for ever.
func (s *Reference) unchanged(since time.Time, rest time.Duration) bool {
	return rest > 0 && s.now().Sub(since) >= rest
}

// oldest returns the effect that no longer answers, has not changed for longest, at least for a time of rest, and matches.
func (s *Reference) oldest(rest time.Duration, match func(*guard.Effect) bool) (oldest *guard.Effect) {
	for _, e := range s.effects {
		settled := e.State == guard.Done || e.State == guard.Failed || e.State == guard.Refused
		if settled && s.over(e, e.WindowUntil) && e.Review == "" && s.unchanged(e.Updated, rest) && match(e) &&
			(oldest == nil || e.Updated.Before(oldest.Updated)) {
			oldest = e
		}
	}
	return oldest
}

// needed tells whether another effect would answer if this one were forgotten.
func (s *Reference) needed(e *guard.Effect) bool {
	return s.find(func(o *guard.Effect) bool {
		superseded := o.State == guard.Done && o.Key != e.Key && o.Tenant == e.Tenant && o.Resource == e.Resource &&
			!o.Resource.IsZero() && o.Since.Before(e.Since) && !s.over(o, o.WindowUntil)
		return e.State == guard.Done && superseded || o.Key == e.Key && o.Generation < e.Generation
	}) != nil
}

func hasBytes(e guard.Event) bool {
	return len(e.Arguments) > 0 || e.Result != nil && len(e.Result.Body) > 0
}

// strip takes the bytes from an effect and its events, and leaves their hashes with the events.
func (s *Reference) strip(e *guard.Effect) {
	e.Arguments = nil
	if e.Result != nil {
		stripResult(e.Result)
	}
	events := s.events[e.ID]
	for i := range events {
		if ev := &events[i]; len(ev.Arguments) > 0 {
			ev.Arguments, ev.ArgumentsHash = nil, sha256.Sum256(ev.Arguments)
		}
		if events[i].Result != nil {
			stripResult(events[i].Result)
		}
	}
}

func stripResult(r *guard.Result) {
	if len(r.Body) > 0 {
		r.Body, r.BodyHash = nil, sha256.Sum256(r.Body)
	}
}
