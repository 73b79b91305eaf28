package web

import (
	"testing"

	"github.com/onceguard/onceguard/guard"
)

func TestTheTimelineTellsWhoRefused(t *testing.T) {
	for _, c := range []struct {
		event guard.Event
		want  string
	}{
		{guard.Event{Kind: guard.EventRefused, To: guard.Refused, Code: guard.CodeDenied}, "A rule refused it."},
		{guard.Event{Kind: guard.EventRejected, From: guard.Held, To: guard.Refused, Code: guard.CodeRejected}, "Rejected."},
		{guard.Event{Kind: guard.EventRejected, From: guard.Held, To: guard.Refused, Code: guard.CodeSame}, "A person said that it is the same as another effect, which answers for it."},
		// Under the key of what a person has edited.
		{guard.Event{Kind: guard.EventRefused, To: guard.Refused, Code: guard.CodeSame}, "A person said that it is the same as another effect, which answers for it."},
	} {
		if got := timeline([]guard.Event{c.event}, guard.ByGuard)[0].What; got != c.want {
			t.Errorf("%s with %s is told as %q, want %q", c.event.Kind, c.event.Code, got, c.want)
		}
	}
}

func TestTheTimelineCountsSendsAndNotDecisions(t *testing.T) {
	history := []guard.Event{
		{Kind: guard.EventHeld, To: guard.Held},
		{Kind: guard.EventApproved, From: guard.Held, To: guard.Approved},
		{Kind: guard.EventClaimed, From: guard.Approved, To: guard.Pending},
		{Kind: guard.EventSettled, From: guard.Pending, To: guard.Failed},
		{Kind: guard.EventClaimed, From: guard.Failed, To: guard.Pending},
	}
	for by, want := range map[guard.Execute][2]string{
		guard.ByGuard:  {"It was given to the tool.", "It was given to the tool once more."},
		guard.ByCaller: {"The agent was allowed to run it.", "The agent was allowed to run it once more."},
	} {
		if told := timeline(history, by); told[2].What != want[0] || told[4].What != want[1] {
			t.Errorf("the sends are told as %q and %q, want %q", told[2].What, told[4].What, want)
		}
	}
}
