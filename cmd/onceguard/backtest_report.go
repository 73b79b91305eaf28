package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// backtestReport is what a backtest found, as JSON and for people.
type backtestReport struct {
	OK        bool                       `json:"ok"` // nothing that fails the draft was found
	FailedOn  []string                   `json:"failed_on,omitzero"`
	Draft     string                     `json:"draft"`
	Against   string                     `json:"against,omitzero"`
	Calls     int                        `json:"calls"`
	Unread    int                        `json:"unread"`
	Closed    int                        `json:"closed"` // of Unread, those that are encrypted and that no key opens
	WhyClosed string                     `json:"closed_because,omitzero"`
	Untimed   int                        `json:"untimed"`
	Before    pastTotals                 `json:"before"`
	After     pastTotals                 `json:"after"`
	Counts    map[guard.BacktestKind]int `json:"counts"`
	Tools     []pastTool                 `json:"tools"`
	Limits    []pastLimit                `json:"limits"`
	Findings  []pastFinding              `json:"findings"`
	Labels    *labelsReport              `json:"labels,omitzero"` // of the file of pairs
	Verdicts  *verdictsReport            `json:"verdicts"`
}

// pastTotals counts what becomes of calls under one set of policies.
type pastTotals struct {
	Sent     int `json:"sent"`
	Repeated int `json:"repeated"`
	Asked    int `json:"asked"`
	Denied   int `json:"denied"`
	Passed   int `json:"passed"`
}

type pastTool struct {
	Kind  guard.BacktestKind `json:"kind"`
	Tool  string             `json:"tool"`
	Calls int                `json:"calls"`
	Money []string           `json:"money"` // sums by currency
}

type pastLimit struct {
	Source string `json:"source"`
	Calls  int    `json:"calls"`
}

// pastFinding is one call that the draft treats otherwise.
type pastFinding struct {
	Kind     guard.BacktestKind `json:"kind"`
	Tool     string             `json:"tool"`
	Code     guard.Code         `json:"code"`
	Why      string             `json:"why,omitzero"`
	Amount   string             `json:"amount,omitzero"`
	Now      string             `json:"now"`
	Earlier  string             `json:"earlier,omitzero"`
	Deciding []string           `json:"deciding"`
	Sentence string             `json:"sentence,omitzero"`
}

func newBacktestReport(o *backtestOptions, found *guard.BacktestReport, from pastCalls) *backtestReport {
	r := &backtestReport{
		Draft: o.policies, Against: o.against, Calls: found.Calls, Unread: found.Unread, Untimed: found.Untimed,
		Before: pastTotalsOf(found.Current), After: pastTotalsOf(found.Draft), Counts: found.Counts,
		Tools: []pastTool{}, Limits: []pastLimit{}, Findings: []pastFinding{},
	}
	for _, t := range found.Tools {
		tool := pastTool{t.Kind, t.Tool, t.Calls, []string{}}
		for _, m := range t.Money {
			tool.Money = append(tool.Money, strings.TrimSpace(fingerprint.NewDecimal(m.Micros).Shift(-6).String()+" "+m.Unit))
		}
		r.Tools = append(r.Tools, tool)
	}
	for _, l := range found.Limits {
		r.Limits = append(r.Limits, pastLimit(l))
	}
	for _, f := range found.Findings {
		p := pastFinding{Kind: f.Kind, Tool: f.Tool, Code: f.Code, Why: f.Why, Now: from.name(f.Now.Ref), Deciding: f.Deciding, Sentence: f.Sentence}
		if f.Deciding == nil {
			p.Deciding = []string{}
		}
		if f.Amount != nil {
			p.Amount = strings.TrimSpace(f.Amount.Value.String() + " " + f.Amount.Unit)
		}
		if f.Earlier != nil {
			p.Earlier = from.name(f.Earlier.Ref)
		}
		r.Findings = append(r.Findings, p)
	}
	return r
}

func pastTotalsOf(t guard.BacktestTotals) pastTotals {
	return pastTotals{Sent: t.Sent, Repeated: t.Repeated, Asked: t.Asked, Denied: t.Denied, Passed: t.Passed}
}

// count is how often a kind that --fail-on knows was found.
func (r *backtestReport) count(kind string) int {
	if kind == backtestLabels {
		return r.Labels.Broken
	}
	return r.Counts[guard.BacktestKind(kind)]
}

// print writes the report for people.
func (r *backtestReport) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s through the draft %s and %s\n\n", plural(r.Calls, "call"), r.Draft, cmp.Or(r.Against, "what can be inferred"))
	fmt.Fprintf(&b, "%-36s%12s%12s\n", "", "before", "draft")
	for _, row := range []struct {
		name          string
		before, after int
	}{
		{"sent", r.Before.Sent, r.After.Sent},
		{"answered for an earlier effect", r.Before.Repeated, r.After.Repeated},
		{"a person or the agent is asked", r.Before.Asked, r.After.Asked},
		{"denied", r.Before.Denied, r.After.Denied},
		{"passed unrecorded", r.Before.Passed, r.After.Passed},
	} {
		fmt.Fprintf(&b, "%-36s%12s%12s\n", row.name, grouped(row.before), grouped(row.after))
	}
	if n := r.Unread - r.Closed; n > 0 {
		fmt.Fprintf(&b, "%s cannot be read, and a guard refuses such a call.\n", plural(n, "call"))
	}
	if r.Closed > 0 {
		fmt.Fprintf(&b, "%s could not be read, because policies have sealed the arguments: %s.\n", plural(r.Closed, "call"), r.WhyClosed)
	}
	if r.Untimed > 0 {
		fmt.Fprintf(&b, "%s without a time: for these no window ends, and nothing is counted for limits.\n", plural(r.Untimed, "call"))
	}
	for _, kind := range guard.BacktestKinds {
		r.printKind(&b, kind)
	}
	for _, l := range r.Limits {
		fmt.Fprintf(&b, "\nThe limit at %s had no room for %s.\n", l.Source, plural(l.Calls, "call"))
	}
	if l := r.Labels; l != nil {
		fmt.Fprintf(&b, "\n%s: of %s the draft gets %d wrong that were right, and %d right that were wrong.\n", l.File, plural(l.Pairs, "pair"), l.Broken, l.Mended)
		for _, f := range l.First {
			fmt.Fprintf(&b, "  line %d, %s (%s): %s\n", f.Line, show(f.Tool), show(f.Label), f.Wrong)
		}
	}
	r.Verdicts.print(&b)
	if !r.OK {
		fmt.Fprintf(&b, "\nFAILED: there are %s.\n", strings.Join(r.FailedOn, ", "))
	} else if len(r.Findings) == 0 {
		fmt.Fprintf(&b, "\nThe draft treats no call otherwise.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *backtestReport) printKind(b *strings.Builder, kind guard.BacktestKind) {
	n := r.Counts[kind]
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: %s\n", kind, plural(n, "call"))
	for _, t := range r.Tools {
		if t.Kind == kind {
			fmt.Fprintf(b, "%10s  %s  %s\n", grouped(t.Calls), show(t.Tool), strings.Join(t.Money, ", "))
		}
	}
	shown := 0
	for _, f := range r.Findings {
		if f.Kind != kind {
			continue
		}
		shown++
		fmt.Fprintf(b, "  %s, %s", f.Now, show(f.Tool))
		if f.Amount != "" {
			fmt.Fprintf(b, ", %s", show(f.Amount))
		}
		fmt.Fprintf(b, ": %s", f.Code)
		if f.Earlier != "" {
			fmt.Fprintf(b, ", compared with %s", f.Earlier)
		}
		if len(f.Deciding) > 0 {
			fmt.Fprintf(b, "; decided by %s", show(strings.Join(f.Deciding, ", ")))
		}
		b.WriteByte('\n')
		for _, sentence := range []string{f.Why, f.Sentence} {
			if sentence != "" {
				fmt.Fprintf(b, "    %s\n", sentence)
			}
		}
	}
	if shown < n {
		fmt.Fprintf(b, "  … and %s more\n", grouped(n-shown))
	}
}
