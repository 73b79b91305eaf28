package web

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

// attempt is one send of an effect, made of the events of its claim and of its outcome.
type attempt struct {
	Number int
	Began  time.Time
	Took   string // until the outcome was known; "" while it is not
	Fence  int64
	Who    string
	State  guard.State // what it came to; pending while it is under way
	Code   guard.Code
	Result *resultView
}

// attemptsOf lists the attempts, oldest first. A claim and its outcome have one fence.
func attemptsOf(events []guard.Event) []attempt {
	var list []attempt
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case guard.EventClaimed:
			list = append(list, attempt{Number: len(list) + 1, Began: e.At, Fence: e.Fence, Who: e.Actor.Name, State: guard.Pending})
		case guard.EventSettled, guard.EventLapsed:
			for j := range list {
				if a := &list[j]; a.Fence == e.Fence {
					a.State, a.Code, a.Result, a.Took = e.To, e.Code, resultOf(e.Result), brisk(e.At.Sub(a.Began))
				}
			}
		}
	}
	return list
}

// evidence is what came after somebody else had decided.
type evidence struct {
	At     time.Time
	Who    string
	Note   string
	Result *resultView
}

func evidenceOf(events []guard.Event) []evidence {
	var list []evidence
	for i := range events {
		if e := &events[i]; e.Kind == guard.EventNoted && e.Code == guard.CodeLate {
			list = append(list, evidence{e.At, e.Actor.Name, e.Note, resultOf(e.Result)})
		}
	}
	return list
}

// brisk is how long something quick took.
func brisk(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return span(d)
}
