package web

import (
	"fmt"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// moment is one event of an effect as people read it. Template "timeline" writes a list of them.
type moment struct {
	Seq    int
	At     time.Time
	What   string // a sentence
	Who    string // a person or an agent; "" for the guard's own parts
	Role   string // "agent", "reviewer", "guard", "sweeper"
	State  guard.State
	Moved  bool // the state changed
	Code   guard.Code
	Note   string
	Fence  int64 // of a claim, and of what was decided on one; 0 where nothing had been claimed or decided
	Result *resultView
}

// timeline is the history of an effect, oldest first.
func timeline(events []guard.Event, by guard.Execute) []moment {
	list := make([]moment, len(events))
	claimed := false
	for i := range events {
		e := &events[i]
		list[i] = moment{
			Seq: e.Seq, At: e.At, What: tell(e, by, claimed), Who: e.Actor.Name, Role: e.Actor.Kind, State: e.To, Moved: e.From != e.To,
			Code: e.Code, Note: e.Note, Result: resultOf(e.Result),
		}
		list[i].spare(e)
		claimed = claimed || e.Kind == guard.EventClaimed
	}
	return list
}

// spare leaves out what says nothing, or the same once more.
func (m *moment) spare(e *guard.Event) {
	switch e.Kind {
	case guard.EventHeld, guard.EventRefused, guard.EventNoted: // the ledger counts fences from 1, but there was no claim
	default:
		m.Fence = e.Fence
	}
	if string(e.Code) == string(e.To) {
		m.Code = ""
	}
	if e.Kind == guard.EventNoted && e.Count > 0 && e.Code != guard.CodeLate {
		m.Note = "" // how often equal calls came is told in a sentence
	}
}

// tell says what an event did, on an effect that somebody had the right to send before, or nobody.
func tell(e *guard.Event, by guard.Execute, claimed bool) string {
	if e.Code == guard.CodeSame && e.To == guard.Refused {
		return "A person said that it is the same as another effect, which answers for it."
	}
	switch e.Kind {
	case guard.EventClaimed:
		switch {
		case by == guard.ByCaller && !claimed:
			return "The agent was allowed to run it."
		case by == guard.ByCaller:
			return "The agent was allowed to run it once more."
		case !claimed:
			return "It was given to the tool."
		}
		return "It was given to the tool once more."
	case guard.EventHeld:
		return "It was held for a person."
	case guard.EventRefused:
		return "A rule refused it."
	case guard.EventApproved:
		return "Approved: it may be sent once."
	case guard.EventRejected:
		return "Rejected."
	case guard.EventExpired:
		return "Nobody decided or used the decision in time, so the matter was closed. That is no rejection."
	case guard.EventSettled:
		if e.To == guard.Unknown {
			return "No certain outcome came."
		}
		return "The outcome came: " + outcomeWord(e.To) + "."
	case guard.EventLapsed:
		return "Its time ran out without an outcome, so nobody knows whether it was applied."
	case guard.EventResolved:
		return "A person told the outcome: " + outcomeWord(e.To) + "."
	case guard.EventOrdered:
		return "A person ordered it to be sent again."
	case guard.EventNoted:
		return tellNote(e)
	}
	return capital(string(e.Kind)) + "."
}

func tellNote(e *guard.Event) string {
	switch {
	case e.Code == guard.CodeLate:
		return "An answer came late and is kept as evidence."
	case e.Code == guard.CodeEndorsed:
		return "A person agreed, and another one is needed."
	case e.Code == guard.CodeNotified:
		return "An endpoint was told of the review."
	case e.Code == guard.CodeNotifyDelayed:
		return "An endpoint could not be told of the review yet."
	case e.Code == guard.CodeNotifyFailed:
		return "An endpoint was not told of the review."
	case e.Code == guard.CodeReplayed && e.Count == 1:
		return "An equal call got the recorded result."
	case e.Code == guard.CodeReplayed:
		return fmt.Sprintf("%d equal calls got the recorded result.", e.Count)
	case e.Count > 1:
		return fmt.Sprintf("%d equal calls were answered without sending.", e.Count)
	case e.Count == 1:
		return "An equal call was answered without sending."
	}
	return "Noted."
}

// outcomeWord says what a state means for the outside world.
func outcomeWord(s guard.State) string {
	switch s {
	case guard.Done:
		return "it was applied"
	case guard.Failed:
		return "it was not applied"
	case guard.Partial:
		return "it was applied in part"
	case guard.Unknown:
		return "not known whether it was applied"
	}
	return string(s)
}

// resultView is what an attempt brought back. Template "result" writes it.
type resultView struct {
	Status  int
	Type    string
	IsError bool
	Source  string // who says so
	Body    shown
	Empty   bool
}

// resultOf is a result as a page shows it; nil for none.
func resultOf(r *guard.Result) *resultView {
	if r == nil {
		return nil
	}
	v := &resultView{Status: r.Status, Type: r.ContentType, IsError: r.IsError, Body: cutVisible(maxShown, string(r.Body)), Empty: len(r.Body) == 0}
	switch r.Source {
	case guard.FromUpstream:
		v.Source = "read by the guard from the tool"
	case guard.FromCaller:
		v.Source = "reported by the agent, not verified"
	case guard.FromReviewer:
		v.Source = "entered by a person"
	}
	return v
}
