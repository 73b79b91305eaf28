package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/onceguard/onceguard/api/client"
)

// tally is what one pass brought: what the agents saw, and what the upstream counted.
type tally struct {
	executions
	calls     int // recorded calls
	tries     int // of writes, retries included
	decisions map[string]int
	blocked   map[string]int // by code
	undecided map[string]int // calls that the guard refused to decide, by code
	faults    int            // calls that it should have decided
	fault     error          // the first of them

	falseReplays    int // first-time intents that were answered from another effect
	examples        []falseReplay
	joined          int // the same, where people say that it is the same effect
	failuresBlocked int // calls that were not let through after a definite failure
	notApplied      int // tries that were not let through although the upstream had not applied the effect
	unmet           int // intents with a call that was recorded as successful, and no execution
	meant           int // repeats that people say are wanted
	meantWithheld   int // of those, not sent

	took time.Duration
}

// falseReplay is a first-time intent that was answered from another effect, for a person to judge.
type falseReplay struct {
	Line     int                 `json:"line"`
	Run      string              `json:"run"`
	Tool     string              `json:"tool"`
	Decision string              `json:"decision"`
	Code     string              `json:"code"`
	Effect   string              `json:"effect"`
	Because  []string            `json:"same_because"` // what the guard says
	Differs  []client.Difference `json:"differs"`
}

// maxExamples bounds what a report shows of one kind.
const maxExamples = 20

func add(counts *map[string]int, key string) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[key]++
}

// read counts a call that changes nothing.
func (t *tally) read(r tried) {
	t.calls++
	t.answer(r)
}

// judgement is what the replay knows of a call without asking the guard.
type judgement struct {
	executed     int  // how often its intent has been carried out by now
	labelledSame bool // people say that it repeats an earlier call that is written otherwise
	otherUntold  bool // the outcome of another call to the tool is open, which a policy may take for the same effect
}

// write counts one try of a write. in is as it was before the try.
func (t *tally) write(in *intent, c recordedCall, r tried, try int, v judgement) {
	if try == 1 {
		t.calls++
		if in.meant && in.tries == 0 {
			t.meant++
		}
	}
	t.tries++
	t.answer(r)
	if r.decision == "" || r.decision == client.Forwarded || r.decision == client.Proceed || byVerdict[r.code] {
		return
	}
	switch {
	case in.tries == 0 && in.meant:
		t.meantWithheld++
	case in.tries == 0 && v.labelledSame:
		t.joined++
	case in.tries == 0:
		t.falseReplays++
		t.example(c, r)
	case in.standing == failed && !(v.otherUntold && r.standing == untold):
		t.failuresBlocked++
	case v.executed == 0:
		t.notApplied++
	}
}

// example keeps the first false replays of the file, whichever were met first.
func (t *tally) example(c recordedCall, r tried) {
	e := falseReplay{Line: c.line, Run: c.Run, Tool: c.Tool, Decision: r.decision, Code: r.code, Because: r.because, Differs: r.differs}
	if r.matched != nil {
		e.Effect = r.matched.Effect
	}
	at, _ := slices.BinarySearchFunc(t.examples, e.Line, func(e falseReplay, line int) int { return cmp.Compare(e.Line, line) })
	t.examples = slices.Insert(t.examples, at, e)
	t.examples = t.examples[:min(len(t.examples), maxExamples)]
}

// byVerdict are the codes of answers that say nothing of an equal call: a rule, a person or the shape of the call decided.
var byVerdict = map[string]bool{
	"held": true, "denied": true, "rejected": true, "expired": true, "invalid_arguments": true, "same_identity": true, "other_scope": true,
}

func (t *tally) answer(r tried) {
	if r.fault != nil {
		if t.fault == nil {
			t.fault = r.fault
		}
		t.faults++
	}
	switch {
	case r.decision == client.Blocked:
		add(&t.decisions, r.decision)
		add(&t.blocked, r.code)
	case r.decision != "":
		add(&t.decisions, r.decision)
	case r.code != "":
		add(&t.undecided, r.code)
	}
}
