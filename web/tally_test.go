package web

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestAnAccountCountsRepeatsAndNothingElse(t *testing.T) {
	from := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	tally := func(after time.Duration, tool string, kind guard.AnswerKind, code guard.Code, n int64) guard.Tally {
		return guard.Tally{Start: from.Add(after), Tool: tool, Kind: string(kind), Code: code, Count: n}
	}
	a := accountOf([]guard.Tally{
		tally(0, "a", guard.AnswerForwarded, guard.CodeForwarded, 5),
		tally(time.Hour, "a", guard.AnswerProceed, guard.CodeProceed, 2),
		tally(time.Hour, "a", guard.AnswerForwarded, guard.CodePassed, 100), // a read
		tally(time.Hour, "b", guard.AnswerReplayed, guard.CodeReplayed, 7),
		tally(time.Hour, "b", guard.AnswerReplayed, guard.CodeFailedAlready, 3), // the first did not happen
		tally(23*time.Hour+55*time.Minute, "b", guard.AnswerBlocked, guard.CodeUnknown, 4),
		tally(2*time.Hour, "b", guard.AnswerBlocked, guard.CodeHeld, 9),
		tally(2*time.Hour, "b", guard.AnswerBlocked, guard.CodeSameIdentity, 1),
		tally(2*time.Hour, "b", guard.AnswerPending, guard.CodePending, 50),
		tally(3*time.Hour, "a", guard.TallyOutcome, guard.Code(guard.Unknown), 2),
		tally(3*time.Hour, "a", guard.TallyOutcome, guard.Code(guard.Done), 6),
		tally(3*time.Hour, "a", guard.TallyWarned, guard.CodeNear, 8),
	}, from, from.Add(24*time.Hour), time.Hour)
	if want := (counts{sent: 7, replayed: 10, blocked: 14, unknown: 2}); a.all != want {
		t.Errorf("in all %v, want %v", a.all, want)
	}
	if a.prevented != 11 || a.warned != 8 {
		t.Errorf("%d repeats were prevented and %d calls warned of, want 11 and 8", a.prevented, a.warned)
	}
	if len(a.because) != 2 || a.because[0].Count != 7 || a.because[1].Count != 4 {
		t.Errorf("the reasons are %v", a.because)
	}
	if len(a.over) != 24 || a.over[0][sent] != 5 || a.over[1] != (counts{sent: 2, replayed: 10}) || a.over[23][blocked] != 4 {
		t.Errorf("over time: %v", a.over)
	}
	if len(a.tools) != 2 || a.tools[0].Tool != "b" || a.tools[0].total() != 24 || a.tools[1].Counts[unknown] != 2 {
		t.Errorf("by tool: %v", a.tools)
	}
}

func TestABarIsAsHighAsItsShare(t *testing.T) {
	a := account{from: time.Unix(0, 0), step: time.Hour, over: []counts{{sent: 1000}, {sent: 500}, {sent: 1}, {}}, all: counts{sent: 1501}}
	c := chartOf(a, sent, "sent", "Sent", "")
	for i, want := range []string{"56.00", "28.00", "2.00", "0.00"} {
		if c.Bars[i].Height != want {
			t.Errorf("bar %d is %s high, want %s", i, c.Bars[i].Height, want)
		}
	}
	if c.Total != "1\u202f501" || c.Most != "1\u202f000" || c.Bars[1].Label != "1 Jan 01:00 UTC: 500" {
		t.Errorf("the chart says %q, %q and %q", c.Total, c.Most, c.Bars[1].Label)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567", -1000: "-1\u202f000"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
}
