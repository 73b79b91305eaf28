package guard

import (
	"bytes"
	"slices"
)

// What a request to the ledger says by itself is the same for every store, and is judged here.

// Check returns the CodeInvalid of a request that no state of the ledger could make sense of.
func (r *ClaimRequest) Check() error {
	if fault := r.fault(); fault != nil {
		fault.Op = "claim"
		return fault
	}
	return nil
}

func (r *ClaimRequest) fault() *Error {
	e := &r.Effect
	switch {
	case e.Tenant == "":
		return invalid("/tenant", "name the tenant")
	case e.Key.IsZero():
		return invalid("/key", "give the fingerprint")
	case e.Window < 0:
		return invalid("/window", "a window cannot be negative")
	case e.ID == "" && !r.Again:
		return invalid("/id", "give the new effect an id")
	case r.Again && r.Prior == nil:
		return invalid("/prior", "name the effect that is to be claimed again")
	case r.Again && e.State != Pending:
		return invalid("/state", "only a claim can be made again")
	}
	switch e.State {
	case Pending:
		if r.Lease <= 0 {
			return invalid("/lease", "a lease must be longer than nothing")
		}
		if e.Claim == "" {
			return invalid("/claim", "give the claim a random id")
		}
	case Held:
		if r.Expiry <= 0 {
			return invalid("/expiry", "a held call needs a time in which it is decided")
		}
	case Refused:
	default:
		return invalid("/state", "an effect begins as pending, held or refused")
	}
	return nil
}

// FirstEvent is the event that makes the effect of a request, as far as it is known before its time.
func (r *ClaimRequest) FirstEvent() Event {
	e := &r.Effect
	event := Event{
		Effect: e.ID, Kind: EventRefused, To: e.State, Fence: 1, Actor: r.Actor, Code: e.Code, Note: e.Reason, Arguments: e.Arguments,
	}
	switch e.State {
	case Pending:
		event.Kind, event.Claim = EventClaimed, e.Claim
	case Held:
		event.Kind = EventHeld
	}
	return event
}

// Check returns the CodeInvalid of a settlement that names no outcome.
func (s *Settlement) Check() error {
	if !slices.Contains([]State{Done, Failed, Partial, Unknown}, s.State) {
		return &Error{Code: CodeInvalid, Op: "settle", Field: "/state", Message: "an outcome is done, failed, partial or unknown"}
	}
	return nil
}

// ReviewAfter is the review of an effect after an outcome, given the one before. Only a person closes one about a
// contradiction.
func (s *Settlement) ReviewAfter(before Code) Code {
	switch {
	case before == CodeContradiction:
		return before
	case s.State == Done || s.State == Failed:
		return ""
	case s.Review != "":
		return s.Review
	}
	return before
}

// Equal reports whether two results are the same, byte for byte. A nil one equals only nil.
func (r *Result) Equal(other *Result) bool {
	if r == nil || other == nil {
		return r == other
	}
	return r.Status == other.Status && r.ContentType == other.ContentType && r.IsError == other.IsError &&
		r.Source == other.Source && bytes.Equal(r.Body, other.Body)
}
