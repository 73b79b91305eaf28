package guard

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// Preview is what the agent's next equal call would get after a person's choice.
type Preview struct {
	Choice Choice
	Answer Answer
}

// choices lists all choices, in the order in which they are offered.
var choices = []Choice{Approve, Reject, Same, Happened, DidNotHappen, SendAgain}

// Choices lists what may be decided on an effect as it is. One of them may still be refused, such as a decision on a call of the person's own.
func Choices(e *Effect) []Choice {
	var list []Choice
	for _, c := range choices {
		if _, ok := decisionOf(e, c); ok {
			list = append(list, c)
		}
	}
	return list
}

// Preview returns, for each choice that the state of an effect allows, the answer that its agent's next equal call would
// get, if nothing else changed until then. Sends that a choice causes are supposed to succeed, and a result that is not
// known yet is empty. Nothing is written, and a choice that is shown may still be refused: nobody decides on a call of
// their own.
func (g *Guard) Preview(ctx context.Context, p Principal, id string) ([]Preview, error) {
	if !p.Reviews() {
		return nil, &Error{Code: CodeForbidden, Op: "preview", Message: "only reviewers see what a decision would lead to"}
	}
	e, err := g.store.Get(ctx, p.Tenant, id)
	if err != nil {
		return nil, err
	}
	r, err := g.recall(ctx, &e, e.Arguments)
	if err != nil {
		return nil, err
	}
	r.sum.Key = e.Key
	g.weigh(ctx, r)
	var all []Preview
	for _, c := range choices {
		d, ok := g.transition(&e, c)
		if !ok {
			continue
		}
		answer := r.answerAfter(e, d)
		if c == Same {
			if answer, err = g.answerTold(ctx, r, e, answer); err != nil {
				return nil, err
			}
		}
		all = append(all, Preview{c, g.shownAnswer(answer)})
	}
	return all, nil
}

// answerAfter is the answer to an equal call after a decision.
func (r *proposal) answerAfter(e Effect, d Decision) Answer {
	now := e.Updated
	e.State, e.Code, e.Review, e.Reason, e.Since, e.Fence = d.State, d.Code, "", d.Reason, now, e.Fence+1
	e.LeaseUntil, e.ExpiresAt, e.WindowUntil = time.Time{}, time.Time{}, time.Time{}
	if d.By == EventResolved {
		e.Result = d.Result
	}
	if e.State == Approved && e.Execute == ByGuard && r.rule.Upstream != nil && r.rule.Digest == e.Policy {
		e = sentWell(e) // the guard sends it at once
	}
	s := r.situation(&e, SameEffect, now)
	switch ru := decide(s); ru.action {
	case actReplay:
		return r.answerReplayed(s, ru.code)
	case actBlock:
		return r.answerBlocked(s, ru.code)
	case actHold:
		e.State, e.Code = Held, ru.code
		return r.answerBlocked(s, ru.code)
	case actRefuse:
		return r.answerBlocked(s, ru.code)
	}
	if r.execute == ByCaller {
		earlier := e
		e.State, e.LeaseUntil = Pending, now.Add(r.rule.Lease)
		return r.answerTaken(s, &earlier)
	}
	return r.answerFlight(landing{effect: sentWell(e), recorded: true})
}

// sentWell is an effect after a send that succeeded.
func sentWell(e Effect) Effect {
	e.State, e.Code, e.Result = Done, CodeUpstreamDone, &Result{Source: FromUpstream}
	return e
}

// transition is what a choice makes of an effect; ok is false when the choice does not fit its state.
func (g *Guard) transition(e *Effect, c Choice) (d Decision, ok bool) {
	d, ok = decisionOf(e, c)
	if d.State == Approved {
		d.Expiry = g.ruleOf(e).Hold
	}
	return d, ok
}

// decisionOf is transition without what the policy adds.
func decisionOf(e *Effect, c Choice) (d Decision, ok bool) {
	disputed := e.Review == CodeContradiction && (e.State == Failed || e.State == Done)
	open := e.State == Unknown || e.State == Partial || disputed
	switch {
	case c == Approve && e.State == Held:
		d.By, d.State, d.Code = EventApproved, Approved, CodeApproved
	case c == Reject && e.State == Held:
		d.By, d.State, d.Code = EventRejected, Refused, CodeRejected
	case c == Same && e.State == Held && e.Related != "":
		d.By, d.State, d.Code = EventRejected, Refused, CodeSame
	case c == Happened && open:
		d.By, d.State, d.Code = EventResolved, Done, CodeResolved
	case c == DidNotHappen && open && e.State != Done:
		d.By, d.State, d.Code = EventResolved, Failed, CodeResolved
	case c == SendAgain && e.State == Unknown:
		d.By, d.State, d.Code = EventOrdered, Approved, CodeOrdered
	default:
		return d, false
	}
	return d, true
}

func (g *Guard) ruleOf(e *Effect) *policy.Rule { return g.policies.Current().Match(e.Tool) }
