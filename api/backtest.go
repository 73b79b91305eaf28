package api

import (
	"context"
	"encoding/json"
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

// backtest is POST /v1/backtest. It is for admins: a draft's conditions could be used to ask for values that reviewers may not see.
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
	ids, more, err := a.recorded(ctx, p, q)
	if err != nil {
		return client.Backtest{}, err
	}
	recall := func(ctx context.Context, ref uint64) (guard.BacktestCall, error) {
		return a.recordedCall(ctx, p, ids, ref)
	}
	b, err := guard.NewBacktest(guard.BacktestOptions{Current: a.policies.Current(), Draft: draft, Recall: recall})
	if err != nil {
		return client.Backtest{}, err
	}
	for i := range ids {
		c, err := recall(ctx, uint64(i))
		if guard.CodeOf(err) == guard.CodeNotFound {
			continue // it was forgotten meanwhile
		}
		if err != nil {
			return client.Backtest{}, err
		}
		if err := b.Add(ctx, b.Read(ctx, c)); err != nil {
			return client.Backtest{}, err
		}
	}
	r, err := b.Report(ctx)
	if err != nil {
		return client.Backtest{}, err
	}
	return backtestAnswer(&r, ids, more), nil
}

// recorded lists the newest effects that a question is about, oldest first, and whether there are older ones.
func (a *API) recorded(ctx context.Context, p guard.Principal, q client.BacktestQuestion) (ids []string, more bool, err error) {
	const page = 500
	for before := ""; ; before = ids[len(ids)-1] {
		found, err := a.guard.Effects(ctx, p, guard.Query{Tool: q.Tool, From: q.From, Until: q.Until, Before: before, Limit: page})
		if err != nil {
			return nil, false, err
		}
		for i := range found {
			ids = append(ids, found[i].ID)
		}
		if len(found) < page || len(ids) >= maxBacktest {
			more = len(found) == page
			break
		}
	}
	slices.Reverse(ids)
	return ids, more, nil
}

func (a *API) recordedCall(ctx context.Context, p guard.Principal, ids []string, ref uint64) (guard.BacktestCall, error) {
	e, err := a.guard.Effect(ctx, p, ids[ref])
	if err != nil {
		return guard.BacktestCall{}, err
	}
	return guard.BacktestCall{
		Ref: ref, At: e.Created, Failed: e.State == guard.Failed || e.State == guard.Refused,
		Principal: guard.Principal{Tenant: e.Tenant, Subject: e.Subject, Role: guard.RoleAgent},
		Call:      guard.Call{Tool: e.Tool, Arguments: json.RawMessage(e.Arguments), Run: e.Run, Agent: e.Agent},
	}, nil
}

func backtestAnswer(r *guard.BacktestReport, ids []string, more bool) client.Backtest {
	w := client.Backtest{
		Calls: r.Calls, More: more, Unread: r.Unread, Before: totals(r.Current), After: totals(r.Draft),
		Counts: map[string]int{}, Limits: []client.BacktestLimit{}, Findings: []client.BacktestFinding{},
	}
	for kind, n := range r.Counts {
		w.Counts[string(kind)] = n
	}
	for _, l := range r.Limits {
		w.Limits = append(w.Limits, client.BacktestLimit{Source: l.Source, Calls: l.Calls})
	}
	for _, f := range r.Findings {
		found := client.BacktestFinding{
			Kind: string(f.Kind), Tool: f.Tool, Code: string(f.Code), Why: f.Why, Effect: ids[f.Now.Ref], Deciding: []string{}, Sentence: f.Sentence,
		}
		found.Deciding = append(found.Deciding, f.Deciding...)
		if f.Amount != nil {
			found.Amount = strings.TrimSpace(f.Amount.Value.String() + " " + f.Amount.Unit)
		}
		if f.Earlier != nil {
			found.Earlier = ids[f.Earlier.Ref]
		}
		w.Findings = append(w.Findings, found)
	}
	return w
}

func totals(t guard.BacktestTotals) client.BacktestTotals {
	return client.BacktestTotals{Sent: t.Sent, Repeated: t.Repeated, Asked: t.Asked, Denied: t.Denied, Passed: t.Passed}
}
