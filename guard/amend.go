package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// recall makes the proposal of a call anew from what is on record of it. Its labels, its occurrence and its idempotency key
// are not.
func (g *Guard) recall(ctx context.Context, e *Effect, arguments json.RawMessage) (*proposal, error) {
	p := Principal{Tenant: e.Tenant, Subject: e.Subject, Agent: e.Agent, Role: RoleAgent}
	return g.propose(ctx, p, Call{Tool: e.Tool, Arguments: arguments, CallID: e.CallID, Run: e.Run, Agent: e.Agent, Execute: e.Execute})
}

// amend checks the arguments that a person wants to be sent instead of those that were held, and returns their bytes. The
// schema and the rules that deny hold for them, too; what a rule would hold, a person is just looking at.
//
// Nothing is sent twice by it: an effect that stands under the edited call's own key and answers is a conflict, and later calls
// with the edited arguments are answered by this effect (answerAlso). The first of it is a look and no claim: an equal call at the same
// moment, which nobody has edited, can be sent beside it.
//
// The effect goes on with what was recorded of the call that was shown, so an edit cannot be about another thing.
func (g *Guard) amend(ctx context.Context, e *Effect, arguments json.RawMessage) ([]byte, error) {
	if e.Execute != ByGuard {
		return nil, &Error{Code: CodeConflict, Op: "decide", Effect: e, Message: "the caller runs this tool itself, with arguments of its own; reject the call and say what to change"}
	}
	if conceals(g.ruleOf(e)) && isVeiled(arguments) {
		return nil, invalid("/arguments", "hold a mark in place of a value that the policy conceals; write the value, or approve the call as it is, or reject it")
	}
	edited, err := g.recall(ctx, e, arguments)
	if err != nil {
		return nil, err
	}
	if broken := edited.rule.Validate(edited.args); len(broken) > 0 {
		return nil, invalid("/arguments", edited.answerViolations(broken).Explanation.Message)
	}
	if g.weigh(ctx, edited); edited.verdict.Action == policy.ActDeny {
		return nil, invalid("/arguments", withReason("A rule of the policy forbids the call with these arguments.", edited.verdict.Why))
	}
	shown, err := g.recall(ctx, e, e.Arguments)
	if err != nil {
		return nil, err
	}
	if keys, err := g.keysOf(ctx, shown); err != nil || !slices.Contains(keys, e.Key) {
		return nil, &Error{Code: CodeConflict, Op: "decide", Effect: e, Err: err,
			Message: "the edited call cannot be compared with earlier ones, because this one depends on a label or a key of its caller that is not on record; approve it as it is, or reject it"}
	}
	keys, err := g.keysOf(ctx, edited)
	if err != nil {
		return nil, err
	}
	if edited.resource != shown.resource || !e.Identity.IsZero() && edited.sum.Identity != e.Identity {
		return nil, invalid("/arguments", "are about another thing than the call that was held; reject it, and say what to call instead")
	}
	for _, key := range keys {
		found, err := g.store.Lookup(ctx, key)
		if err != nil {
			return nil, err
		}
		s := edited.situation(found.Effect, SameEffect, found.Now)
		if s.found != nil && s.found.ID != e.ID && s.answers() && found.Superseded == "" {
			return nil, &Error{Code: CodeConflict, Op: "decide", Effect: e,
				Message: fmt.Sprintf("a call with these arguments is on record already: effect %s is %s; nothing was decided", s.found.ID, s.found.State)}
		}
	}
	return edited.bytes, nil
}

// answerAlso lets an approved effect whose arguments were edited answer calls that come with the edited ones: under their key it
// records that they are the same. Where an equal call was claimed since amend has looked, that one answers.
func (g *Guard) answerAlso(ctx context.Context, e *Effect, by Actor) error {
	r, err := g.recall(ctx, e, e.Arguments)
	if err != nil {
		return err
	}
	keys, err := g.keysOf(ctx, r)
	if err != nil || slices.Contains(keys, e.Key) {
		return err
	}
	for range maxRounds {
		found, err := g.store.Lookup(ctx, r.sum.Key)
		if err != nil {
			return err
		}
		req := r.claimRequest(r.situation(found.Effect, SameEffect, found.Now), ruling{action: actRefuse, code: CodeSame, next: true}, 0)
		req.Effect.Related, req.Effect.Reason, req.Actor = e.ID, "A person had these arguments sent in place of those of "+e.ID+".", by
		req.CheckScope, req.CheckIdentity, req.CheckNear = false, false, false
		if _, err = g.claim(ctx, req); CodeOf(err) != CodeOldBook {
			return err
		}
		if err := g.book.refresh(ctx); err != nil {
			return err
		}
		if err := g.reckon(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// keysOf are the keys of a call under all editions of its tool's rule.
func (g *Guard) keysOf(ctx context.Context, r *proposal) ([]fingerprint.Digest, error) {
	if err := r.fingerprint(); err != nil {
		return nil, err
	}
	if err := g.reckon(ctx, r); err != nil {
		return nil, err
	}
	return append([]fingerprint.Digest{r.sum.Key}, r.aliases...), nil
}
