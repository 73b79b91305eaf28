package postgres

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// claiming is one claim on its way to the database and back.
type claiming struct {
	request  *guard.ClaimRequest
	content  [32]byte // of the first event
	guarded  bool     // something is compared, or an earlier effect followed
	judged   int      // events of the effect under Prior as it was judged; 0 for none
	next     int      // the generation to begin; 0 for none
	again    *changing
	verdict  string
	now      time.Time
	upset    string // what superseded the record that was found
	number   int64  // of the effect that was begun
	found    []*record
	lockKeys []int64
	limit    int   // that has no room
	room     int64 // that is left of it
}

// The verdicts of the functions in the database. The others are relations.
const (
	isMade     = "made"
	isAdmitted = "admitted"
	isOldBook  = "old_book"
	isNotFound = "not_found"
	isMoved    = "moved"
	isSameID   = "same_id"
	isOver     = string(guard.OverLimit)
)

// Claim implements guard.Store.
func (s *Store) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	const op = "claim"
	if err := r.Check(); err != nil {
		return guard.Claimed{}, err
	}
	event := r.FirstEvent()
	content := event.Content() // by the caller: many callers do it at once
	if r.Prior == nil {
		c := &claiming{request: &r, content: content, next: 1}
		c.lockKeys = locks(&r)
		c.guarded = len(c.lockKeys) > 0
		if err := s.claims.write(ctx, op, c); err != nil {
			return guard.Claimed{}, err
		}
		return s.answer(c)
	}
	for {
		c, refusal, err := s.follow(ctx, &r)
		if err != nil {
			return guard.Claimed{}, err
		}
		c.content, c.lockKeys = content, locks(&r)
		if err := s.claims.write(ctx, op, c); err != nil {
			return guard.Claimed{}, err
		}
		switch c.verdict {
		case isMoved: // somebody made progress: judge what is there now
		case isAdmitted:
			return guard.Claimed{}, refusal
		default:
			return s.answer(c)
		}
	}
}

// follow judges a claim that follows an earlier effect. What it returns asks the database for the write that is due; or for
// none, when the claim is refused unless something else stands in the way.
func (s *Store) follow(ctx context.Context, r *guard.ClaimRequest) (c *claiming, refusal, err error) {
	const op = "claim"
	c = &claiming{request: r, guarded: true}
	found, latest, err := s.lookup(ctx, op, r.Effect.Key)
	if err != nil {
		return nil, nil, err
	}
	if latest == nil || latest.Tenant != r.Effect.Tenant || latest.ID != r.Prior.ID || latest.State != r.Prior.State || latest.Fence != r.Prior.Fence {
		return c, nil, nil // the database says what stands there
	}
	c.judged = latest.Events
	if r.Again {
		c.again, refusal = again(r, latest, found.Now)
		return c, refusal, nil
	}
	switch {
	case latest.State != guard.Done && latest.State != guard.Failed && latest.State != guard.Refused:
		refusal = refuse(guard.CodeConflict, op, "the effect is not settled, so no new one begins", latest)
	case !r.Order && found.Superseded == "" && latest.State != guard.Failed && found.Now.Before(latest.WindowUntil):
		refusal = refuse(guard.CodeConflict, op, "the window of the effect lasts", latest)
	default:
		c.next = latest.Generation + 1
	}
	return c, refusal, nil
}

// again derives the change that gives the right to send an effect once more.
func again(r *guard.ClaimRequest, latest *record, now time.Time) (*changing, error) {
	const op = "claim"
	from, e := latest.State, &r.Effect
	switch {
	case !guard.Legal(from, guard.EventClaimed, guard.Pending):
		return nil, refuse(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot be claimed", latest)
	case from == guard.Approved && !now.Before(latest.ExpiresAt):
		return nil, refuse(guard.CodeConflict, op, "the time to use the approval is over", latest)
	}
	c := change(latest, guard.Event{
		Kind: guard.EventClaimed, Actor: r.Actor, Code: e.Code, Note: e.Reason, Claim: e.Claim, Arguments: e.Arguments,
	})
	if from == guard.Approved {
		c.before = latest.ExpiresAt
	}
	c.Subject, c.Agent = either(e.Subject, c.Subject), either(e.Agent, c.Agent)
	c.Run, c.CallID = either(e.Run, c.Run), either(e.CallID, c.CallID)
	if len(e.Arguments) > 0 {
		c.Arguments = e.Arguments
	}
	c.Execute, c.Policy, c.Window = e.Execute, e.Policy, e.Window
	c.State, c.Code, c.Reason = guard.Pending, e.Code, e.Reason
	if c.Review != guard.CodeContradiction {
		c.Review = ""
	}
	c.Claim, c.Attempts = e.Claim, c.Attempts+1
	c.until(r.Lease)
	c.seal()
	return c, nil
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// answer makes the answer of a claim from the database's verdict.
func (s *Store) answer(c *claiming) (guard.Claimed, error) {
	const op = "claim"
	switch c.verdict {
	case isMade:
		r := begun(c)
		if r.State == guard.Pending {
			s.recent.add(r)
		}
		s.changed(&r.Effect)
		return guard.Claimed{Won: true, Effect: r.Effect, Now: r.Updated}, nil
	case isOldBook:
		return guard.Claimed{}, &guard.Error{Code: guard.CodeOldBook, Op: op, Message: "the book has grown since the caller read it"}
	case isOver:
		return guard.Claimed{Relation: guard.OverLimit, Now: c.now, Limit: c.limit, Left: c.room}, nil
	case isNotFound:
		return guard.Claimed{}, notFound(op)
	case isSameID:
		return guard.Claimed{}, &guard.Error{Code: guard.CodeConflict, Op: op, Message: "another effect has this id"}
	}
	found, err := verified(op, c.found)
	if err != nil {
		return guard.Claimed{}, err
	}
	// The tenant is inside the key, so that an effect of another tenant under it means that keys were made wrongly:
	// nothing of it is shown.
	if found == nil || found.Tenant != c.request.Effect.Tenant {
		return guard.Claimed{}, &guard.Error{Code: guard.CodeInternal, Op: op, Message: "the fingerprint belongs to another tenant"}
	}
	return guard.Claimed{Effect: found.Effect, Relation: guard.Relation(c.verdict), Now: c.now, Superseded: c.upset}, nil
}
