package guard

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// maxReason bounds a person's reason, in bytes.
const maxReason = 2000

// Decide records what a person decided on an effect. Approving and ordering another send, where the guard sends,
// start the send at once; the agent's next equal call is answered from it. Where the policy wants two people to agree (approvals),
// the first one's approval is noted and the effect comes back as it was.
//
// Errors: CodeForbidden for agents and for people whom the policy of the tool does not let decide, CodeSelfReview for a call of one's own, CodeStaleFence when the effect is another
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
	if err := g.mayDecide(ctx, p, &e); err != nil {
		return Effect{}, err
	}
	d, err := g.decision(ctx, &e, p, j)
	if err != nil {
		return Effect{}, g.shownError(err)
	}
	switch yes, err := g.agreed(ctx, p, &e, j); {
	case err != nil:
		return Effect{}, g.shownError(err)
	case !yes:
		return g.shown(e), nil // it waits for one more person
	}
	d.Seal = seals(g.ruleOf(&e))
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	decided, err := g.store.Decide(write, d)
	if CodeOf(err) == CodeUncertain {
		decided, err = g.confirmDecision(write, d, err)
	}
	if err != nil {
		return Effect{}, g.shownError(err)
	}
	g.outcome(&decided)
	g.hub.publish(decided.Tenant, decided.ID)
	if d.Arguments != nil {
		if err := g.answerAlso(context.WithoutCancel(ctx), &decided, d.Actor); err != nil {
			g.log.WarnContext(ctx, "a call with the edited arguments would be sent beside the effect", "effect", decided.ID, "error", err)
		}
	}
	if decided.State == Approved && decided.Execute == ByGuard {
		g.sendApproved(ctx, decided)
	}
	return g.shown(decided), nil
}

// decision makes what is written of a choice, if it fits the effect's state.
func (g *Guard) decision(ctx context.Context, e *Effect, p Principal, j Judgement) (Decision, error) {
	if !slices.Contains(choices, j.Choice) {
		return Decision{}, invalid("/decision", "must be approve or reject for a held effect, and happened, did_not_happen or send_again for an unknown one")
	}
	d, ok := g.transition(e, j.Choice)
	if !ok {
		return d, &Error{Code: CodeConflict, Op: "decide", Effect: e, Message: fmt.Sprintf("%q does not fit an effect that is %s", j.Choice, e.State)}
	}
	d.Tenant, d.ID, d.Fence, d.Digest, d.Reason = p.Tenant, e.ID, j.Fence, j.Digest, j.Reason
	d.Actor = Actor{Kind: "reviewer", Name: p.Subject}
	if d.State == Done && j.Result != nil {
		d.Result = &Result{ContentType: "application/json", Body: j.Result, Source: FromReviewer}
	}
	if d.State == Approved && j.Digest == [32]byte{} {
		return d, invalid("/digest", "must be the digest of the arguments that were shown")
	}
	if j.Arguments != nil {
		if j.Choice != Approve {
			return d, invalid("/arguments", "are edited with the choice approve only")
		}
		var err error
		if d.Arguments, err = g.amend(ctx, e, j.Arguments); err != nil || bytes.Equal(d.Arguments, e.Arguments) {
			d.Arguments = nil
			return d, err
		}
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
