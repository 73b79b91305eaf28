package guard

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// A rival is an effect under another key that a call has to be answered for before it is claimed: an equal one in another
// scope, another one on the same thing, or one that differs in wording at most. A claim that meets one looks at all rivals of
// that relation at once. What it has looked at goes into the next claim (Seen), so that only others stop it again: of two calls
// that were both confirmed beside the same effect, the second meets the first.

// likeness is what was found among the rivals of one relation.
type likeness struct {
	fingerprint.Nearness         // of the rival that is answered for, where wordings are compared
	alike                []Prior // all that the call is alike; a confirmation is about all of them
}

// String tells a reviewer how near the wordings are, without quoting them.
func (l likeness) String() string {
	if l.Argument == "" {
		return "the wordings are alike"
	}
	return fmt.Sprintf("the argument %q is %.0f%% alike", l.Argument, 100*l.Score)
}

// compared reports whether effects of a relation are found by comparison, and live under keys of their own.
func (rel Relation) compared() bool {
	return rel == OtherScope || rel == SameIdentity || rel == NearEffect
}

// rivals looks at all rivals of one relation and remembers them. It returns the one that has to be answered for, or false
// when none of them has to.
func (g *Guard) rivals(ctx context.Context, r *proposal, rel Relation) (situation, bool, error) {
	candidates, err := g.store.Rivals(ctx, r.principal.Tenant, rel, r.digestOf(rel), r.claimKey())
	if err != nil {
		return situation{}, false, err
	}
	seen := make([]Prior, len(candidates))
	for i := range candidates {
		seen[i] = Prior{candidates[i].ID, candidates[i].State, candidates[i].Fence}
	}
	r.saw(rel, seen)
	nearness := make([]fingerprint.Nearness, len(candidates))
	if rel == NearEffect {
		if nearness, err = g.compareWordings(ctx, r, candidates); err != nil {
			return situation{}, false, err
		}
	}
	var l likeness
	var closest []int
	for i := range candidates {
		if (rel != NearEffect || nearness[i].Verdict != fingerprint.Different) && !r.isAlias(candidates[i].Key) {
			closest, l.alike = append(closest, i), append(l.alike, seen[i])
		}
	}
	slices.SortStableFunc(closest, func(a, b int) int {
		return cmp.Or(cmp.Compare(urgency(candidates[a].State), urgency(candidates[b].State)), cmp.Compare(nearness[b].Score, nearness[a].Score))
	})
	for _, i := range closest {
		now, err := g.store.Lookup(ctx, candidates[i].Key)
		if err != nil {
			return situation{}, false, err
		}
		if e := now.Effect; e != nil && e.ID == candidates[i].ID && (Prior{e.ID, e.State, e.Fence}) != seen[i] {
			r.saw(rel, nil) // it has moved on: the next claim is stopped again, and all are looked at anew
			return situation{}, false, nil
		}
		if now.Superseded != "" {
			continue // it no longer answers
		}
		s := r.situation(&candidates[i], rel, now.Now)
		l.Nearness = nearness[i]
		s.likeness = l
		return s, true, nil
	}
	return situation{}, false, nil
}

// urgency orders rivals: what nobody can wait for comes before what may still change by itself, and that before what is done,
// because it can change what has to be said.
func urgency(s State) int {
	switch s {
	case Unknown, Partial:
		return 0
	case Held, Approved:
		return 1
	case Pending:
		return 2
	}
	return 3
}

// rivalsAgain looks once more after time has passed: what was found may have come to nothing or be done, and then the others
// count, too.
func (g *Guard) rivalsAgain(ctx context.Context, r *proposal, rel Relation, own situation) (situation, error) {
	s, found, err := g.rivals(ctx, r, rel)
	if err == nil && !found {
		s = r.backTo(own)
	}
	return s, err
}

// saw replaces what was looked at of one relation. A claim that was not confirmed may still read the former slice.
func (r *proposal) saw(rel Relation, seen []Prior) {
	switch rel {
	case OtherScope:
		r.seen[0] = seen
	case SameIdentity:
		r.seen[1] = seen
	case NearEffect:
		r.seen[2] = seen
	}
}

// digestOf is what the rivals of a relation have in common with the call, beside the key.
func (r *proposal) digestOf(rel Relation) fingerprint.Digest {
	switch rel {
	case SameIdentity:
		return r.sum.Identity
	case NearEffect:
		return r.sum.Near
	}
	return fingerprint.Digest{}
}

// claimKey is the key under which the call is claimed: an effect that began under another edition of the rule goes on under
// the key that it has.
func (r *proposal) claimKey() fingerprint.Digest {
	if r.own != nil && r.isAlias(r.own.Key) {
		return r.own.Key
	}
	return r.sum.Key
}

// checkRivals asks the claim to be stopped by what the policy has something to say about.
func (r *proposal) checkRivals(req *ClaimRequest) {
	on := r.rule.On
	req.CheckScope = on.OtherScope != policy.Allow && r.inRun
	if on.SameIdentity != policy.Allow || r.rule.NeedsHistory() {
		req.Effect.Identity = r.sum.Identity
		req.CheckIdentity = on.SameIdentity != policy.Allow && !r.sum.Identity.IsZero()
	}
	if on.Near != policy.Allow && !r.sum.Near.IsZero() {
		req.Effect.Near, req.CheckNear = r.sum.Near, true
	}
	req.Seen = slices.Concat(r.seen[:]...)
}

// passRival goes on past a rival which was ruled to be a reason to ask a person, or none.
func (r *proposal) passRival(s situation, ru ruling) {
	switch {
	case !s.answers() || s.found.State == Refused:
		// It has come to nothing meanwhile, and the store will not name it again; but others that it was put before count now.
		r.saw(s.relation, nil)
	case ru.action == actHold && ru.code == Code(s.relation):
		r.rival, r.rivalCode, r.rivalLike = s.found, ru.code, s.likeness
	case ru.meant:
		r.declare(s)
	}
}

// backTo is the situation of the call's own effect once more, after a round about another one.
func (r *proposal) backTo(own situation) situation {
	own.rival, own.limit = r.rivalCode, r.limitAction()
	return own
}
