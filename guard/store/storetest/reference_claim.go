package storetest

import (
	"context"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Claim implements guard.Store.
func (s *Reference) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Claimed{}, err
	}
	if field := wrongInClaim(&r); field != "" {
		return guard.Claimed{}, &guard.Error{Code: guard.CodeInvalid, Field: field}
	}
	if r.Book < s.lastEntry() {
		return guard.Claimed{}, refusal(guard.CodeOldBook, "the book has grown", nil)
	}
	if e, relation, err := s.rival(&r); err != nil {
		return guard.Claimed{}, err
	} else if e != nil {
		return s.stands(e, relation), nil
	}
	latest := s.find(func(e *guard.Effect) bool { return e.Key == r.Effect.Key })
	switch {
	case latest != nil && latest.Tenant != r.Effect.Tenant:
		return guard.Claimed{}, refusal(guard.CodeInternal, "the fingerprint belongs to another tenant", nil)
	case r.Prior == nil && latest == nil:
		return s.begin(&r, 1)
	case r.Prior == nil:
		return s.stands(latest, guard.SameEffect), nil
	case latest == nil:
		return guard.Claimed{}, refusal(guard.CodeNotFound, "there is no such effect", nil)
	case *r.Prior != guard.Prior{ID: latest.ID, State: latest.State, Fence: latest.Fence}:
		return s.stands(latest, guard.SameEffect), nil
	case r.Again:
		return s.again(&r, latest)
	}
	switch latest.State {
	case guard.Done, guard.Refused:
		if !r.Order && s.superseded(latest) == "" && !s.over(latest, latest.WindowUntil) {
			return guard.Claimed{}, refusal(guard.CodeConflict, "the window lasts", latest)
		}
		return s.begin(&r, latest.Generation+1)
	case guard.Failed:
		return s.begin(&r, latest.Generation+1)
	}
	return guard.Claimed{}, refusal(guard.CodeConflict, "the effect is not settled", latest)
}

// wrongInClaim names the first field of a request that cannot be understood.
func wrongInClaim(r *guard.ClaimRequest) string {
	e := &r.Effect
	switch {
	case e.Tenant == "":
		return "/tenant"
	case e.Key.IsZero():
		return "/key"
	case e.Window < 0:
		return "/window"
	case e.ID == "" && !r.Again:
		return "/id"
	case r.Again && r.Prior == nil:
		return "/prior"
	case r.Again && e.State != guard.Pending, !slices.Contains([]guard.State{guard.Pending, guard.Held, guard.Refused}, e.State):
		return "/state"
	case e.State == guard.Pending && r.Lease <= 0:
		return "/lease"
	case e.State == guard.Pending && e.Claim == "":
		return "/claim"
	case e.State == guard.Held && r.Expiry <= 0:
		return "/expiry"
	case len(e.About) > guard.MaxAbout:
		return "/about"
	case wrongInLimits(r.Limits):
		return "/limits"
	}
	return ""
}

// rival returns the latest other effect that stands in the way. The same call under another edition comes before calls that
// are merely like it.
func (s *Reference) rival(r *guard.ClaimRequest) (*guard.Effect, guard.Relation, error) {
	in := &r.Effect
	sharesCallerKey := func(e *guard.Effect) bool {
		return !in.CallerKey.IsZero() && e.CallerKey == in.CallerKey && s.isOther(r, e) && s.answers(e)
	}
	if e := s.find(sharesCallerKey); e != nil {
		return e, guard.KeyConflict, nil
	}
	if e, err := s.alias(r); e != nil || err != nil {
		return e, guard.SameEffect, err
	}
	for _, c := range []struct {
		relation guard.Relation
		asked    bool
		digest   fingerprint.Digest
	}{{guard.OtherScope, r.CheckScope, fingerprint.Digest{}}, {guard.SameIdentity, r.CheckIdentity, in.Identity}, {guard.NearEffect, r.CheckNear, in.Near}} {
		for _, e := range s.rivals(in.Tenant, c.relation, c.digest, in.Key) {
			seen := func(p guard.Prior) bool { return p.ID == e.ID && p.Fence == e.Fence }
			if c.asked && s.isOther(r, e) && !slices.ContainsFunc(r.Seen, seen) {
				return e, c.relation, nil
			}
		}
	}
	return nil, "", nil
}

// isOther tells whether an effect is of the tenant of a request and not of the same call.
func (s *Reference) isOther(r *guard.ClaimRequest, e *guard.Effect) bool {
	return e.Tenant == r.Effect.Tenant && e.Key != r.Effect.Key && !slices.Contains(r.Aliases, e.Key)
}

// alias returns the latest of the effects under the request's other keys that still answer. Of each key only the latest
// generation does.
func (s *Reference) alias(r *guard.ClaimRequest) (*guard.Effect, error) {
	var met []fingerprint.Digest
	for _, e := range slices.Backward(s.effects) {
		if e.Key == r.Effect.Key || !slices.Contains(r.Aliases, e.Key) || slices.Contains(met, e.Key) {
			continue
		}
		if e.Tenant != r.Effect.Tenant {
			return nil, refusal(guard.CodeInternal, "the fingerprint belongs to another tenant", nil)
		}
		if met = append(met, e.Key); s.answers(e) || e.State == guard.Refused && !s.over(e, e.WindowUntil) || e.State == guard.Failed && e.Review == guard.CodeContradiction {
			return e, nil
		}
	}
	return nil, nil
}

func (s *Reference) stands(e *guard.Effect, relation guard.Relation) guard.Claimed {
	c := guard.Claimed{Effect: clone(e), Relation: relation, Now: s.at(e)}
	if relation == guard.SameEffect {
		c.Superseded = s.superseded(e)
	}
	return c
}

// begin makes a new effect.
func (s *Reference) begin(r *guard.ClaimRequest, generation int) (guard.Claimed, error) {
	if s.byID(r.Effect.ID) != nil {
		return guard.Claimed{}, refusal(guard.CodeConflict, "another effect has this id", nil)
	}
	if r.Effect.State == guard.Pending {
		if c := s.overLimit(r.Limits, nil, s.now()); c != nil {
			return *c, nil
		}
	}
	e := clone(&r.Effect)
	e.Generation, e.Created, e.Updated = generation, s.now(), s.now()
	e.Fence, e.Attempts, e.Failures, e.Result, e.Events, e.Head = 0, 0, 0, nil, 0, [32]byte{}
	event := guard.Event{Kind: guard.EventRefused, Actor: r.Actor, Code: e.Code, Note: e.Reason, Arguments: e.Arguments}
	switch e.State {
	case guard.Pending:
		event.Kind, event.Claim, e.Attempts = guard.EventClaimed, e.Claim, 1
		s.until(&e, r.Lease)
	case guard.Held:
		event.Kind, e.Claim = guard.EventHeld, ""
		s.until(&e, r.Expiry)
	default:
		e.Claim = ""
		s.until(&e, 0)
	}
	s.append(&e, "", event)
	s.effects = append(s.effects, &e)
	if e.State == guard.Pending {
		s.use(&e, r.Limits)
	}
	return guard.Claimed{Won: true, Effect: clone(&e), Now: e.Updated}, nil
}

// again gives the right to send an effect once more.
func (s *Reference) again(r *guard.ClaimRequest, e *guard.Effect) (guard.Claimed, error) {
	from := e.State
	if !guard.Legal(from, guard.EventClaimed, guard.Pending) {
		return guard.Claimed{}, refusal(guard.CodeConflict, "the state allows no claim", e)
	}
	if from == guard.Approved && s.over(e, e.ExpiresAt) {
		return guard.Claimed{}, refusal(guard.CodeConflict, "the approval is over", e)
	}
	if c := s.overLimit(r.Limits, e, s.at(e)); c != nil {
		return *c, nil
	}
	in := r.Effect
	for _, f := range []struct{ to, from *string }{
		{&e.Subject, &in.Subject}, {&e.Agent, &in.Agent}, {&e.Run, &in.Run}, {&e.CallID, &in.CallID},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	if len(in.Arguments) > 0 {
		e.Arguments = slices.Clone(in.Arguments)
	}
	e.Execute, e.Policy, e.Window = in.Execute, in.Policy, in.Window
	e.State, e.Code, e.Reason = guard.Pending, in.Code, in.Reason
	if e.Review != guard.CodeContradiction {
		e.Review = ""
	}
	e.Claim, e.Attempts = in.Claim, e.Attempts+1
	s.until(e, r.Lease)
	s.append(e, from, guard.Event{
		Kind: guard.EventClaimed, Actor: r.Actor, Code: in.Code, Note: in.Reason, Claim: in.Claim, Arguments: in.Arguments,
	})
	s.use(e, r.Limits)
	return guard.Claimed{Won: true, Effect: clone(e), Now: e.Updated}, nil
}
