package storetest

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// held returns the effect of a tenant whose fence is the given one.
func (s *Reference) held(tenant, id string, fence int64) (*guard.Effect, error) {
	e := s.byID(id)
	switch {
	case e == nil || e.Tenant != tenant:
		return nil, refusal(guard.CodeNotFound, "there is no such effect", nil)
	case e.Fence != fence:
		return nil, refusal(guard.CodeStaleFence, "somebody else has claimed or decided since", e)
	}
	return e, nil
}

// Extend implements guard.Store.
func (s *Reference) Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return time.Time{}, err
	}
	if ttl <= 0 {
		return time.Time{}, &guard.Error{Code: guard.CodeInvalid, Field: "/ttl"}
	}
	e := s.byID(id)
	switch {
	case e == nil:
		return time.Time{}, refusal(guard.CodeNotFound, "there is no such effect", nil)
	case e.Fence != fence:
		return time.Time{}, refusal(guard.CodeStaleFence, "somebody else has claimed or decided since", e)
	case e.State != guard.Pending || s.over(e, e.LeaseUntil):
		return time.Time{}, refusal(guard.CodeConflict, "there is no lease", e)
	}
	if end := s.at(e).Add(ttl.Truncate(time.Microsecond)); end.After(e.LeaseUntil) {
		e.LeaseUntil = end
	}
	return e.LeaseUntil, nil
}

// Settle implements guard.Store.
func (s *Reference) Settle(ctx context.Context, in guard.Settlement) (guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Effect{}, err
	}
	if !slices.Contains([]guard.State{guard.Done, guard.Failed, guard.Partial, guard.Unknown}, in.State) {
		return guard.Effect{}, &guard.Error{Code: guard.CodeInvalid, Field: "/state"}
	}
	e, err := s.held(in.Tenant, in.ID, in.Fence)
	switch {
	case err != nil:
		return guard.Effect{}, err
	case in.Claim != "" && in.Claim != e.Claim:
		return guard.Effect{}, refusal(guard.CodeStaleFence, "somebody else has claimed since", e)
	case e.State == in.State && e.Result.Equal(in.Result):
		return clone(e), nil
	case !guard.Legal(e.State, guard.EventSettled, in.State):
		return guard.Effect{}, refusal(guard.CodeConflict, "the state allows no such outcome", e)
	}
	from := e.State
	e.State, e.Code, e.Reason, e.Result = in.State, in.Code, in.Reason, cloneResult(in.Result)
	switch {
	case e.Review == guard.CodeContradiction:
	case in.State == guard.Done, in.State == guard.Failed:
		e.Review = ""
	case in.Review != "":
		e.Review = in.Review
	}
	if in.State == guard.Failed {
		e.Failures = e.Attempts
	}
	s.until(e, e.Window)
	s.append(e, from, guard.Event{
		Kind: guard.EventSettled, Actor: in.Actor, Code: in.Code, Note: in.Reason, Claim: e.Claim, Result: in.Result,
	})
	return clone(e), nil
}

func sameResult(a, b *guard.Result) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b) && bytes.Equal(a.Body, b.Body) && a.BodyHash == b.BodyHash
}

// Decide implements guard.Store.
func (s *Reference) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Effect{}, err
	}
	if !slices.Contains([]guard.EventKind{guard.EventApproved, guard.EventRejected, guard.EventResolved, guard.EventOrdered}, d.By) {
		return guard.Effect{}, &guard.Error{Code: guard.CodeInvalid, Field: "/by"}
	}
	if d.State == guard.Approved && (d.Expiry <= 0 || d.Digest == [32]byte{}) {
		return guard.Effect{}, &guard.Error{Code: guard.CodeInvalid, Field: "/expiry"}
	}
	if len(d.Arguments) > 0 && d.By != guard.EventApproved {
		return guard.Effect{}, &guard.Error{Code: guard.CodeInvalid, Field: "/arguments"}
	}
	e, err := s.held(d.Tenant, d.ID, d.Fence)
	switch {
	case err != nil:
		return guard.Effect{}, err
	case !guard.Legal(e.State, d.By, d.State):
		return guard.Effect{}, refusal(guard.CodeConflict, "the state allows no such decision", e)
	case e.State == guard.Held && s.over(e, e.ExpiresAt):
		return guard.Effect{}, refusal(guard.CodeConflict, "the time to decide is over", e)
	case d.Digest != [32]byte{} && d.Digest != e.ArgumentsDigest():
		return guard.Effect{}, refusal(guard.CodeConflict, "the arguments are others", e)
	}
	from := e.State
	e.State, e.Code, e.Reason, e.Review = d.State, d.Code, d.Reason, ""
	event := guard.Event{Kind: d.By, Actor: d.Actor, Code: d.Code, Note: d.Reason, Arguments: d.Arguments}
	if len(d.Arguments) > 0 {
		e.Arguments = slices.Clone(d.Arguments)
	}
	if d.By == guard.EventResolved && (from != guard.Done || d.Result != nil) {
		e.Result, event.Result = cloneResult(d.Result), d.Result
	}
	if d.State == guard.Failed {
		e.Failures = e.Attempts
	}
	switch d.State {
	case guard.Approved:
		s.until(e, d.Expiry)
	default:
		s.until(e, e.Window)
	}
	if d.By == guard.EventRejected {
		e.WindowUntil = s.at(e).Add(e.Window.Truncate(time.Microsecond))
	}
	s.append(e, from, event)
	return clone(e), nil
}

// Note implements guard.Store.
func (s *Reference) Note(ctx context.Context, notes []guard.Note) error {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return err
	}
	for _, n := range notes {
		e := s.byID(n.ID)
		if e == nil || e.Tenant != n.Tenant {
			continue
		}
		if e.Review == "" || n.Review == guard.CodeContradiction {
			e.Review = n.Review
		}
		s.append(e, e.State, guard.Event{
			Kind: guard.EventNoted, Actor: n.Actor, Code: n.Code, Note: n.Text, Count: n.Count, Result: n.Result,
		})
	}
	return nil
}

// Sweep implements guard.Store.
func (s *Reference) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	ends := func(e *guard.Effect) time.Time {
		if e.State == guard.Pending {
			return e.LeaseUntil
		}
		return e.ExpiresAt
	}
	var due []*guard.Effect
	for _, e := range s.effects {
		if end := ends(e); !end.IsZero() && !s.now().Before(end) {
			due = append(due, e)
		}
	}
	slices.SortStableFunc(due, func(a, b *guard.Effect) int { return ends(a).Compare(ends(b)) })
	var swept []guard.Effect
	for _, e := range due[:min(len(due), max(limit, 0))] {
		s.expire(e)
		swept = append(swept, clone(e))
	}
	return swept, nil
}

func (s *Reference) expire(e *guard.Effect) {
	from := e.State
	event := guard.Event{Kind: guard.EventExpired, Actor: guard.Actor{Kind: "sweeper"}, Code: guard.CodeExpired}
	switch {
	case from == guard.Pending:
		event.Kind, event.Code, event.Claim = guard.EventLapsed, guard.CodeLapsed, e.Claim
		e.State, e.Review = guard.Unknown, guard.CodeLapsed
	case e.Attempts > 0:
		e.State, e.Review = guard.Unknown, guard.CodeExpired
	default:
		e.State, e.Review = guard.Refused, ""
	}
	e.Code, e.Reason = event.Code, ""
	s.until(e, 0)
	s.append(e, from, event)
}

// Unsent implements guard.Store.
func (s *Reference) Unsent(ctx context.Context, age time.Duration, limit int) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	var found []guard.Effect
	for _, e := range s.effects {
		if e.State == guard.Approved && e.Execute == guard.ByGuard && !e.Since.After(s.now().Add(-age)) {
			found = append(found, clone(e))
		}
	}
	slices.SortStableFunc(found, func(a, b guard.Effect) int { return a.Since.Compare(b.Since) })
	return found[:min(len(found), max(limit, 0))], nil
}
