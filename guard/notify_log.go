package guard

import (
	"fmt"
	"strings"
	"time"
)

// deliveries is the delivery log of one notice, as the events of its effect tell it.
type deliveries struct {
	attempts int
	ended    bool
}

// deliveriesOf reads the log.
func deliveriesOf(events []Event, k noticeKey) deliveries {
	var d deliveries
	about := k.about()
	for i := range events {
		e := &events[i]
		if e.Kind != EventNoted || e.Actor.Kind != "guard" || !strings.HasPrefix(e.Note, about) {
			continue
		}
		switch e.Code {
		case CodeNotified, CodeNotifyFailed:
			d.attempts, d.ended = d.attempts+1, true
		case CodeNotifyDelayed:
			d.attempts++
		}
	}
	return d
}

// about begins the notes of a notice. It names the fence, because the effect may have gone on between the delivery and its note.
func (k *noticeKey) about() string {
	return fmt.Sprintf("endpoint %q, review %q at fence %d: ", k.endpoint, k.code, k.fence)
}

// note is the entry for the n-th attempt.
func (k *noticeKey) note(n int, d Delivery) Note {
	code, text := CodeNotifyDelayed, "another one follows"
	switch {
	case d.Done:
		code, text = CodeNotified, ""
	case d.Gone:
		code, text = CodeNotifyFailed, "it wants no more messages, so it is not told of this review again"
	case n >= noticeAttempts:
		code, text = CodeNotifyFailed, "that was the last one"
	}
	full := fmt.Sprintf("%sattempt %d of %d: %s", k.about(), n, noticeAttempts, d.Detail)
	if text != "" {
		full += "; " + text
	}
	return Note{Tenant: k.tenant, ID: k.effect, Code: code, Text: full, Count: 1, Actor: Actor{Kind: "guard"}}
}

// openedAt is when the review of an effect was opened: with its state, or by evidence that came later.
func openedAt(e *Effect, events []Event) time.Time {
	at := e.Since
	if e.Review == CodeContradiction {
		for i := range events {
			if events[i].Kind == EventNoted && events[i].Code == CodeLate {
				at = events[i].At
			}
		}
	}
	return at
}
