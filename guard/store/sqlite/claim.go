package sqlite

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Claim implements guard.Store.
func (s *Store) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	if err := r.Check(); err != nil {
		return guard.Claimed{}, err
	}
	// The bytes are hashed here, where many callers do it at once, and not on the writer's goroutine.
	event := r.FirstEvent()
	content := event.Content()
	var out guard.Claimed
	err := s.write(ctx, "claim", func(w *writer) (err error) {
		out, err = w.claim(&r, &content)
		return err
	})
	if err != nil {
		return guard.Claimed{}, err
	}
	return out, nil
}

func (w *writer) claim(r *guard.ClaimRequest, content *[32]byte) (guard.Claimed, error) {
	if r.Book < w.lastEntry {
		return guard.Claimed{}, &guard.Error{Code: guard.CodeOldBook, Op: "claim", Message: "the book has grown since the caller read it"}
	}
	rival, relation, err := w.rival(r)
	if err != nil {
		return guard.Claimed{}, err
	}
	if rival != nil {
		return w.stands(rival, relation)
	}
	if r.Prior == nil {
		return w.first(r, content)
	}
	latest, err := w.latest(r.Effect.Tenant, r.Effect.Key)
	if err != nil {
		return guard.Claimed{}, err
	}
	if latest == nil {
		return guard.Claimed{}, notFound("claim")
	}
	if latest.ID != r.Prior.ID || latest.State != r.Prior.State || latest.Fence != r.Prior.Fence {
		return w.stands(latest, guard.SameEffect)
	}
	if r.Again {
		return w.again(r, latest)
	}
	return w.next(r, latest, content)
}

// latest finds the latest generation under a key of a tenant. The tenant is inside the key, so that an effect of another
// tenant under it means that keys were made wrongly: nothing of it is shown.
func (w *writer) latest(tenant string, key fingerprint.Digest) (*record, error) {
	latest, err := findByKey(w.conn, key)
	if err == nil && latest != nil && latest.Tenant != tenant {
		return nil, &guard.Error{Code: guard.CodeInternal, Op: "claim", Message: "the fingerprint belongs to another tenant"}
	}
	return latest, err
}

// stands answers with the effect that stands in the way.
func (w *writer) stands(r *record, relation guard.Relation) (guard.Claimed, error) {
	if err := load(w.conn, "claim", r); err != nil {
		return guard.Claimed{}, err
	}
	return guard.Claimed{Effect: r.Effect, Relation: relation, Now: w.at(r), Superseded: r.superseded}, nil
}

// first makes the first generation, unless there is any: the first may have been forgotten before a later one.
func (w *writer) first(r *guard.ClaimRequest, content *[32]byte) (guard.Claimed, error) {
	latest, err := w.latest(r.Effect.Tenant, r.Effect.Key)
	if err != nil {
		return guard.Claimed{}, err
	}
	if latest != nil {
		return w.stands(latest, guard.SameEffect)
	}
	made, err := w.begins(r, 1, content)
	if err == nil && !made.Won && made.Relation != guard.OverLimit {
		return guard.Claimed{}, sameID()
	}
	return made, err
}

func (w *writer) next(r *guard.ClaimRequest, latest *record, content *[32]byte) (guard.Claimed, error) {
	switch {
	case latest.State != guard.Done && latest.State != guard.Failed && latest.State != guard.Refused:
		return guard.Claimed{}, w.refuse(guard.CodeConflict, "claim", "the effect is not settled, so no new one begins", latest)
	case !r.Order && latest.superseded == "" && latest.State != guard.Failed && w.at(latest).Before(latest.WindowUntil):
		return guard.Claimed{}, w.refuse(guard.CodeConflict, "claim", "the window of the effect lasts", latest)
	}
	made, err := w.begins(r, latest.Generation+1, content)
	if err == nil && !made.Won && made.Relation == "" {
		err = sameID()
	}
	return made, err
}

func sameID() error {
	return &guard.Error{Code: guard.CodeConflict, Op: "claim", Message: "another effect has this id"}
}

// begins records a new effect, of whose first event the Content is given. Won is false where a limit has no room, which is then
// the relation, and where its generation or its id exists.
func (w *writer) begins(r *guard.ClaimRequest, generation int, content *[32]byte) (guard.Claimed, error) {
	if over, err := w.overLimit(r, 0, w.now); over != nil || err != nil {
		return orNone(over), err
	}
	e := &r.Effect
	made := &record{Effect: guard.Effect{
		ID: e.ID, Tenant: e.Tenant, Subject: e.Subject, Agent: e.Agent, Run: e.Run, CallID: e.CallID,
		Tool: e.Tool, Type: e.Type, Execute: e.Execute, About: e.About, Related: e.Related,
		Key: e.Key, Generation: generation, Identity: e.Identity, Near: e.Near, Resource: e.Resource, CallerKey: e.CallerKey,
		State: e.State, Code: e.Code, Reason: e.Reason, Fence: 1, Review: e.Review,
		Policy: e.Policy, Arguments: e.Arguments, Window: e.Window,
	}}
	switch e.State {
	case guard.Pending:
		made.Claim, made.Attempts = e.Claim, 1
		made.setUntil(end(w.now, r.Lease))
	case guard.Held:
		made.setUntil(end(w.now, r.Expiry))
	}
	created, err := w.create(made, r.FirstEvent(), content)
	if err != nil || !created {
		return guard.Claimed{}, err
	}
	if made.State == guard.Pending {
		w.recent.add(made)
	}
	return guard.Claimed{Won: true, Effect: made.Effect, Now: w.now}, w.use(r, made)
}

// again gives the right to send an effect once more.
func (w *writer) again(r *guard.ClaimRequest, latest *record) (guard.Claimed, error) {
	now, from, e := w.at(latest), latest.State, &r.Effect
	switch {
	case !guard.Legal(from, guard.EventClaimed, guard.Pending):
		return guard.Claimed{}, w.refuse(guard.CodeConflict, "claim", "an effect that is "+string(from)+" cannot be claimed", latest)
	case from == guard.Approved && !now.Before(latest.ExpiresAt):
		return guard.Claimed{}, w.refuse(guard.CodeConflict, "claim", "the time to use the approval is over", latest)
	}
	if over, err := w.overLimit(r, latest.number, now); over != nil || err != nil {
		return orNone(over), err
	}
	if err := load(w.conn, "claim", latest); err != nil {
		return guard.Claimed{}, err
	}
	latest.Subject, latest.Agent = either(e.Subject, latest.Subject), either(e.Agent, latest.Agent)
	latest.Run, latest.CallID = either(e.Run, latest.Run), either(e.CallID, latest.CallID)
	if len(e.Arguments) > 0 {
		latest.Arguments = e.Arguments
	}
	latest.Execute, latest.Policy, latest.Window = e.Execute, e.Policy, e.Window
	latest.State, latest.Code, latest.Reason = guard.Pending, e.Code, e.Reason
	if latest.Review != guard.CodeContradiction {
		latest.Review = ""
	}
	latest.Fence, latest.Claim, latest.Attempts = latest.Fence+1, e.Claim, latest.Attempts+1
	latest.setUntil(end(now, r.Lease))
	err := w.change(latest, from, guard.Event{
		Kind: guard.EventClaimed, Actor: r.Actor, Code: e.Code, Note: e.Reason, Claim: e.Claim, Arguments: e.Arguments,
	}, nil)
	if err == nil {
		err = w.use(r, latest)
	}
	return guard.Claimed{Won: true, Effect: latest.Effect, Now: now}, err
}

func orNone(c *guard.Claimed) guard.Claimed {
	if c == nil {
		return guard.Claimed{}
	}
	return *c
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// end returns the time d from now, in the whole microseconds that the ledger keeps.
func end(now time.Time, d time.Duration) time.Time { return now.Add(d.Truncate(time.Microsecond)) }
