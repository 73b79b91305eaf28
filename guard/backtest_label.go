package guard

import (
	"context"

	"github.com/onceguard/onceguard/fingerprint"
)

// A reviewer who says of a held call that it is the same as the effect for which it was held (Same), or who lets it run beside that
// effect, has labelled a pair of calls. A draft is asked what it would make of such a pair, the earlier call carried out and the
// later one made when it was made. Conditions and limits are left out of it, because the person was asked about the likeness.

// BacktestLabel is a pair of calls about which a person has decided.
type BacktestLabel struct {
	Same         bool // both ask for one effect; else they are two
	Earlier, Now BacktestCall
	// EarlierEffect and NowEffect are the ids of their effects, for reports.
	EarlierEffect, NowEffect string
}

// Labelled tells whether a person has decided on the likeness of an effect to the one that it was held for (Effect.Related), and
// how. Approving other arguments than those that were held says nothing about the pair.
func Labelled(e *Effect, events []Event) (same, ok bool) {
	if e.Related == "" {
		return false, false
	}
	alike := false
	for i := range events {
		switch ev := &events[i]; ev.Kind {
		case EventHeld:
			alike = ev.Code == CodeNear || ev.Code == CodeSameIdentity
		case EventRejected:
			return true, ev.Code == CodeSame
		case EventApproved:
			return false, alike && len(ev.Arguments) == 0 && ev.ArgumentsHash == [32]byte{}
		}
	}
	return false, false
}

// EffectReader shows a principal effects on record. *Guard implements it.
type EffectReader interface {
	Effect(ctx context.Context, p Principal, id string) (Effect, error)
	Events(ctx context.Context, p Principal, id string) ([]Event, error)
}

// AddVerdict adds the label, if any, that a reviewer has given to an effect, whose call has a ref, and the one that it was held for.
// The error of a reader that no longer has one of the two is CodeNotFound.
func (b *Backtest) AddVerdict(ctx context.Context, from EffectReader, p Principal, e *Effect, ref uint64) error {
	if e.Related == "" {
		return nil
	}
	events, err := from.Events(ctx, p, e.ID)
	if err != nil {
		return err
	}
	same, decided := Labelled(e, events)
	if !decided {
		return nil
	}
	earlier, err := from.Effect(ctx, p, e.Related)
	if err != nil {
		return err
	}
	return b.AddLabel(ctx, BacktestLabel{
		Same: same, Earlier: BacktestCallOf(&earlier, 0), Now: BacktestCallOf(e, ref), EarlierEffect: e.Related, NowEffect: e.ID,
	})
}

// PairFate is what becomes of the later call of a pair.
type PairFate string

// The fates of a pair.
const (
	PairMerged PairFate = "merged" // it is answered for the earlier one
	PairHeld   PairFate = "held"   // a person, or the agent, is asked about the two, or it is blocked
	PairApart  PairFate = "apart"  // it is an effect of its own
)

// wrong tells whether a person who gave a label would call what becomes of the pair a mistake.
func (f PairFate) wrong(same bool) bool { return same == (f == PairApart) }

// BacktestLabels is what a draft makes of labelled pairs.
type BacktestLabels struct {
	Same, Different int
	Unread          int             // pairs of which no guard can read a call; they are not judged
	Broken          int             // the draft is wrong about them, and the current policies are not, or less so
	Mended          int             // the other way round
	Findings        []BacktestBreak // the first broken ones, at most BacktestOptions.Keep
}

// BacktestBreak is a labelled pair that a draft gets wrong.
type BacktestBreak struct {
	BacktestLabel
	Before, After PairFate
	Deciding      []string // as in BacktestFinding
	Sentence      string   // as in BacktestFinding
}

// AddLabel judges a labelled pair by both sets. The pair leaves no trace in what Add compares with. Like Add it may not be called
// at the same time as another method.
func (b *Backtest) AddLabel(ctx context.Context, l BacktestLabel) error {
	labels := &b.report.Labels
	if l.Same {
		labels.Same++
	} else {
		labels.Different++
	}
	earlier, now := b.Read(ctx, l.Earlier), b.Read(ctx, l.Now)
	if earlier.err != nil || now.err != nil {
		labels.Unread++
		return nil
	}
	before, err := b.current.pair(ctx, &l, earlier.current, now.current)
	if err != nil {
		return err
	}
	after, err := b.draft.pair(ctx, &l, earlier.draft, now.draft)
	if err != nil {
		return err
	}
	switch was, is := before.wrong(l.Same), after.wrong(l.Same); {
	case was && !is, was && is && before == PairMerged && after != PairMerged:
		labels.Mended++
	case is && !was, was && is && after == PairMerged && before != PairMerged:
		labels.Broken++
		if len(labels.Findings) < b.options.Keep {
			found, err := b.broken(l, before, after)
			if err != nil {
				return err
			}
			labels.Findings = append(labels.Findings, found)
		}
	}
	return nil
}

// broken says why a draft gets a pair wrong.
func (b *Backtest) broken(l BacktestLabel, before, after PairFate) (BacktestBreak, error) {
	found := BacktestBreak{BacktestLabel: l, Before: before, After: after}
	set := b.options.Draft
	if after == PairMerged {
		set = b.options.Current // it told them apart
	}
	why, err := b.difference(set, &l.Earlier, &l.Now, fingerprint.Nearness{})
	found.Deciding, found.Sentence = why.deciding, why.sentence
	return found, err
}

// pair decides on the later call of a pair as if the earlier one were all that has happened.
func (l *pastLedger) pair(ctx context.Context, of *BacktestLabel, earlier, now *reading) (PairFate, error) {
	if earlier.passes || now.passes || earlier.err != nil || now.err != nil {
		return PairApart, nil
	}
	alone := *l
	alone.memory, alone.used = newPastMemory(), map[mark][]pastUsed{}
	alone.options.RunsApart = false
	alone.options.Recall = func(context.Context, uint64) (BacktestCall, error) { return of.Earlier, nil }
	begun := micros(of.Earlier.At)
	alone.record(earlier, alone.memory.add(past{of.Earlier.Ref, begun}), begun)
	at := micros(of.Now.At)
	out, known := alone.repeat(now, at)
	if out.fate != fateRepeated {
		var err error
		if out, err = alone.rival(ctx, now, known, at); err != nil {
			return "", err
		}
	}
	switch {
	case out.fate == fateRepeated:
		return PairMerged, nil
	case out.compared:
		return PairHeld, nil
	}
	return PairApart, nil
}
