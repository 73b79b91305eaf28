package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// maxBacktest is the most effects that one request looks at, the newest ones: it is answered while somebody waits. The command
// "onceguard backtest" has no such bound.
const maxBacktest = 2000

// backtest is POST /v1/backtest. Reviewers may ask it, as on the dashboard: it reads the effects as they are shown to them, so that no draft can
// ask for what a policy conceals, and it writes nothing.
func (a *API) backtest(ctx context.Context, p guard.Principal, q client.BacktestQuestion) (client.Backtest, error) {
	if strings.TrimSpace(q.Policies) == "" {
		return client.Backtest{}, invalid("/policies", "is empty: send the draft as the text of one policy file")
	}
	draft, err := policy.Parse("draft", []byte(q.Policies))
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		return client.Backtest{}, invalid("/policies", problems.Error())
	}
	if err != nil {
		return client.Backtest{}, err
	}
	past, more, err := a.recorded(ctx, p, q)
	if err != nil {
		return client.Backtest{}, err
	}
	recall := func(ctx context.Context, ref uint64) (guard.BacktestCall, error) {
		e, err := a.guard.Effect(ctx, p, past[ref].ID)
		return guard.BacktestCallOf(&e, ref), err
	}
	b, err := guard.NewBacktest(guard.BacktestOptions{Current: a.policies.Current(), Draft: draft, Recall: recall})
	if err != nil {
		return client.Backtest{}, err
	}
	w := client.Backtest{More: more, Counts: map[string]int{}, Limits: []client.BacktestLimit{}, Findings: []client.BacktestFinding{}}
	for i := range past {
		e, err := a.guard.Effect(ctx, p, past[i].ID)
		if err == nil {
			err = b.Add(ctx, b.Read(ctx, guard.BacktestCallOf(&e, uint64(i))))
		}
		if err == nil {
			err = b.AddVerdict(ctx, a.guard, p, &e, uint64(i))
		}
		if guard.CodeOf(err) == guard.CodeNotFound {
			continue // it was forgotten meanwhile
		}
		if err != nil {
			return client.Backtest{}, err
		}
		if b.Conceals(e.Tool) {
			w.Concealed++
		}
	}
	r, err := b.Report(ctx)
	if err != nil {
		return client.Backtest{}, err
	}
	fillBacktest(&w, &r, past)
	return w, nil
}

// recorded lists the newest effects that a question is about, oldest first, and whether there are older ones.
func (a *API) recorded(ctx context.Context, p guard.Principal, q client.BacktestQuestion) (past []guard.Effect, more bool, err error) {
	const page = 500
	for before := ""; ; before = past[len(past)-1].ID {
		found, err := a.guard.Effects(ctx, p, guard.Query{Tool: q.Tool, From: q.From, Until: q.Until, Before: before, Limit: page})
		if err != nil {
			return nil, false, err
		}
		past = append(past, found...)
		if len(found) < page || len(past) >= maxBacktest {
			more = len(found) == page
			break
		}
	}
	slices.Reverse(past)
	return past, more, nil
}

func fillBacktest(w *client.Backtest, r *guard.BacktestReport, past []guard.Effect) {
	w.OK, w.Verdicts = r.Labels.Broken == 0, verdicts(&r.Labels)
	w.Calls, w.Unread, w.Before, w.After = r.Calls, r.Unread, totals(r.Current), totals(r.Draft)
	for kind, n := range r.Counts {
		w.Counts[string(kind)] = n
	}
	for _, l := range r.Limits {
		w.Limits = append(w.Limits, client.BacktestLimit{Source: l.Source, Calls: l.Calls})
	}
	for _, f := range r.Findings {
		found := client.BacktestFinding{
			Kind: string(f.Kind), Tool: f.Tool, Code: string(f.Code), Why: f.Why, Effect: past[f.Now.Ref].ID, Deciding: []string{}, Sentence: f.Sentence,
		}
		found.Deciding = append(found.Deciding, f.Deciding...)
		if f.Amount != nil {
			found.Amount = strings.TrimSpace(f.Amount.Value.String() + " " + f.Amount.Unit)
		}
		if f.Earlier != nil {
			found.Earlier = past[f.Earlier.Ref].ID
		}
		w.Findings = append(w.Findings, found)
	}
}

func verdicts(l *guard.BacktestLabels) client.BacktestVerdicts {
	v := client.BacktestVerdicts{
		Same: l.Same, Different: l.Different, Unread: l.Unread, Broken: l.Broken, Mended: l.Mended, Findings: []client.BacktestVerdict{},
	}
	for _, f := range l.Findings {
		found := client.BacktestVerdict{
			Label: "different", Tool: f.Now.Call.Tool, Effect: f.NowEffect, Earlier: f.EarlierEffect,
			Before: string(f.Before), After: string(f.After), Deciding: append([]string{}, f.Deciding...), Sentence: f.Sentence,
		}
		if f.Same {
			found.Label = "same"
		}
		v.Findings = append(v.Findings, found)
	}
	return v
}

func totals(t guard.BacktestTotals) client.BacktestTotals {
	return client.BacktestTotals{Sent: t.Sent, Repeated: t.Repeated, Asked: t.Asked, Denied: t.Denied, Passed: t.Passed}
}
