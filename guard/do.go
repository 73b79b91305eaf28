package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// maxRounds bounds how often one call is decided anew because the ledger moved in between. Each round needs another
// writer to have won, so the bound is only met under a storm of claims, releases and decisions on one effect.
const maxRounds = 64

// Do decides on one call and, if it is new and the policy names an upstream, sends it. Every decision is an Answer; an
// error means that nothing was decided and nothing sent. The context is the caller's: when it ends, Do stops waiting,
// but a claim that was made is sent and its outcome recorded all the same.
func (g *Guard) Do(ctx context.Context, p Principal, c Call) (Answer, error) {
	began := time.Now()
	a, r, err := g.do(ctx, p, c)
	if err != nil {
		return a, err
	}
	g.observe.Answered(c.Tool, a.Kind, a.Explanation.Code, time.Since(began))
	g.tallies.add(tally{p.Tenant, c.Tool, string(a.Kind), a.Explanation.Code})
	if r.warned != "" {
		a.Explanation.Warned = r.warned
		a.Explanation.Message += fmt.Sprintf(" The policy only warns; enforced, it would have answered %q.", r.warned)
		g.tallies.add(tally{p.Tenant, c.Tool, TallyWarned, r.warned})
	}
	if a.Effect != nil && (conceals(r.rule) || a.Effect.Tool != c.Tool) {
		shown := g.shown(*a.Effect)
		a.Effect = &shown
	}
	return a, nil
}

func (g *Guard) do(ctx context.Context, p Principal, c Call) (Answer, *proposal, error) {
	var deadline time.Time
	for range maxRounds {
		r, err := g.propose(ctx, p, c)
		if err != nil {
			return Answer{}, r, err
		}
		if deadline.IsZero() {
			deadline = r.deadline
		}
		r.deadline = deadline
		a, err := g.answer(ctx, r)
		if !errors.Is(err, errPoliciesChanged) {
			return a, r, err
		}
	}
	return Answer{}, nil, errPoliciesChanged
}

func (g *Guard) answer(ctx context.Context, r *proposal) (Answer, error) {
	if r.rule.Mode == policy.ModeOff {
		return g.pass(ctx, r)
	}
	if broken := r.rule.Validate(r.args); len(broken) > 0 {
		if !r.warns() {
			return r.answerViolations(broken), nil
		}
		r.wouldHave(CodeBadArguments)
	}
	if r.rule.Kind == policy.Read {
		g.weigh(ctx, r)
		return g.pass(ctx, r)
	}
	if err := r.fingerprint(); err != nil {
		return Answer{}, err
	}
	if err := g.reckon(ctx, r); err != nil {
		return Answer{}, err
	}
	own, err := g.look(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	if !r.fromRecord(own) {
		g.weigh(ctx, r)
		g.count(ctx, r)
		own.verdict = r.verdict.Action
	}
	return g.settleOn(ctx, r, own)
}

// fromRecord reports whether a call is answered from the record of what is done, whatever the conditions say of another one.
func (r *proposal) fromRecord(own situation) bool {
	return !r.warns() && r.call.Confirm.Token == "" && decide(own).action == actReplay
}

// look looks for the effect of the call under those of its keys that this process has met.
func (g *Guard) look(ctx context.Context, r *proposal) (situation, error) {
	for i, key := range append([]fingerprint.Digest{r.sum.Key}, r.aliases...) {
		if !g.known.has(key) {
			continue
		}
		found, err := g.store.Lookup(ctx, key)
		if err != nil {
			return situation{}, err
		}
		s := r.situation(found.Effect, SameEffect, found.Now)
		s.superseded = found.Superseded != ""
		if i == 0 && found.Effect != nil || s.answers() && !r.disowns(found.Effect) {
			return s, nil
		}
	}
	return r.situation(nil, SameEffect, time.Time{}), nil
}

// answers reports whether found is open, settled and within its window, or a failure that is in doubt.
func (s situation) answers() bool {
	if s.found == nil || s.found.State == Failed {
		return s.found != nil && s.found.Review == CodeContradiction
	}
	return !s.over(s.found.WindowUntil)
}

// settleOn decides until a decision holds: until nothing has to be waited for, and no other writer was faster. own is
// what stands under the call's own key; other effects that stand in the way are looked at in between.
func (g *Guard) settleOn(ctx context.Context, r *proposal, own situation) (Answer, error) {
	s := own
	for range maxRounds {
		var err error
		r.own = own.found
		if s, err = g.told(ctx, r, s); err != nil {
			return Answer{}, err
		}
		if s.found != nil {
			s.confirmed = r.call.Confirm.Token != "" && r.confirms(s)
			s.exhausted = g.confirms.exhausted(r.principal, r.call)
		}
		ru := decide(s)
		if r.warns() {
			s, ru = r.warn(s, ru)
		}
		switch ru.action {
		case actBlock:
			return g.repeated(r, s, r.answerBlocked(s, ru.code)), nil
		case actReplay:
			return g.repeated(r, s, r.answerReplayed(s, ru.code)), nil
		case actWait:
			var settled bool
			if s, settled, err = g.await(ctx, r, s); err == nil && !settled {
				return g.repeated(r, s, r.answerPending(s)), nil
			}
			if err == nil && s.relation.compared() {
				s, err = g.rivalsAgain(ctx, r, s.relation, own)
			}
		case actLook:
			if err = g.sweep(ctx); err == nil {
				s, err = g.lookAgain(ctx, r, s)
			}
			if err == nil && s.relation.compared() {
				s, err = g.rivalsAgain(ctx, r, s.relation, own)
			}
		default:
			if s.relation != SameEffect {
				r.passRival(s, ru)
				s = r.backTo(own)
				continue
			}
			if sw, off := g.book.stopped(r.principal.Tenant, r.call.Tool, r.call.Agent); off {
				return g.repeated(r, s, r.answerStopped(s, sw)), nil
			}
			var won *Answer
			if won, s, err = g.take(ctx, r, s, ru); won != nil {
				return *won, nil
			}
		}
		if err != nil {
			return Answer{}, err
		}
		if s.relation == SameEffect {
			own = s
		}
	}
	return Answer{}, &Error{Code: CodeBusy, Op: "call", Message: "too many equal calls at one moment; nothing was sent for this one", Retry: time.Second}
}

// situation describes what was found to decide.
func (r *proposal) situation(found *Effect, rel Relation, now time.Time) situation {
	s := situation{
		verdict: r.verdict.Action, rule: r.rule, found: found, relation: rel, now: now, execute: r.execute, rival: r.rivalCode, limit: r.limitAction(),
	}
	if found != nil {
		own := found.Subject == r.principal.Subject
		s.mine = own && found.Tool == r.call.Tool
		s.same = string(found.Arguments) == string(r.bytes)
		// What a caller reported of a tool that the guard should have run is nobody else's truth.
		planted := found.Execute == ByCaller && r.rule.Upstream != nil
		s.owner = own || r.rule.Share == policy.ShareTenant && !planted
	}
	return s
}

// lookAgain reads what was found once more.
func (g *Guard) lookAgain(ctx context.Context, r *proposal, s situation) (situation, error) {
	found, err := g.store.Lookup(ctx, s.found.Key)
	if err != nil {
		return s, err
	}
	next := r.situation(found.Effect, s.relation, found.Now)
	next.waited, next.likeness, next.superseded = s.waited, s.likeness, found.Superseded != ""
	return next, nil
}

// await waits until the effect found is no longer pending, and looks again. It is not settled when the caller's
// budget ends first or too many wait already.
func (g *Guard) await(ctx context.Context, r *proposal, s situation) (_ situation, settled bool, _ error) {
	id, pause := s.found.ID, g.times.Poll
	for {
		// Subscribe first, then look: a settlement in between is seen by one or the other.
		woken, leave, ok := g.hub.subscribe(id)
		if !ok {
			return s, false, nil
		}
		next, err := g.lookAgain(ctx, r, s)
		if err != nil || next.found == nil || next.found.ID != id || next.found.State != Pending || next.over(next.found.LeaseUntil) {
			leave()
			next.waited = true
			return next, true, err
		}
		s = next
		left := time.Until(r.deadline)
		if left <= 0 {
			leave()
			return s, false, nil
		}
		timer := time.NewTimer(min(left, pause))
		select {
		case <-woken:
		case <-timer.C:
			pause = min(2*pause, 2*time.Second)
		case <-ctx.Done():
			r.deadline = time.Time{} // the caller left, or the server shuts down
		}
		timer.Stop()
		leave()
	}
}

// repeated counts an answer that left the ledger as it was.
func (g *Guard) repeated(r *proposal, s situation, a Answer) Answer {
	if s.found != nil {
		g.repeats.add(repeat{r.principal.Tenant, s.found.ID, a.Kind, a.Explanation.Code, agentActor(r.principal)})
	}
	return a
}

func agentActor(p Principal) Actor { return Actor{Kind: "agent", Name: p.Subject} }

// pass lets a read, or a call of a tool whose policy is off, through: nothing is recorded and nothing replayed.
func (g *Guard) pass(ctx context.Context, r *proposal) (Answer, error) {
	if sw, off := g.book.stopped(r.principal.Tenant, r.call.Tool, r.call.Agent); off {
		return r.answerStopped(situation{}, sw), nil
	}
	if r.rule.Mode != policy.ModeOff && r.verdict.Action != policy.ActAllow {
		if !r.warns() {
			return r.answerBlocked(situation{}, CodeDenied), nil
		}
		r.wouldHave(CodeDenied)
	}
	if r.execute == ByCaller {
		return Answer{Kind: AnswerProceed, Explanation: r.explainPassed()}, nil
	}
	release, err := g.takeOff()
	if err != nil {
		return Answer{}, err
	}
	defer release()
	out := g.attempt(ctx, shipment{rule: r.rule, tool: r.call.Tool, args: r.args, trace: r.call.TraceParent, started: time.Now()})
	return r.answerPassed(out), nil
}
