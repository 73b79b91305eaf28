package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

const evalHelp = `Eval measures how well policies tell calls apart, on pairs of calls that people have labelled.
Nothing is sent and no ledger is needed.

A file of pairs has one JSON object a line: set, label, tool, and either a and b, the argument
texts of two calls as a model wrote them, or a_text and b_text, two wordings of one text argument.
Each pair counts as two calls of one scope, the first of them carried out:

  merged   the second is the same effect and is not sent
  held     it is near in wording, or another effect on the same thing where the policy asks about
           that, so that a person or the agent is asked first
  apart    it is another effect

Labels that begin with "same" must be merged or held, "revision" must be held or merged, and
"different" must be apart. Labels that begin with "same_task" are guesses, and an
"intended_repeat" cannot be told apart without an occurrence: both are listed and counted for
nothing, but an intended repeat in other bytes must not be merged either. Precision and recall of
"merged" leave out revisions. The same is measured for a comparison of the raw bytes and one of
the canonical JSON, both of which a guard without policies could make.

Tools that no policy names have the rule for unknown tools, with what can be inferred.

With --calls, recorded calls (as for replay) are walked run by run as well: of the writes that
succeeded, how many a guard would answer from an earlier effect of the run, how many it would
hold, and how many of those are labelled as the same, or as a revision.

Exit code 1 with --fail-on merged-different: a pair that must be apart was merged.`

// evalOptions are the flags of eval.
type evalOptions struct {
	policies string
	set      string
	worst    int
	calls    string
	failOn   string
	json     bool
}

// failOnMerged is the one choice of --fail-on.
const failOnMerged = "merged-different"

func newEvalCommand() *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval [flags] pairs.jsonl",
		Short: "Measure how well policies tell calls apart, on labelled pairs",
		Long:  evalHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			report, err := o.eval(c.Context(), args[0], c.ErrOrStderr())
			if c.Context().Err() != nil {
				return errors.New("the evaluation was interrupted, so there is nothing to report")
			}
			if err != nil {
				return err
			}
			if o.json {
				err = writeJSON(c.OutOrStdout(), report)
			} else {
				err = report.print(c.OutOrStdout())
			}
			if err == nil && !report.OK && o.failOn == failOnMerged {
				err = errReported
			}
			return err
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.policies, "policies", "", "`folder` or file of policies; none: what can be inferred")
	f.StringVar(&o.set, "set", "", "measure only the pairs of this set")
	f.IntVar(&o.worst, "worst", 5, "how many mistakes of each kind are shown")
	f.StringVar(&o.calls, "calls", "", "recorded calls of which the held and merged writes are counted")
	f.StringVar(&o.failOn, "fail-on", "", `exit with code 1 on "merged-different"`)
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

func (o *evalOptions) check() error {
	switch {
	case o.worst < 0 || o.worst > 1000:
		return errors.New("--worst must be 0 to 1000")
	case o.failOn != "" && o.failOn != failOnMerged:
		return fmt.Errorf("--fail-on knows only %q", failOnMerged)
	}
	return nil
}

// eval measures. Only the counts and the examples are kept in memory.
func (o *evalOptions) eval(ctx context.Context, file string, stderr io.Writer) (*evalReport, error) {
	rules, err := policiesIn(o.policies)
	if err != nil {
		return nil, err
	}
	c, err := newComparer(rules)
	if err != nil {
		return nil, err
	}
	t, err := o.pairs(ctx, c, file, stderr)
	if err != nil {
		return nil, err
	}
	rows := t.sorted()
	report := &evalReport{
		OK: t.wrong == 0, File: file, Policies: o.policies, Pairs: t.pairs, Unread: t.unread, Rows: rows,
		MergedDifferent: t.wrong, Quality: qualities(rows), Mistakes: t.mistakes.worst(o.worst), NotKept: t.mistakes.dropped,
	}
	if o.calls != "" {
		if report.Calls, err = walkCalls(ctx, c, o.calls, t.known, o.worst, stderr); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// pairs judges every pair of a file.
func (o *evalOptions) pairs(ctx context.Context, c *comparer, file string, stderr io.Writer) (*pairTally, error) {
	t := &pairTally{rows: map[[2]string]*pairRow{}, known: knownSame{}}
	sets := map[string]bool{}
	shown, err := evalProgress(stderr, file)
	if err != nil {
		return nil, err
	}
	defer shown.stop()
	err = eachPair(file, func(p labelledPair) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		shown.done.Add(1)
		if len(sets) < maxRows {
			sets[p.Set] = true
		}
		if o.calls != "" {
			t.known.add(p)
		}
		if o.set != "" && p.Set != o.set {
			return nil
		}
		if err := t.judge(ctx, c, p); err != nil {
			return fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case t.pairs == 0 && o.set != "":
		return nil, fmt.Errorf("%s has no set %q: %s", file, o.set, listed(sets))
	case t.pairs == 0:
		return nil, fmt.Errorf("%s holds no pair", file)
	}
	return t, nil
}

// judge judges one pair and counts it.
func (t *pairTally) judge(ctx context.Context, c *comparer, p labelledPair) error {
	j, err := c.judge(ctx, p)
	if err != nil {
		return err
	}
	if err := t.add(p, j); err != nil {
		return err
	}
	if j.mistake == mergedDifferent {
		t.wrong++
	}
	if j.mistake != "" {
		t.mistakes.add(p, j)
	}
	return nil
}

// evalProgress shows on a terminal how many of the pairs of a file are judged.
func evalProgress(stderr io.Writer, file string) (*progress, error) {
	total := 0
	if isTerminal(stderr) {
		if err := eachPair(file, func(labelledPair) error { total++; return nil }); err != nil {
			return nil, err
		}
	}
	return startProgress(stderr, "judging", "pairs", total), nil
}
