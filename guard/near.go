package guard

import (
	"context"

	"github.com/onceguard/onceguard/fingerprint"
)

// compareWordings compares the texts of a call with those of earlier effects.
func (g *Guard) compareWordings(ctx context.Context, r *proposal, earlier []Effect) ([]fingerprint.Nearness, error) {
	texts := make([][]fingerprint.Text, len(earlier))
	for i := range earlier {
		if args, err := decodeArguments(earlier[i].Arguments); err == nil {
			texts[i] = r.specOf(&earlier[i]).Texts(args)
		}
	}
	found, err := fingerprint.JudgeAll(ctx, g.wordings(r), texts, r.rule.Arguments.Texts(r.args), r.rule.Near.Near, r.rule.Near.Same)
	if err != nil {
		return nil, &Error{Code: CodeUnavailable, Op: "call", Message: "the wording could not be compared with that of earlier calls; nothing was sent", Err: err}
	}
	return found, nil
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
