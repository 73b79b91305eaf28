package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// replayReport is what a replay found. Its JSON form is documented by its field names; durations are in seconds.
type replayReport struct {
	OK       bool           `json:"ok"` // no double effect with the guard, and every call got a decision
	Input    replayInput    `json:"input"`
	Settings replaySettings `json:"settings"`
	Guarded  guardedReport  `json:"guarded"`
	Bare     passReport     `json:"unguarded"`
}

type replayInput struct {
	File   string `json:"file"`
	Calls  int    `json:"calls"`
	Writes int    `json:"writes"`
	Runs   int    `json:"runs"`
	Tools  int    `json:"tools"`
}

type replaySettings struct {
	Lose     float64 `json:"lose"`
	Seed     uint64  `json:"seed"`
	Retries  int     `json:"retries"`
	Callers  int     `json:"callers"`
	Policies string  `json:"policies,omitzero"`
	URL      string  `json:"url,omitzero"`
}

// passReport is what both passes have in common: what the upstream counted.
type passReport struct {
	executions
	WriteTries  int     `json:"write_tries"` // recorded writes and the retries of the simulated agents
	Seconds     float64 `json:"seconds"`
	CallsPerSec float64 `json:"calls_per_second"`
}

type guardedReport struct {
	passReport
	Decisions       map[string]int `json:"decisions"`
	Blocked         map[string]int `json:"blocked"`
	Undecided       map[string]int `json:"undecided"`
	Faults          int            `json:"faults"`
	Fault           string         `json:"fault,omitzero"`
	FalseReplays    int            `json:"false_replays"`
	Examples        []falseReplay  `json:"false_replay_examples"`
	Joined          int            `json:"joined_as_labelled"`
	FailuresBlocked int            `json:"definite_failures_blocked"`
	NotApplied      int            `json:"blocked_though_not_applied"`
	Unmet           int            `json:"wanted_effects_not_carried_out"`
	Meant           int            `json:"meant_repeats"`
	MeantWithheld   int            `json:"meant_repeats_withheld"`
}

func (t *tally) pass() passReport {
	return passReport{executions: t.executions, WriteTries: t.tries, Seconds: t.took.Seconds(), CallsPerSec: rate(t.calls, t.took)}
}

func rate(n int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

func (t *tally) guarded() guardedReport {
	g := guardedReport{
		passReport: t.pass(), Decisions: t.decisions, Blocked: t.blocked, Undecided: t.undecided, Faults: t.faults,
		FalseReplays: t.falseReplays, Examples: t.examples, Joined: t.joined, FailuresBlocked: t.failuresBlocked, NotApplied: t.notApplied, Unmet: t.unmet,
		Meant: t.meant, MeantWithheld: t.meantWithheld,
	}
	if t.fault != nil {
		g.Fault = t.fault.Error()
	}
	for _, counts := range []*map[string]int{&g.Decisions, &g.Blocked, &g.Undecided} {
		if *counts == nil {
			*counts = map[string]int{}
		}
	}
	if g.Examples == nil {
		g.Examples = []falseReplay{}
	}
	return g
}

// print writes the report for people.
func (r *replayReport) print(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s calls of %s in %s, %s of them writes\n", r.Input.File, grouped(r.Input.Calls),
		plural(r.Input.Tools, "tool"), plural(r.Input.Runs, "run"), grouped(r.Input.Writes))
	fmt.Fprintf(&text, "The upstream loses %.4g %% of its replies to writes (seed %d). An agent without an answer tries %s.\n\n",
		100*r.Settings.Lose, r.Settings.Seed, plural(r.Settings.Retries, "more time"))

	row := func(name, with, without string) { fmt.Fprintf(&text, "%-58s%12s%12s\n", name, with, without) }
	numbers := func(name string, with, without int) { row(name, grouped(with), grouped(without)) }
	g, b := r.Guarded, r.Bare
	row("", "with guard", "without")
	numbers("tries of writes by the agents", g.WriteTries, b.WriteTries)
	numbers("requests that reached the upstream, reads included", g.Requests, b.Requests)
	numbers("replies that it lost", g.LostReplies, b.LostReplies)
	numbers("effects that it carried out", g.Effects, b.Effects)
	numbers("DOUBLE EFFECTS: carried out again", g.Doubles, b.Doubles)
	numbers("  the recorded agent repeated itself", g.Repeated, b.Repeated)
	numbers("  a reply was lost and the call sent again", g.Retried, b.Retried)
	if g.Resent+g.Unasked+b.Resent+b.Unasked > 0 {
		numbers("  one request became several", g.Resent, b.Resent)
		numbers("  nobody had asked", g.Unasked, b.Unasked)
	}
	if g.KeysSeen+b.KeysSeen > 0 {
		numbers("repeats that it recognised by their idempotency key", g.KeysSeen, b.KeysSeen)
	}
	row("seconds", fmt.Sprintf("%.1f", g.Seconds), fmt.Sprintf("%.1f", b.Seconds))
	row("calls per second", fmt.Sprintf("%.0f", g.CallsPerSec), fmt.Sprintf("%.0f", b.CallsPerSec))
	r.printDecisions(&text)
	_, err := io.WriteString(w, text.String())
	return err
}

func (r *replayReport) printDecisions(text *strings.Builder) {
	g := r.Guarded
	fmt.Fprintf(text, "\nDecisions of the guard\n")
	for _, name := range byCount(g.Decisions) {
		fmt.Fprintf(text, "%10s  %s\n", grouped(g.Decisions[name]), name)
		if name == "blocked" {
			for _, code := range byCount(g.Blocked) {
				fmt.Fprintf(text, "%14s  %s\n", grouped(g.Blocked[code]), code)
			}
		}
	}
	for _, code := range byCount(g.Undecided) {
		fmt.Fprintf(text, "%10s  not decided: %s\n", grouped(g.Undecided[code]), code)
	}
	fmt.Fprintf(text, "\nWhat the guard cost\n")
	cost := func(n int, what string) { fmt.Fprintf(text, "%10s  %s\n", grouped(n), what) }
	cost(g.FalseReplays, "first-time calls answered from another effect (false replays)")
	if g.Joined > 0 {
		cost(g.Joined, "the same, where people say that it is the same effect")
	}
	cost(g.FailuresBlocked, "calls not let through after a definite failure")
	cost(g.NotApplied, "tries not let through although the effect had not been carried out")
	cost(g.Unmet, "effects that were wanted and never carried out, because they wait for a person")
	if g.Meant > 0 {
		cost(g.MeantWithheld, fmt.Sprintf("of %s repeats that people say were meant, not sent", grouped(g.Meant)))
	}
	for _, e := range g.Examples {
		fmt.Fprintf(text, "  line %d, %s: %s (%s)", e.Line, e.Tool, e.Decision, e.Code)
		if len(e.Because) > 0 {
			fmt.Fprintf(text, "; %s", strings.Join(e.Because, "; "))
		}
		for _, d := range e.Differs {
			fmt.Fprintf(text, "; %s (%s): %s, earlier %s", d.Argument, d.Role, d.Now, d.Earlier)
		}
		fmt.Fprintln(text)
	}
	if len(g.Examples) < g.FalseReplays {
		fmt.Fprintf(text, "  … and %s more\n", grouped(g.FalseReplays-len(g.Examples)))
	}
	switch {
	case g.Faults > 0:
		fmt.Fprintf(text, "\nFAILED: %s got no decision; the first: %s\n", plural(g.Faults, "call"), g.Fault)
	case g.Doubles > 0:
		fmt.Fprintf(text, "\nFAILED: %s with the guard.\n", plural(g.Doubles, "double effect"))
	default:
		fmt.Fprintf(text, "\nNo double effect with the guard; %s without.\n", plural(r.Bare.Doubles, "double effect"))
	}
}

// byCount orders the keys by their counts, the largest first.
func byCount(counts map[string]int) []string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

// grouped writes a number with groups of three digits.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}
