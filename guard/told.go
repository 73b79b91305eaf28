package guard

import (
	"context"
	"time"
)

// A person may say of a held call that it is the same as the effect for which it was held (Same). The call's own effect is refused
// then, and names that effect; until its window ends, equal calls are answered from the effect that it names, as if the keys were
// equal. When that effect no longer answers, the next call is a new intent.

// told goes from a refused effect to the one that a person said it is the same as, where that still exists.
func (g *Guard) told(ctx context.Context, r *proposal, s situation) (situation, error) {
	if r.pastTold || !s.said() {
		return s, nil
	}
	r.pastTold = true
	original, err := g.store.Get(ctx, r.principal.Tenant, s.found.Related)
	if CodeOf(err) == CodeNotFound {
		return s, nil // it is forgotten
	}
	if err != nil {
		return s, err
	}
	found, err := g.store.Lookup(ctx, original.Key)
	if err != nil {
		return s, err
	}
	next := r.situation(&original, ToldEffect, s.now)
	next.superseded = found.Superseded != "" || found.Effect == nil || found.Effect.ID != original.ID
	return next, nil
}

// said reports whether found was refused because a person said that it is the same as another effect.
func (s situation) said() bool {
	return s.relation == SameEffect && s.found != nil && s.found.State == Refused && s.found.Code == CodeSame && !s.over(s.found.WindowUntil)
}

// answerTold is the answer to an equal call after a person has said Same of e; otherwise is the one where the effect that e names no
// longer answers.
func (g *Guard) answerTold(ctx context.Context, r *proposal, e Effect, otherwise Answer) (Answer, error) {
	e.State, e.Code, e.WindowUntil = Refused, CodeSame, time.Time{}
	s, err := g.told(ctx, r, r.situation(&e, SameEffect, e.Updated))
	r.pastTold = false
	if err != nil {
		return Answer{}, err
	}
	switch ru := decide(s); {
	case s.relation != ToldEffect:
	case ru.action == actReplay:
		return r.answerReplayed(s, ru.code), nil
	case ru.action == actBlock:
		return r.answerBlocked(s, ru.code), nil
	case ru.action == actWait:
		return r.answerPending(s), nil
	}
	return otherwise, nil
}
