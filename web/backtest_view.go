package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// backtestView is what a draft would have made of the calls on record.
type backtestView struct {
	Done    bool   // somebody asked for it
	Problem string // why there is nothing to tell
	Calls   string // how many were compared
	Over    string // in which time they were made
	Changes []backtestChange
	Against *backtestChange // pairs of calls that reviewers have judged otherwise; nil for none
	Limits  []backtestLimit
	Totals  []backtestTotal
	Since   time.Time // of the oldest call that was looked at, where there are older ones; else zero
	Notes   []string  // how far this can be trusted
}

// backtestChange are the calls that the draft treats otherwise in one way.
type backtestChange struct {
	Kind     string
	Count    string
	Says     string // goes on after the count
	Money    string // in these calls; "" where none is declared
	Why      string // the draft's own sentence, where it is one for all of Findings
	Findings []backtestFinding
	Rest     int // that are not listed
}

// backtestFinding is one of them.
type backtestFinding struct {
	Effect   string
	Tool     string
	About    shown
	At       time.Time
	Amount   string
	Why      string // the draft's own sentence
	Sentence string // how the two differ
	Earlier  string // the effect that it is compared with; "" for none
	Deciding []string
}

type backtestLimit struct {
	Source string
	Count  string
}

// backtestTotal is how many calls end in one way.
type backtestTotal struct{ Name, Before, After string }

// changeWords say what becomes of calls, after "would".
var changeWords = map[guard.BacktestKind]string{
	guard.BacktestMerged:   "be answered for an earlier effect",
	guard.BacktestSplit:    "be effects of their own",
	guard.BacktestDenied:   "be denied",
	guard.BacktestHeld:     "be held or asked about",
	guard.BacktestReleased: "be sent without being asked about",
}

func backtestViewOf(r *guard.BacktestReport, past *pastCalls, b backtestBounds) backtestView {
	v := backtestView{Done: true, Calls: calls(r.Calls), Over: span(b.over), Notes: backtestNotes(r, past, b)}
	if past.more && len(past.list) > 0 {
		v.Since = past.list[0].at
	}
	for _, kind := range guard.BacktestKinds {
		n := r.Counts[kind]
		if n == 0 {
			continue
		}
		c := backtestChange{Kind: string(kind), Count: grouped(int64(n)), Says: changeWords[kind], Money: moneyIn(r.Tools, kind), Rest: n}
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Kind == kind {
				c.Findings = append(c.Findings, findingOf(f, past))
				c.Rest--
			}
		}
		c.shareWhy()
		v.Changes = append(v.Changes, c)
	}
	v.Against = againstReviewers(&r.Labels, past)
	for _, l := range r.Limits {
		v.Limits = append(v.Limits, backtestLimit{l.Source, calls(l.Calls)})
	}
	was, is := r.Current, r.Draft
	for _, t := range []struct {
		name       string
		was, would int
	}{
		{"sent", was.Sent, is.Sent}, {"answered for an earlier effect", was.Repeated, is.Repeated},
		{"held or asked about", was.Asked, is.Asked}, {"denied", was.Denied, is.Denied}, {"passed unrecorded", was.Passed, is.Passed},
	} {
		if t.was+t.would > 0 {
			v.Totals = append(v.Totals, backtestTotal{t.name, grouped(int64(t.was)), grouped(int64(t.would))})
		}
	}
	return v
}

// againstReviewers lists the pairs about which the draft is wrong where reviewers are right.
func againstReviewers(l *guard.BacktestLabels, past *pastCalls) *backtestChange {
	if l.Broken == 0 {
		return nil
	}
	c := &backtestChange{Kind: "reviewers", Count: grouped(int64(l.Broken)), Says: "be judged otherwise than a reviewer did", Rest: l.Broken - len(l.Findings)}
	for i := range l.Findings {
		f := &l.Findings[i]
		now := past.list[f.Now.Ref]
		c.Findings = append(c.Findings, backtestFinding{
			Effect: now.effect, Tool: f.Now.Call.Tool, About: cutVisible(aboutLength, now.about), At: now.at, Why: verdictWords(f.Same, f.After),
			Sentence: f.Sentence, Earlier: f.EarlierEffect, Deciding: f.Deciding,
		})
	}
	return c
}

// verdictWords say what a reviewer has decided on a pair of calls, and what becomes of the later one under a draft.
func verdictWords(same bool, after guard.PairFate) string {
	said := "A reviewer let both run; "
	if same {
		said = "A reviewer took both for one; "
	}
	switch after {
	case guard.PairMerged:
		return said + "the draft takes them for one."
	case guard.PairApart:
		return said + "the draft sends both."
	}
	return said + "the draft asks once more, or blocks."
}

// shareWhy says once what is said of each.
func (c *backtestChange) shareWhy() {
	if len(c.Findings) < 2 || slices.ContainsFunc(c.Findings, func(f backtestFinding) bool { return f.Why != c.Findings[0].Why }) {
		return
	}
	c.Why = c.Findings[0].Why
	for i := range c.Findings {
		c.Findings[i].Why = ""
	}
}

func findingOf(f *guard.BacktestFinding, past *pastCalls) backtestFinding {
	now := past.list[f.Now.Ref]
	v := backtestFinding{
		Effect: now.effect, Tool: f.Tool, About: cutVisible(aboutLength, now.about), At: now.at, Why: f.Why, Sentence: f.Sentence, Deciding: f.Deciding,
	}
	if f.Amount != nil {
		v.Amount = amountOf(f.Amount.Value.String(), f.Amount.Unit)
	}
	if f.Earlier != nil {
		v.Earlier = past.list[f.Earlier.Ref].effect
	}
	return v
}

// moneyIn adds up the money in the calls of one kind, by currency.
func moneyIn(tools []guard.BacktestTool, kind guard.BacktestKind) string {
	micros := map[string]int64{}
	for _, t := range tools {
		for _, m := range t.Money {
			if t.Kind == kind {
				micros[m.Unit] += m.Micros
			}
		}
	}
	var sums []string
	for _, unit := range slices.Sorted(maps.Keys(micros)) {
		sums = append(sums, amountOf(fingerprint.NewDecimal(micros[unit]).Shift(-6).String(), unit))
	}
	return strings.Join(sums, ", ")
}

// backtestNotes say what was not looked at, and what nobody can know from the record.
func backtestNotes(r *guard.BacktestReport, past *pastCalls, b backtestBounds) []string {
	var notes []string
	leftOut := func(n int, which string) {
		if n > 0 {
			notes = append(notes, "Left out: "+calls(n)+" "+which+".")
		}
	}
	if past.stopped > 0 {
		notes = append(notes, fmt.Sprintf("Stopped after %s: the newest %s were not compared.", span(b.time), calls(past.stopped)))
	}
	if n := r.Labels.Mended; n > 0 {
		notes = append(notes, fmt.Sprintf("Reviewers' decisions that the draft agrees with, and the policies in force do not: %d.", n))
	}
	leftOut(r.Unread, "of which the arguments cannot be read")
	leftOut(past.others, "of tools that the draft does not touch")
	if past.concealed > 0 {
		notes = append(notes, "Of "+calls(past.concealed)+" a policy conceals arguments. Where it does so already, marks were compared in their place, which are equal for equal values.")
	}
	return append(notes, "A call that was repeated is on record once, with its first arguments and without its labels. “Before” is what the policies in force make of these calls, which may be other than what happened then.")
}

func calls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return grouped(int64(n)) + " calls"
}
