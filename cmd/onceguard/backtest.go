package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

const backtestHelp = `Backtest puts calls that were once made through a draft of the policies and through the current
ones, and lists what the draft would have done otherwise. Nothing is sent and no ledger is changed.

  merged    the call would be answered for an earlier effect, and was one of its own
  split     it was answered for an earlier effect, and would no longer be
  denied    it would not be sent any more
  held      a person, or the agent, would be asked first
  released  it was denied or held, or recorded, and would be sent without that

The calls come from a recording (as for replay: one JSON object a line with run, tool and arguments;
"at", a time of RFC 3339, "subject", "agent" and "labels" may be there, too), or from a ledger
(--data or --ledger), also while servers run on it. Of a recording, calls that are marked as reads
("write": false) are left out, and those that are marked as errors changed nothing. A ledger has
each effect once, however often it was asked for, so that it shows what a draft merges, holds and
denies, but hardly what it splits.

Without --against the draft is compared with what can be inferred without any policy. Limits and
windows need times: of calls without one, no window ends and nothing is counted for limits.

Labelled pairs (--labels, as for eval) say what is the same and what is different. Those about which
the draft is wrong, and the current policies are not, are listed as "labels".

The reviewers' verdicts of a ledger are labelled pairs as well: a held call of which a person said
that it is the same as the one it was held for, or that a person let run beside it for all that it was
near to it or acted on the same thing. Those about which the draft is wrong, and the current policies
are not, fail the draft, unless --ignore-verdicts is there. --export-verdicts writes them to a file for eval
and --labels, without those of which a policy conceals arguments.

What policies have sealed in a ledger is read with the installation key in the data folder, and findings
quote nothing of it. Calls that no key opens are counted as not readable.

Memory grows with the different effects, by 100 to 500 bytes for each, and not with the calls.

Exit code 1: the draft breaks a verdict, or one of the kinds that --fail-on names was found.`

// backtestLabels is the name under which --fail-on knows broken labels.
const backtestLabels = "labels"

// backtestOptions are the flags of backtest.
type backtestOptions struct {
	policies, against string
	labels            string
	export            string
	ignoreVerdicts    bool
	failOn            []string
	keep              int
	apart             bool
	json              bool
}

func newBacktestCommand(environ []string) *cobra.Command {
	var o backtestOptions
	s := newSettings(environ)
	c := &cobra.Command{
		Use:   "backtest --policies DRAFT [--against CURRENT] [calls.jsonl]",
		Short: "Show what a draft of the policies would have done to recorded calls",
		Long:  backtestHelp,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			current, draft, err := o.sets()
			if err != nil {
				return err
			}
			var report *backtestReport
			if len(args) == 1 {
				if o.export != "" {
					return usageError{errors.New("--export-verdicts needs a ledger: a recording has no reviewers")}
				}
				report, err = o.recording(c.Context(), current, draft, args[0], c.ErrOrStderr())
			} else {
				err = withLedger(c, s, func(ctx context.Context, l ledger) (err error) {
					report, err = o.ledger(ctx, current, draft, l, folder(s.config.Data), c.ErrOrStderr())
					return err
				})
			}
			if c.Context().Err() != nil {
				return errors.New("the backtest was interrupted, so there is nothing to report")
			}
			if err != nil {
				return err
			}
			return o.finish(c.OutOrStdout(), report)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.policies, "policies", "", "`folder` or file with the draft")
	f.StringVar(&o.against, "against", "", "`folder` or file with the current policies; none: what can be inferred")
	for _, name := range []string{"config", "data", "ledger"} {
		f.AddFlag(s.flags.Lookup(name))
	}
	f.StringVar(&o.labels, "labels", "", "labelled pairs that the draft must not get wrong")
	f.StringVar(&o.export, "export-verdicts", "", "write the reviewers' verdicts of the ledger to this `file`, as labelled pairs")
	f.BoolVar(&o.ignoreVerdicts, "ignore-verdicts", false, "list the verdicts that the draft breaks, and do not fail for them")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit with code 1 on any of "+strings.Join(failableKinds(), ", "))
	f.IntVar(&o.keep, "worst", 10, "how many findings of each kind are shown")
	f.BoolVar(&o.apart, "runs-apart", false, "each run had a world of its own: equal calls of two runs are not compared")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

func failableKinds() []string {
	var names []string
	for _, k := range guard.BacktestKinds {
		names = append(names, string(k))
	}
	return append(names, backtestLabels)
}

func (o *backtestOptions) check() error {
	if o.policies == "" {
		return errors.New("name the draft with --policies")
	}
	if o.keep < 1 || o.keep > 1000 {
		return errors.New("--worst must be 1 to 1000")
	}
	for _, kind := range o.failOn {
		if !slices.Contains(failableKinds(), kind) {
			return fmt.Errorf("--fail-on does not know %q%s", kind, didYouMean(kind, failableKinds()))
		}
	}
	if slices.Contains(o.failOn, backtestLabels) && o.labels == "" {
		return errors.New("--fail-on labels needs labelled pairs: add --labels")
	}
	return nil
}

func (o *backtestOptions) sets() (current, draft *policy.Set, err error) {
	if current, err = policiesIn(o.against); err != nil {
		return nil, nil, err
	}
	draft, err = policy.Load(o.policies)
	return current, draft, err
}

// finish prints the report, and fails where --fail-on says so, or for a verdict of a reviewer.
func (o *backtestOptions) finish(w io.Writer, r *backtestReport) error {
	for _, kind := range o.failOn {
		if r.count(kind) > 0 {
			r.FailedOn = append(r.FailedOn, kind)
		}
	}
	if r.Verdicts.Broken > 0 && !o.ignoreVerdicts {
		r.FailedOn = append(r.FailedOn, "verdicts")
	}
	r.OK = len(r.FailedOn) == 0
	var err error
	if o.json {
		err = writeJSON(w, r)
	} else {
		err = r.print(w)
	}
	if err == nil && !r.OK {
		err = errReported
	}
	return err
}

// compare takes all calls of a source through both sets, with the labelled pairs where there are any.
func (o *backtestOptions) compare(ctx context.Context, current, draft *policy.Set, from pastCalls, stderr io.Writer) (*backtestReport, error) {
	b, err := guard.NewBacktest(guard.BacktestOptions{Current: current, Draft: draft, Recall: from.recall, Keep: o.keep, RunsApart: o.apart})
	if err != nil {
		return nil, err
	}
	shown := startProgress(stderr, "backtest", "calls", 0)
	err = readInOrder(ctx, b, from, &shown.done)
	shown.stop()
	if err != nil {
		return nil, err
	}
	export, err := o.judgeVerdicts(ctx, b, from)
	if err != nil {
		return nil, err
	}
	found, err := b.Report(ctx)
	if err != nil {
		return nil, err
	}
	r := newBacktestReport(o, &found, from)
	r.Verdicts = newVerdictsReport(found.Labels, export)
	if o.labels != "" {
		r.Labels, err = brokenLabels(ctx, current, draft, o.labels, o.keep, stderr)
	}
	return r, err
}

// judgeVerdicts takes the reviewers' verdicts through both sets, and writes them where that is asked for.
func (o *backtestOptions) judgeVerdicts(ctx context.Context, b *guard.Backtest, from pastCalls) (e *verdictsExport, err error) {
	if o.export != "" {
		if e, err = newVerdictsExport(o.export); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, e.close()) }()
	}
	return e, from.verdicts(ctx, func(l guard.BacktestLabel) error {
		if err := b.AddLabel(ctx, l); err != nil || e == nil {
			return err
		}
		return e.add(l, b.Conceals(l.Now.Call.Tool) || b.Conceals(l.Earlier.Call.Tool))
	})
}
