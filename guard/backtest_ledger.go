package guard

import (
	"context"
	"slices"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// pastLedger is what one set of policies would have recorded so far, as far as later calls depend on it.
type pastLedger struct {
	options    BacktestOptions
	side       side
	memory     *pastMemory
	identities bool // some rule asks for other effects on the same thing
	histories  bool // some condition asks for what was done to the same thing
	used       map[mark][]pastUsed
	hits       map[string]int // by the source of a limit
}

// pastUsed is what one effect has used up of a limit.
type pastUsed struct{ at, amount int64 }

func newPastLedger(o BacktestOptions, set *policy.Set, s side, m *pastMemory) *pastLedger {
	l := &pastLedger{options: o, side: s, memory: m, used: map[mark][]pastUsed{}, hits: map[string]int{}}
	for _, r := range append(set.Rules(), set.Match("")) {
		l.histories = l.histories || r.NeedsHistory()
		l.identities = l.identities || l.histories || r.On.SameIdentity != policy.Allow
	}
	return l
}

// fate is what becomes of a call.
type fate uint8

const (
	fatePassed   fate = iota // it is forwarded, and nothing is recorded
	fateSent                 // it is an effect of its own
	fateRepeated             // it is answered for an earlier effect
	fateAsked                // a person, or the agent, is asked first
	fateDenied               // it is not sent
)

// ruled is what becomes of a call, and why.
type ruled struct {
	fate     fate
	code     Code
	why      string // a sentence of the policy, "" for none
	earlier  uint64 // of a repeat, and of what is asked for: the call it is compared with
	compared bool   // earlier is one
	nearness fingerprint.Nearness
	recorded bool // the call was carried out
}

// rule decides on a call as decide does. Where it would have been carried out, it is to be recorded.
func (l *pastLedger) rule(ctx context.Context, r *reading, c *BacktestCall) (ruled, error) {
	at := micros(c.At)
	switch {
	case r.err != nil:
		return ruled{fate: fateDenied, code: Code(CodeInvalid)}, nil
	case r.broken && r.rule.Mode != policy.ModeOff:
		return ruled{fate: fateDenied, code: CodeBadArguments}, nil
	case r.passes && r.verdict.Action != policy.ActAllow && r.rule.Mode != policy.ModeOff:
		return ruled{fate: fateDenied, code: CodeDenied, why: r.verdict.Why}, nil
	case r.passes:
		return ruled{fate: fatePassed, code: CodePassed}, nil
	}
	repeat, known := l.repeat(r, at)
	if repeat.fate == fateRepeated {
		return repeat, nil
	}
	out, err := l.begin(ctx, r, known, at)
	out.recorded = err == nil && !c.Failed && (out.fate == fateSent || out.fate == fateAsked)
	return out, err
}

// repeat looks for the effect under the call's own key. known says that there is one, whether or not it answers.
func (l *pastLedger) repeat(r *reading, at int64) (out ruled, known bool) {
	found, known := l.memory.find(l.memory.effects, own(r.sum.Key), l.side)
	if known && l.answers(r, found, at) && r.rule.On.Done != policy.Allow {
		out = ruled{fate: fateRepeated, code: CodeReplayed, earlier: found.ref, compared: true}
	}
	return out, known
}

// begin decides on a call that no effect under its own key answers.
func (l *pastLedger) begin(ctx context.Context, r *reading, known bool, at int64) (ruled, error) {
	if r.rule.NeedsHistory() {
		h := l.history(r)
		// Another set may share the reading.
		mine := *r.proposal
		r = &reading{proposal: &mine, unlimited: r.unlimited}
		r.check(ctx, moment(at), h)
	}
	if r.verdict.Action == policy.ActDeny {
		return ruled{fate: fateDenied, code: CodeDenied, why: r.verdict.Why}, nil
	}
	rival, err := l.rival(ctx, r, known, at)
	if err != nil || rival.fate == fateRepeated || rival.fate == fateDenied {
		return rival, err
	}
	full := l.full(r, at)
	switch {
	case full != nil && full.Then == policy.ActDeny:
		return ruled{fate: fateDenied, code: CodeOverLimit, why: full.Why}, nil
	case r.verdict.Action == policy.ActHold:
		return ruled{fate: fateAsked, code: CodeHeld, why: r.verdict.Why}, nil
	case full != nil:
		return ruled{fate: fateAsked, code: CodeOverLimit, why: full.Why}, nil
	case rival.compared:
		return rival, nil
	}
	return ruled{fate: fateSent, code: CodeForwarded}, nil
}

// history is what was done to the thing that a call acts on.
func (l *pastLedger) history(r *reading) *policy.History {
	if r.sum.Identity.IsZero() {
		return &policy.History{}
	}
	id := half(r.sum.Identity)
	h := &policy.History{Count: int(l.memory.acted[id][l.side])}
	if seen, ok := l.memory.find(l.memory.things, id, l.side); ok {
		h.Last = moment(seen.at)
	}
	return h
}

// answers reports whether an effect still answers for equal calls.
func (l *pastLedger) answers(r *reading, found past, at int64) bool {
	if at != 0 && found.at != 0 && at-found.at >= r.rule.Window.Microseconds() {
		return false
	}
	m := l.memory
	return r.resource.IsZero() || m.latest[half(r.resource)][l.side] == m.effects[own(r.sum.Key)][l.side]
}

// rival looks for an effect under another key that the policy has something to say about, in the order in which a claim does.
func (l *pastLedger) rival(ctx context.Context, r *reading, known bool, at int64) (ruled, error) {
	on := r.rule.On
	over := func(p past) bool { return at != 0 && p.at != 0 && at-p.at >= r.rule.Window.Microseconds() }
	if on.OtherScope != policy.Allow && r.inRun && !known && !l.options.RunsApart {
		if found, ok := l.memory.find(l.memory.common, half(r.sum.Key), l.side); ok && !over(found) {
			return likened(on.OtherScope, CodeOtherScope, found.ref), nil
		}
	}
	if on.SameIdentity != policy.Allow && !r.sum.Identity.IsZero() {
		if found, ok := l.memory.find(l.memory.things, half(r.sum.Identity), l.side); ok && !over(found) {
			return likened(on.SameIdentity, CodeSameIdentity, found.ref), nil
		}
	}
	if on.Near == policy.Allow || r.sum.Near.IsZero() {
		return ruled{}, nil
	}
	return l.nearest(ctx, r)
}

// likened is what a choice of the policy makes of a call that is like an earlier one.
func likened(c policy.Choice, code Code, earlier uint64) ruled {
	out := ruled{fate: fateAsked, code: code, earlier: earlier, compared: true}
	switch c {
	case policy.Replay:
		out.fate, out.code = fateRepeated, CodeReplayed
	case policy.Block:
		out.fate = fateDenied
	}
	return out
}

// nearest compares the wording of a call with that of the latest ones that are equal otherwise.
func (l *pastLedger) nearest(ctx context.Context, r *reading) (ruled, error) {
	var refs []uint64
	for p := range l.memory.wordings(half(r.sum.Near), l.side) {
		if refs = append(refs, p.ref); len(refs) == RivalMost {
			break
		}
	}
	if len(refs) == 0 {
		return ruled{}, nil
	}
	slices.Reverse(refs)
	texts := make([][]fingerprint.Text, len(refs))
	for i, ref := range refs {
		c, err := l.options.Recall(ctx, ref)
		if err != nil {
			return ruled{}, err
		}
		if args, err := decodeArguments(c.Call.Arguments); err == nil {
			texts[i] = r.set.Match(c.Call.Tool).Arguments.Texts(args)
		}
	}
	found, err := fingerprint.JudgeAll(ctx, r.rule.Wordings(), texts, r.rule.Arguments.Texts(r.args), r.rule.Near.Near, r.rule.Near.Same)
	if err != nil {
		return ruled{}, err
	}
	var out ruled
	for i, n := range found {
		if n.Verdict != fingerprint.Different && (!out.compared || n.Score > out.nearness.Score) {
			out = likened(r.rule.On.Near, CodeNear, refs[i])
			out.nearness = n
		}
	}
	return out, nil
}

// full returns the first limit without room for the call, and counts that it was hit.
func (l *pastLedger) full(r *reading, at int64) *policy.Limit {
	if at == 0 {
		return nil
	}
	for i, limit := range r.limits {
		key, begin := half(limit.Key), at-limit.Period.Microseconds()
		uses := l.used[key]
		gone := 0
		for gone < len(uses) && uses[gone].at <= begin {
			gone++
		}
		uses = uses[gone:]
		l.used[key] = uses
		sum := limit.Amount
		for _, u := range uses {
			sum += min(u.amount, limit.Max+1) // what is far too much does not overflow
		}
		if sum > limit.Max {
			l.hits[r.rule.Limits[i].Source]++
			return &r.rule.Limits[i]
		}
	}
	return nil
}

// record notes that a call was carried out, as the effect with a number.
func (l *pastLedger) record(r *reading, n uint32, at int64) {
	m, s := l.memory, l.side
	s.set(m.effects, own(r.sum.Key), n)
	if r.inRun && r.rule.On.OtherScope != policy.Allow && !l.options.RunsApart {
		s.set(m.common, half(r.sum.Key), n)
	}
	if l.identities && !r.sum.Identity.IsZero() {
		id := half(r.sum.Identity)
		s.set(m.things, id, n)
		if l.histories {
			s.set(m.acted, id, m.acted[id][s]+1)
		}
	}
	if r.rule.On.Near != policy.Allow && !r.sum.Near.IsZero() {
		near := half(r.sum.Near)
		*m.alike[s].at(n) = m.near[near][s]
		s.set(m.near, near, n)
	}
	if !r.resource.IsZero() {
		s.set(m.latest, half(r.resource), n)
	}
	for _, limit := range r.limits {
		if key := half(limit.Key); at != 0 {
			l.used[key] = append(l.used[key], pastUsed{at, limit.Amount})
		}
	}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros)
}
