package guard

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
)

// likeness is what was found among earlier effects that differ from a call in wording at most.
type likeness struct {
	fingerprint.Nearness
	alike []Prior // all whose wording is like the call's; a confirmation is about all of them
}

// String tells a reviewer how near the wordings are, without quoting them.
func (l likeness) String() string {
	if l.Argument == "" {
		return "the wordings are alike"
	}
	return fmt.Sprintf("the argument %q is %.0f%% alike", l.Argument, 100*l.Score)
}

// nearby compares a call with the effects that stand near it. It remembers all that it has looked at, so that the next claim
// is only stopped by others. It returns the effect that has to be answered for, or false when the wordings differ.
func (g *Guard) nearby(ctx context.Context, r *proposal) (situation, bool, error) {
	candidates, err := g.store.Nearby(ctx, r.principal.Tenant, r.sum.Near, r.sum.Key)
	if err != nil {
		return situation{}, false, err
	}
	r.seen = make([]Prior, 0, len(candidates)) // a claim that was not confirmed may still read the former one
	texts := make([][]fingerprint.Text, len(candidates))
	for i := range candidates {
		e := &candidates[i]
		r.seen = append(r.seen, Prior{e.ID, e.State, e.Fence})
		if args, err := decodeArguments(e.Arguments); err == nil {
			texts[i] = r.specOf(e).Texts(args)
		}
	}
	by := g.wordings(r)
	found, err := fingerprint.JudgeAll(ctx, by, texts, r.rule.Arguments.Texts(r.args), r.rule.Near.Near, r.rule.Near.Same)
	if err != nil {
		return situation{}, false, &Error{Code: CodeUnavailable, Op: "call", Message: "the wording could not be compared with that of earlier calls; nothing was sent", Err: err}
	}
	var closest []int
	l := likeness{}
	for i, n := range found {
		if n.Verdict != fingerprint.Different && !r.isAlias(candidates[i].Key) {
			closest, l.alike = append(closest, i), append(l.alike, r.seen[i])
		}
	}
	// What is still open comes before what is done, because it can change what has to be said; then the wording that is
	// more alike.
	slices.SortStableFunc(closest, func(a, b int) int {
		switch first, second := candidates[a].State != Done, candidates[b].State != Done; {
		case first && !second:
			return -1
		case second && !first:
			return 1
		}
		return cmp.Compare(found[b].Score, found[a].Score)
	})
	for _, i := range closest {
		now, err := g.store.Lookup(ctx, candidates[i].Key)
		if err != nil {
			return situation{}, false, err
		}
		if e := now.Effect; e != nil && e.ID == candidates[i].ID && (Prior{e.ID, e.State, e.Fence}) != r.seen[i] {
			r.seen = nil // it has moved on: the next claim is stopped again, and all are compared anew
			return situation{}, false, nil
		}
		if now.Superseded != "" {
			continue // it no longer answers
		}
		s := r.situation(&candidates[i], NearEffect, now.Now)
		l.Nearness = found[i]
		s.likeness = l
		return s, true, nil
	}
	return situation{}, false, nil
}

// nearbyAgain compares once more after time has passed: what was found may have come to nothing or be done, and then the others
// that are alike count, too.
func (g *Guard) nearbyAgain(ctx context.Context, r *proposal, own situation) (situation, error) {
	s, alike, err := g.nearby(ctx, r)
	if err == nil && !alike {
		s = r.backTo(own)
	}
	return s, err
}

// specOf is how the arguments of an earlier effect are read, which may be one of another tool.
func (r *proposal) specOf(e *Effect) *fingerprint.Spec {
	if e.Tool == r.call.Tool {
		return r.rule.Arguments
	}
	return r.set.Match(e.Tool).Arguments
}

// wordings compares texts by what the rule says of opposites, and by the operator's service where there is one.
func (g *Guard) wordings(r *proposal) fingerprint.Similarity {
	if g.similarity == nil {
		return r.rule.Wordings()
	}
	return serviced{r.rule.Wordings(), g.similarity}
}

// serviced takes scores from a service, and from the rule what makes two wordings surely different whatever they score.
type serviced struct{ rule, service fingerprint.Similarity }

// Compare compares each pair by both.
func (s serviced) Compare(ctx context.Context, pairs []fingerprint.Wording) ([]fingerprint.Likeness, error) {
	found, err := s.rule.Compare(ctx, pairs)
	if err != nil {
		return nil, err
	}
	scored, err := s.service.Compare(ctx, pairs)
	if err != nil || len(scored) != len(found) {
		return found, nil // the built-in scores stand
	}
	for i := range found {
		found[i].Score = scored[i].Score
	}
	return found, nil
}
