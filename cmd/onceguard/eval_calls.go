package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// callsTally counts what a guard would have done with the writes of recorded runs that succeeded.
type callsTally struct {
	File       string      `json:"file"`
	Runs       int         `json:"runs"`
	Writes     int         `json:"writes"` // those that succeeded
	Merged     int         `json:"merged"` // equal to an earlier effect of the run
	Held       int         `json:"held"`
	Near       int         `json:"near"`          // of Held: alike in wording
	Identity   int         `json:"same_identity"` // of Held: another effect on the same thing
	Rightly    int         `json:"held_rightly"`  // of Held: labelled as the same or as a revision in the file of pairs
	Unread     int         `json:"unread"`        // calls that a guard refuses to read
	PerThou    float64     `json:"held_per_1000"`
	Ordinary   float64     `json:"held_per_1000_ordinary"` // without those that are held rightly
	MostHeld   []heldTool  `json:"most_held"`
	Examples   []heldWrite `json:"examples"`
	heldByTool map[string]int
	known      knownSame
}

// heldTool is a tool of which calls are held.
type heldTool struct {
	Tool string `json:"tool"`
	Held int    `json:"held"`
}

// heldWrite is an example of a held write that nobody has labelled as the same.
type heldWrite struct {
	Line     int            `json:"line"`
	Run      string         `json:"run"`
	Tool     string         `json:"tool"`
	Relation guard.Relation `json:"relation"`
	Nearness *nearnessShown `json:"nearness,omitzero"`
	Sentence string         `json:"sentence,omitzero"`
}

// walkCalls walks the runs of a recording with an empty ledger for each. A call that failed then changed nothing, so that it is
// no earlier effect; what is held counts as carried out after somebody looked at it, and what is merged is not sent. It keeps
// the runs that are not over in memory, and the first examples of held calls.
func walkCalls(ctx context.Context, c *comparer, file string, known knownSame, examples int, stderr io.Writer) (*callsTally, error) {
	r := recording{path: file}
	s, err := r.survey()
	if err != nil {
		return nil, err
	}
	t := &callsTally{File: file, Runs: len(s.runs), MostHeld: []heldTool{}, Examples: []heldWrite{}, heldByTool: map[string]int{}, known: known}
	runs := map[string]*history{}
	shown := startProgress(stderr, "walking", "calls", s.calls)
	defer shown.stop()
	err = r.each(func(call recordedCall) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		shown.done.Add(1)
		if call.Write && !call.Error {
			if runs[call.Run] == nil {
				runs[call.Run] = newHistory()
			}
			if err := t.walk(ctx, c, runs[call.Run], call, examples); err != nil {
				return fmt.Errorf("%s:%d: %w", file, call.line, err)
			}
		}
		if s.runs[call.Run]--; s.runs[call.Run] == 0 {
			delete(runs, call.Run)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.PerThou = 1000 * share(t.Held, t.Writes, 0)
	t.Ordinary = 1000 * share(t.Held-t.Rightly, t.Writes-t.Rightly, 0)
	for tool, held := range t.heldByTool {
		t.MostHeld = append(t.MostHeld, heldTool{tool, held})
	}
	slices.SortFunc(t.MostHeld, func(a, b heldTool) int { return cmp.Or(b.Held-a.Held, cmp.Compare(a.Tool, b.Tool)) })
	return t, nil
}

// walk counts one write and adds it to its run.
func (t *callsTally) walk(ctx context.Context, c *comparer, run *history, call recordedCall, examples int) error {
	t.Writes++
	rule := c.policies.Match(call.Tool)
	now, err := c.read(rule, rule.Arguments, call.text)
	if err != nil {
		t.Unread++
		return nil
	}
	f, err := c.relate(ctx, run, now)
	if err != nil {
		return err
	}
	switch f.outcome {
	case judgedMerged:
		t.Merged++
		return nil
	case judgedHeld:
		t.Held++
		t.heldByTool[call.Tool]++
		if f.relation == guard.NearEffect {
			t.Near++
		} else {
			t.Identity++
		}
		rightly := f.earlier != nil && t.known.has(call.Tool, *f.earlier, now)
		if rightly {
			t.Rightly++
		}
		if !rightly && len(t.Examples) < examples {
			t.Examples = append(t.Examples, heldWrite{
				Line: call.line, Run: call.Run, Tool: call.Tool, Relation: f.relation, Nearness: showNearness(f.nearness), Sentence: f.sentence(now),
			})
		}
	}
	run.add(now)
	return nil
}

// sentence says what a call is to the effect that it was held for; "" where that is not known.
func (f finding) sentence(now readCall) string {
	if f.earlier == nil {
		return ""
	}
	return fingerprint.Sentence(now.rule.Effect, f.earlier.spec.Terms(f.earlier.args), now.spec.Terms(now.args), f.nearness)
}

func (t *callsTally) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s: %s in %s that succeeded\n", t.File, plural(t.Writes, "write"), plural(t.Runs, "run"))
	line := func(n int, what string) {
		fmt.Fprintf(b, "%10s  %5.1f per 1,000  %s\n", grouped(n), 1000*share(n, t.Writes, 0), what)
	}
	line(t.Merged, "equal to an earlier effect of the run")
	line(t.Held, "held")
	line(t.Near, "  because they are near in wording")
	line(t.Identity, "  because they are another effect on the same thing")
	line(t.Rightly, "  and labelled as the same, or as a revision")
	fmt.Fprintf(b, "%10s  %5.1f per 1,000  held of those that are not: ordinary writes\n", grouped(t.Held-t.Rightly), t.Ordinary)
	if t.Unread > 0 {
		line(t.Unread, "not readable")
	}
	for i, m := range t.MostHeld {
		if i == 5 {
			fmt.Fprintf(b, "%10s  %s\n", "", plural(len(t.MostHeld)-i, "more tool"))
			break
		}
		fmt.Fprintf(b, "%10s  %s\n", grouped(m.Held), show(m.Tool))
	}
	for _, e := range t.Examples {
		fmt.Fprintf(b, "  line %d, %s: %s\n", e.Line, show(e.Tool), cmp.Or(e.Sentence, string(e.Relation)))
	}
}
