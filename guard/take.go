package guard

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// take carries out a ruling that needs a write: it claims, holds or refuses. It returns the answer when that was won,
// else the situation with what stood in the way.
func (g *Guard) take(ctx context.Context, r *proposal, s situation, ru ruling) (*Answer, situation, error) {
	release, err := g.takeOff()
	if err != nil {
		return nil, s, err
	}
	started := time.Now()
	if ru.meant {
		r.declare(s)
	}
	req := r.claimRequest(s, ru, g.lease(r.rule, r.execute))
	claimed, err := g.claim(ctx, req)
	if err == nil && (claimed.Won || claimed.Relation == SameEffect) {
		g.known.add(claimed.Effect.Key)
	}
	if err != nil || !claimed.Won {
		release()
		if CodeOf(err) == CodeOldBook {
			if err = g.book.refresh(ctx); err == nil {
				err = g.reckon(ctx, r)
			}
			return nil, s, err
		}
		if CodeOf(err) == CodeConflict && s.found != nil {
			// Its time ended between the look and the claim.
			s, err = g.lookAgain(ctx, r, s)
			return nil, s, err
		}
		if err != nil {
			return nil, s, err
		}
		if claimed.Relation == SameEffect && r.disowns(&claimed.Effect) {
			return nil, s, nil
		}
		if claimed.Relation != SameEffect && s.found == nil && !r.looked {
			// The call's own effect is the better answer, and this process may not have met its key yet.
			r.looked = true
			own, err := g.store.Lookup(ctx, r.sum.Key)
			if err != nil {
				return nil, s, err
			}
			if own.Effect != nil {
				g.known.add(r.sum.Key)
				next := r.situation(own.Effect, SameEffect, own.Now)
				next.superseded = own.Superseded != ""
				return nil, next, nil
			}
		}
		if claimed.Relation == OverLimit {
			r.overrun(claimed)
			return nil, r.backTo(s), nil
		}
		if claimed.Relation.compared() {
			rival, found, err := g.rivals(ctx, r, claimed.Relation)
			if err != nil || !found {
				return nil, s, err // nothing that counts: the next claim is not stopped by it
			}
			return nil, rival, nil
		}
		next := r.situation(&claimed.Effect, claimed.Relation, claimed.Now)
		next.waited, next.superseded = s.waited, claimed.Superseded != ""
		return nil, next, nil
	}
	e := claimed.Effect
	if r.meant != nil {
		g.confirms.add(r.principal, r.call)
	}
	g.hub.publish(e.Tenant, e.ID)
	g.opened(&e)
	now := r.situation(&e, SameEffect, claimed.Now)
	if e.State != Pending || r.execute == ByCaller {
		release()
		a := r.answerTaken(now, s.found)
		return &a, s, nil
	}
	done := g.launch(shipment{rule: r.rule, tool: r.call.Tool, trace: r.call.TraceParent, effect: e, started: started}, release)
	a := r.awaitFlight(ctx, now, done)
	return &a, s, nil
}

// takeOff admits one call that may write or send, or says why not. The release must be called once.
func (g *Guard) takeOff() (release func(), err error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	if g.draining.Load() {
		return nil, &Error{Code: CodeDraining, Op: "call", Message: "this server is shutting down; nothing was sent", Retry: time.Second}
	}
	select {
	case g.slots <- struct{}{}:
	default:
		return nil, &Error{Code: CodeBusy, Op: "call", Message: "too many calls are under way; nothing was sent", Retry: time.Second}
	}
	g.flights.Add(1)
	return func() {
		<-g.slots
		g.flights.Done()
	}, nil
}

// lease is how long a claim is trusted. The guard's own sends are bounded by the upstream's timeout, so their lease
// is never renewed.
func (g *Guard) lease(r *policy.Rule, by Execute) time.Duration {
	if by == ByGuard {
		return r.Upstream.HTTP.Timeout + g.times.SendGrace
	}
	return r.Lease
}

func (r *proposal) claimRequest(s situation, ru ruling, lease time.Duration) ClaimRequest {
	req := ClaimRequest{
		Effect: Effect{
			ID: newEffectID(), Tenant: r.principal.Tenant, Subject: r.principal.Subject, Agent: r.call.Agent, Run: r.call.Run,
			CallID: r.call.CallID, Tool: r.call.Tool, Type: r.rule.Effect, Execute: r.execute,
			Key: r.sum.Key, CallerKey: r.callerKey, Resource: r.resource, State: Pending, Code: CodeForwarded,
			Policy: r.rule.Digest, About: about(r.rule, r.args), Arguments: r.bytes, Window: r.rule.Window,
		},
		Actor: agentActor(r.principal), Seal: seals(r.rule), Order: ru.order, Book: r.book, Aliases: r.aliases,
	}
	if s.found != nil && r.isAlias(s.found.Key) {
		// The effect began under another edition of the rule, and goes on under the key that it has.
		req.Effect.Key, req.Aliases = s.found.Key, []fingerprint.Digest{r.sum.Key}
		for _, key := range r.aliases {
			if key != s.found.Key {
				req.Aliases = append(req.Aliases, key)
			}
		}
	}
	r.checkRivals(&req)
	if (ru.next || ru.again) && s.found != nil {
		req.Prior = &Prior{s.found.ID, s.found.State, s.found.Fence}
	}
	if ru.again {
		req.Again, req.Effect.ID = true, s.found.ID
		if s.found.State != Failed {
			// The approved bytes, or those that were sent under the same downstream key, are sent: nobody else's. That
			// another effect stands beside it was known to who decided.
			req.Effect.Arguments, req.Effect.Subject = nil, ""
			req.CheckScope, req.CheckIdentity, req.CheckNear, req.Aliases = false, false, false, nil
		}
	}
	switch ru.action {
	case actHold:
		req.Effect.State, req.Effect.Code, req.Effect.Review = Held, ru.code, ru.code
		req.Effect.Reason, req.Expiry = r.holdReason(ru.code), r.rule.Hold
		if r.rival != nil {
			req.Effect.Related = r.rival.ID
		}
	case actRefuse:
		req.Effect.State, req.Effect.Code, req.Effect.Reason = Refused, ru.code, r.verdict.Why
		if ru.code == CodeOverLimit {
			req.Effect.Reason = r.over.String()
		}
	default:
		req.Effect.Claim, req.Lease, req.Limits = rand.Text(), lease, r.limits
		if ru.again && s.found.State != Failed {
			req.Limits = unbounded(r.limits)
		}
		if r.execute == ByCaller {
			req.Effect.Code = CodeProceed
		}
		if r.meant != nil {
			req.Effect.Code = CodeConfirmed
			req.Effect.Reason = r.declaration()
		}
		if r.warned != "" {
			r.heedless(&req)
		}
	}
	return req
}

// holdReason tells the reviewer why the call waits. What it was and when comes before the handle to it.
func (r *proposal) holdReason(code Code) string {
	var why []string
	if code == CodeHeld && r.verdict.Why != "" {
		why = append(why, r.verdict.Why)
	}
	if r.over != nil {
		why = append(why, r.over.String())
	}
	if r.rival != nil {
		met := became(r.rival) + " (" + r.rival.ID + ")."
		switch r.rivalCode {
		case CodeOtherScope:
			why = append(why, "An equal call in another run "+met)
		case CodeNear:
			why = append(why, fmt.Sprintf("A call that differs in wording only %s; %s.", strings.TrimSuffix(met, "."), r.rivalLike))
		case CodeSameIdentity:
			why = append(why, "Another effect on the same thing "+met)
		}
	}
	if r.meant != nil {
		why = append(why, r.declaration())
	}
	return strings.Join(why, " ")
}

// became says what an effect has come to, and when by the store's clock: how long ago is told by who shows it.
func became(e *Effect) string {
	at := e.Since.UTC().Format("2 Jan 2006, 15:04 UTC")
	switch e.State {
	case Done:
		return "was carried out on " + at
	case Pending:
		return "has been under way since " + at
	case Held:
		return "has waited for a person since " + at
	case Approved:
		return "was approved on " + at + " and not sent yet"
	case Partial:
		return "was carried out only in part on " + at
	case Unknown:
		return "was sent, and since " + at + " nobody has known whether it was carried out"
	}
	return "was recorded on " + at
}

// newEffectID makes an id that is ordered by time, to the millisecond, and that nobody can guess (RFC 9562, version 7).
func newEffectID() string {
	return effectPrefix + strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
}

// claim asks the store, apart from the caller's context: a caller who leaves must not make a claim uncertain. A claim
// whose write is not confirmed is read again by its random id; unless it is seen to be ours, nothing is sent.
func (g *Guard) claim(ctx context.Context, req ClaimRequest) (Claimed, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	c, err := g.store.Claim(ctx, req)
	if CodeOf(err) != CodeUncertain {
		return c, err
	}
	found, readErr := g.store.Lookup(ctx, req.Effect.Key)
	switch e := found.Effect; {
	case readErr != nil:
		return Claimed{}, &Error{Code: CodeUnavailable, Op: "claim", Message: "the ledger did not confirm the claim; nothing was sent", Retry: time.Second, Err: err}
	case e != nil && e.ID == req.Effect.ID && e.Claim == req.Effect.Claim && e.State == req.Effect.State:
		return Claimed{Won: true, Effect: *e, Relation: SameEffect, Now: found.Now}, nil
	case e != nil && (req.Prior == nil || e.ID != req.Prior.ID || e.Fence != req.Prior.Fence):
		return Claimed{Effect: *e, Relation: SameEffect, Now: found.Now}, nil
	}
	return Claimed{}, &Error{Code: CodeUnavailable, Op: "claim", Message: "the ledger did not make the claim; nothing was sent", Retry: time.Second, Err: err}
}
