package guard

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"time"
)

// maxReason bounds a person's reason, in bytes.
const maxReason = 2000

// Decide records what a person decided on an effect. Approving and ordering another send, where the guard sends,
// start the send at once; the agent's next equal call is answered from it.
//
// Errors: CodeForbidden for agents, CodeSelfReview for a call of one's own, CodeStaleFence when the effect is another
// than the one that was shown, CodeConflict when the choice does not fit its state or comes before the settle time.
func (g *Guard) Decide(ctx context.Context, p Principal, j Judgement) (Effect, error) {
	if !p.Reviews() {
		return Effect{}, &Error{Code: CodeForbidden, Op: "decide", Message: "only reviewers decide; an agent's key cannot"}
	}
	if len(j.Reason) > maxReason {
		return Effect{}, invalid("/reason", fmt.Sprintf("is longer than %d bytes", maxReason))
	}
	e, err := g.store.Get(ctx, p.Tenant, j.Effect)
	if err != nil {
		return Effect{}, err
	}
	if e.Subject == p.Subject && !p.SelfReview {
		return Effect{}, &Error{Code: CodeSelfReview, Op: "decide", Message: "nobody decides on a call of their own subject; another person must"}
	}
	d, err := g.decision(ctx, &e, p, j)
	if err != nil {
		return Effect{}, err
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	decided, err := g.store.Decide(write, d)
	if CodeOf(err) == CodeUncertain {
		decided, err = g.confirmDecision(write, d, err)
	}
	if err != nil {
		return Effect{}, err
	}
	g.hub.publish(decided.ID)
	if decided.State == Approved && decided.Execute == ByGuard {
		g.sendApproved(ctx, decided)
	}
	return decided, nil
}

// decision translates a choice into a transition, if it fits the effect's state.
func (g *Guard) decision(ctx context.Context, e *Effect, p Principal, j Judgement) (Decision, error) {
	rule := g.policies.Current().Match(e.Tool)
	d := Decision{
		Tenant: p.Tenant, ID: e.ID, Fence: j.Fence, Digest: j.Digest, Reason: j.Reason,
		Actor: Actor{Kind: "reviewer", Name: p.Subject},
	}
	disputed := e.Review == CodeContradiction && (e.State == Failed || e.State == Done)
	open := e.State == Unknown || e.State == Partial || disputed
	switch {
	case j.Choice == Approve && e.State == Held:
		d.By, d.State, d.Code, d.Expiry = EventApproved, Approved, CodeApproved, rule.Hold
	case j.Choice == Reject && e.State == Held:
		d.By, d.State, d.Code = EventRejected, Refused, CodeRejected
	case j.Choice == Happened && open:
		d.By, d.State, d.Code = EventResolved, Done, CodeResolved
		if j.Result != nil {
			d.Result = &Result{ContentType: "application/json", Body: j.Result, Source: FromReviewer}
		}
	case j.Choice == DidNotHappen && open && e.State != Done:
		d.By, d.State, d.Code = EventResolved, Failed, CodeResolved
	case j.Choice == SendAgain && e.State == Unknown:
		d.By, d.State, d.Code, d.Expiry = EventOrdered, Approved, CodeOrdered, rule.Hold
	case j.Choice == Approve, j.Choice == Reject, j.Choice == Happened, j.Choice == DidNotHappen, j.Choice == SendAgain:
		return d, &Error{Code: CodeConflict, Op: "decide", Effect: e, Message: fmt.Sprintf("%q does not fit an effect that is %s", j.Choice, e.State)}
	default:
		return d, invalid("/decision", "must be approve or reject for a held effect, and happened, did_not_happen or send_again for an unknown one")
	}
	if d.State == Approved && j.Digest == [32]byte{} {
		return d, invalid("/digest", "must be the digest of the arguments that were shown")
	}
	if j.Choice == DidNotHappen || j.Choice == SendAgain {
		return d, g.settled(ctx, e)
	}
	return d, nil
}

// settled refuses a decision that could be overtaken by the first send: a request may be applied some time after its
// sender has given up on it.
func (g *Guard) settled(ctx context.Context, e *Effect) error {
	found, err := g.store.Lookup(ctx, e.Key)
	if err != nil {
		return err
	}
	if left := g.times.Settle - found.Now.Sub(e.Since); left > 0 {
		return &Error{Code: CodeConflict, Op: "decide", Effect: e, Retry: left,
			Message: fmt.Sprintf("the outcome became unknown only now; look again at the upstream in %s, because the first send may still be applied", left.Round(time.Second))}
	}
	return nil
}

// confirmDecision reads an effect again after a decision whose write was not confirmed.
func (g *Guard) confirmDecision(ctx context.Context, d Decision, cause error) (Effect, error) {
	e, err := g.store.Get(ctx, d.Tenant, d.ID)
	if err == nil && e.State == d.State && e.Fence == d.Fence+1 {
		return e, nil
	}
	return Effect{}, &Error{Code: CodeUnavailable, Op: "decide", Message: "the ledger did not confirm the decision; look at the effect before you repeat it", Err: cause}
}

// resumption asks for the one send that an approval allows.
func resumption(e Effect, lease time.Duration) ClaimRequest {
	prior := Prior{e.ID, e.State, e.Fence}
	e.State, e.Code, e.Review, e.Claim = Pending, CodeForwarded, "", rand.Text()
	e.Arguments, e.Subject = nil, ""
	// Which edition of the rule is the newest does not matter to an effect that exists.
	return ClaimRequest{Effect: e, Lease: lease, Actor: Actor{Kind: "guard"}, Prior: &prior, Again: true, Book: math.MaxInt64}
}
