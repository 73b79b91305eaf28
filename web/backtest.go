package web

import (
	"context"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// A backtest asks, before a draft is saved, what it would have made of the calls of the last week (guard.Backtest). It sends and
// writes nothing. It reads what the visitor may see: where a policy conceals arguments, their marks stand for them, so that no draft
// can ask for a value.

// backtestBounds are how far a backtest goes while somebody waits for its page.
type backtestBounds struct {
	over  time.Duration // how far back calls are looked at
	rows  int           // effects whose tool is looked at
	calls int           // that are compared
	time  time.Duration
}

var inPage = backtestBounds{over: 7 * 24 * time.Hour, rows: 50_000, calls: 10_000, time: 10 * time.Second}

// mostFindings is how many calls of each kind a page lists.
const mostFindings = 10

// pastCalls are the recorded calls that a draft may treat otherwise, oldest first.
type pastCalls struct {
	list      []pastCall
	others    int  // recorded calls that it cannot
	more      bool // there are older ones, which were not looked at
	stopped   int  // that were not compared, because the time was over
	concealed int  // that have arguments which nobody may see
}

type pastCall struct {
	effect, about string
	at            time.Time
}

// backtestDraft is backtest for the editor's draft.
func (w *Web) backtestDraft(ctx context.Context, p guard.Principal, tool string, v *draftView, would *policy.Set) (backtestView, error) {
	switch {
	case !v.Good:
		return backtestView{Done: true, Problem: "The draft cannot be loaded, so there is nothing to compare. What is wrong with it stands above."}, nil
	case !v.Names:
		return backtestView{Done: true, Problem: "The draft does not name this tool, so there is nothing to compare."}, nil
	}
	found, err := w.backtest(ctx, p, would, inPage)
	if found.Done && ruleFor(would, tool).Mode == policy.ModeWarn {
		found.Notes = append(found.Notes, "The draft only warns: this is what it would do if it were enforced.")
	}
	return found, err
}

// backtest compares a draft with the policies in force.
func (w *Web) backtest(ctx context.Context, p guard.Principal, draft *policy.Set, b backtestBounds) (backtestView, error) {
	select {
	case w.backtests <- struct{}{}:
		defer func() { <-w.backtests }()
	default:
		return backtestView{Done: true, Problem: "Other backtests are under way on this server. Try again in some seconds."}, nil
	}
	began := time.Now()
	current := w.policies.Current()
	past, err := w.pastCalls(ctx, p, concerns(current, draft), b)
	if err != nil {
		return backtestView{}, err
	}
	recall := func(ctx context.Context, ref uint64) (guard.BacktestCall, error) {
		e, err := w.guard.Effect(ctx, p, past.list[ref].effect)
		return guard.BacktestCallOf(&e, ref), err
	}
	test, err := guard.NewBacktest(guard.BacktestOptions{Current: current, Draft: draft, Recall: recall, Keep: mostFindings})
	if err != nil {
		return backtestView{}, err
	}
	for i := range past.list {
		if time.Since(began) >= b.time {
			past.stopped = len(past.list) - i
			break
		}
		err := w.compareCall(ctx, p, test, &past, uint64(i))
		if err != nil && guard.CodeOf(err) != guard.CodeNotFound { // it may have been forgotten meanwhile
			return backtestView{}, err
		}
	}
	report, err := test.Report(ctx)
	if guard.CodeOf(err) == guard.CodeNotFound {
		return backtestView{Done: true, Problem: "The ledger forgot a call while it was compared. Try again."}, nil
	}
	if err != nil {
		return backtestView{}, err
	}
	return backtestViewOf(&report, &past, b), nil
}

// pastCalls finds the newest calls on record that a draft may be about.
func (w *Web) pastCalls(ctx context.Context, p guard.Principal, concerned func(tool string) bool, b backtestBounds) (pastCalls, error) {
	const page = 500
	var past pastCalls
	began, before := time.Now(), ""
	for from := w.now().Add(-b.over); ; {
		list, err := w.guard.Effects(ctx, p, guard.Query{From: from, Before: before, Limit: page})
		if err != nil {
			return past, err
		}
		for i := range list {
			if !concerned(list[i].Tool) {
				past.others++
			} else if past.list = append(past.list, pastCall{list[i].ID, list[i].About, list[i].Created}); len(past.list) == b.calls {
				past.more = i < len(list)-1 || len(list) == page
				break
			}
		}
		if past.more || len(list) < page {
			break
		}
		// The rest of the time is for the comparison.
		if len(past.list)+past.others >= b.rows || time.Since(began) >= b.time/3 {
			past.more = true
			break
		}
		before = list[len(list)-1].ID
	}
	slices.Reverse(past.list)
	return past, nil
}

// compareCall compares one call on record.
func (w *Web) compareCall(ctx context.Context, p guard.Principal, test *guard.Backtest, past *pastCalls, ref uint64) error {
	e, err := w.guard.Effect(ctx, p, past.list[ref].effect)
	if err != nil {
		return err
	}
	if err := test.Add(ctx, test.Read(ctx, guard.BacktestCallOf(&e, ref))); err != nil {
		return err
	}
	if test.Conceals(e.Tool) {
		past.concealed++
	}
	return test.AddVerdict(ctx, w.guard, p, &e, ref)
}

// concerns tells of a tool whether its calls can end otherwise under policies with a draft among them: because its rule is the draft's or
// changes, or because it shares effects, resources or limits with one whose rule does.
func concerns(current, draft *policy.Set) func(tool string) bool {
	known := map[string]bool{}
	changed := changedRules(current, draft)
	return func(tool string) bool {
		yes, seen := known[tool]
		if !seen {
			now, then := current.Match(tool), draft.Match(tool)
			yes = slices.ContainsFunc(changed, func(r *policy.Rule) bool { return coupled(r, now) || coupled(r, then) })
			known[tool] = yes
		}
		return yes
	}
}

// changedRules are the rules of two sets that the other one does not have as they are, and those of the draft.
func changedRules(current, draft *policy.Set) []*policy.Rule {
	var list []*policy.Rule
	for _, pair := range [][2]*policy.Set{{current, draft}, {draft, current}} {
		for _, r := range pair[0].Rules() {
			if other := pair[1].Find(r.Pattern); other == nil || other.Digest != r.Digest || isDraft(r) {
				list = append(list, r)
			}
		}
	}
	return list
}

// coupled reports whether effects of one rule can stand in the way of those of the other.
func coupled(a, b *policy.Rule) bool {
	if a.Pattern == b.Pattern && !b.Unknown || a.Effect != "" && a.Effect == b.Effect || hasResource(a) && hasResource(b) {
		return true
	}
	return slices.ContainsFunc(a.Limits, func(l policy.Limit) bool {
		return slices.ContainsFunc(b.Limits, func(o policy.Limit) bool { return l.Counter == o.Counter })
	})
}

func hasResource(r *policy.Rule) bool {
	return slices.ContainsFunc(r.Lines(), func(l policy.Line) bool { return l.Path[0] == "resource" && l.Origin != "" })
}
