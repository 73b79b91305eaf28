package guard

import (
	"bytes"
	"crypto/sha256"
	"fmt"
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

// The bounds of a page of effects.
const (
	defaultPage = 50
	maxPage     = 500
)

// Check fills in the length of a page that is not given, and returns the CodeInvalid of a query that no store answers.
func (q *Query) Check() error {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	var fault *Error
	switch {
	case q.Limit < 1 || q.Limit > maxPage:
		fault = invalid("/limit", fmt.Sprintf("a page has 1 to %d effects", maxPage))
	case len(q.Text) > MaxAbout:
		fault = invalid("/text", fmt.Sprintf("a text to search for has at most %d bytes", MaxAbout))
	default:
		return nil
	}
	fault.Op = "list"
	return fault
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
	case len(e.About) > MaxAbout:
		return invalid("/about", "shorten what names the thing acted on")
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
	return faultOfLimits(r.Limits)
}

// faultOfLimits demands of limits with one Key that they count the same, because an effect is counted once under a key.
func faultOfLimits(limits []Limit) *Error {
	if len(limits) > MaxLimits {
		return invalid("/limits", "name fewer limits")
	}
	for i, l := range limits {
		switch {
		case l.Key.IsZero():
			return invalid("/limits", "give each limit a key")
		case l.Amount < 0:
			return invalid("/limits", "an amount cannot be negative")
		case l.Period <= 0 || l.Period > MaxPeriod:
			return invalid("/limits", "a period is longer than nothing and has at most 31 days")
		}
		for _, earlier := range limits[:i] {
			if earlier.Key == l.Key && earlier.Amount != l.Amount {
				return invalid("/limits", "limits with one key count the same amount")
			}
		}
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

// Check returns the CodeInvalid of a decision that no person makes, or that is bound to nothing.
func (d *Decision) Check() error {
	fault := d.fault()
	if fault == nil {
		return nil
	}
	fault.Op = "decide"
	return fault
}

func (d *Decision) fault() *Error {
	switch {
	case !slices.Contains([]EventKind{EventApproved, EventRejected, EventResolved, EventOrdered}, d.By):
		return invalid("/by", "a person approves, rejects, resolves or orders")
	case len(d.Arguments) > 0 && d.By != EventApproved:
		return invalid("/arguments", "only an approval brings other arguments")
	case d.State == Approved && d.Expiry <= 0:
		return invalid("/expiry", "an approval needs a time in which it is used")
	case d.State == Approved && d.Digest == [32]byte{}:
		return invalid("/digest", "an approval is bound to the arguments that were shown")
	}
	return nil
}

// Check returns the CodeInvalid of an entry about nothing.
func (e *Entry) Check() error {
	if e.Kind == "" {
		return &Error{Code: CodeInvalid, Op: "enter", Field: "/kind", Message: "say what the entry is about"}
	}
	return nil
}

// Check returns the CodeInvalid of a retention that ends before it begins.
func (r Retention) Check() error {
	if r.Bodies < 0 || r.Rows < 0 {
		return &Error{Code: CodeInvalid, Op: "prune", Field: "/retention", Message: "a retention cannot be negative"}
	}
	return nil
}

// Check returns the CodeInvalid of a counter that belongs to nobody or counts down.
func (t *Tally) Check() error {
	if t.Tenant == "" || t.Count < 0 {
		return &Error{Code: CodeInvalid, Op: "add tallies", Field: "/tallies", Message: "a counter names its tenant and counts up"}
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

// Equal reports whether two results are the same, byte for byte, where of a pruned one the hash stands for the bytes. A nil one
// equals only nil.
func (r *Result) Equal(other *Result) bool {
	if r == nil || other == nil {
		return r == other
	}
	return r.Status == other.Status && r.ContentType == other.ContentType && r.IsError == other.IsError &&
		r.Source == other.Source && (bytes.Equal(r.Body, other.Body) && len(r.Body) > 0 || r.bodyHash() == other.bodyHash())
}

// bodyHash stands for a body that may have been pruned.
func (r *Result) bodyHash() [32]byte {
	if r.BodyHash == [32]byte{} && len(r.Body) > 0 {
		return sha256.Sum256(r.Body)
	}
	return r.BodyHash
}
