package guard

import (
	"context"
	"fmt"

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
	r.seen = r.seen[:0]
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
	best, l := -1, likeness{}
	for i, n := range found {
		if n.Verdict == fingerprint.Different || r.isAlias(candidates[i].Key) {
			continue
		}
		l.alike = append(l.alike, r.seen[i])
		if best < 0 || closer(&candidates[i], n, &candidates[best], found[best]) {
			best = i
		}
	}
	if best < 0 {
		return situation{}, false, nil
	}
	l.Nearness = found[best]
	now, err := g.store.Lookup(ctx, candidates[best].Key)
	if err != nil || now.Effect == nil || now.Effect.ID != candidates[best].ID {
		return situation{}, false, err // it is history by now, and the claim looks again
	}
	s := r.situation(now.Effect, NearEffect, now.Now)
	s.likeness = l
	return s, true, nil
}

// closer orders candidates: what is still open comes before what is done, because it can change what has to be said; then
// the wording that is more alike.
func closer(a *Effect, na fingerprint.Nearness, b *Effect, nb fingerprint.Nearness) bool {
	if open := a.State != Done; open != (b.State != Done) {
		return open
	}
	return na.Score > nb.Score
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
