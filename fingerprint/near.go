package fingerprint

import (
	"context"
	"fmt"
	"strings"
)

// Verdict is what the wordings of two calls are to each other. Of two verdicts the lesser one counts.
type Verdict uint8

// The verdicts.
const (
	Different   Verdict = iota // they say different things
	Alike                      // they may say the same: somebody should look
	SameWording                // they say the same
)

func (v Verdict) String() string {
	switch v {
	case Different:
		return "different"
	case Alike:
		return "alike"
	case SameWording:
		return "same wording"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Nearness is what the wordings of two calls that are equal otherwise are to each other.
type Nearness struct {
	Verdict  Verdict
	Score    float64 // between 0 and 1, of the text that decides
	Argument string  // the text that decides: of those with the least verdict the one with the least score; "" where none differs
	Contrast string  // why that text is surely different, as in Likeness
}

// Judge compares the texts of two calls, as Spec.Texts gives them. Each text that is not equal in both is compared by itself: a
// contrast makes it different; a side that says nothing, or lacks the text, makes it alike; otherwise the score decides, from
// same on the same wording and from near on alike. The least of these is the verdict on the calls, so that a single new text
// makes a new call. It fails where by fails.
func Judge(ctx context.Context, by Similarity, earlier, now []Text, near, same float64) (Nearness, error) {
	all, err := JudgeAll(ctx, by, [][]Text{earlier}, now, near, same)
	if err != nil {
		return Nearness{}, err
	}
	return all[0], nil
}

// JudgeAll judges a call against each of several earlier ones as Judge does, in one comparison. The answers are in the order of
// earlier.
func JudgeAll(ctx context.Context, by Similarity, earlier [][]Text, now []Text, near, same float64) ([]Nearness, error) {
	var pairs []Wording
	var about []wordingOf
	for i, texts := range earlier {
		eachText(texts, now, func(argument string, w Wording) {
			if w.Earlier != w.Now {
				pairs = append(pairs, w)
				about = append(about, wordingOf{call: i, argument: argument})
			}
		})
	}
	verdicts := make([]Nearness, len(earlier))
	for i := range verdicts {
		verdicts[i] = Nearness{Verdict: SameWording, Score: 1}
	}
	if len(pairs) == 0 {
		return verdicts, nil
	}
	likenesses, err := by.Compare(ctx, pairs)
	if err != nil {
		return nil, fmt.Errorf("comparing wordings: %w", err)
	}
	if len(likenesses) != len(pairs) {
		return nil, fmt.Errorf("comparing wordings: %d answers for %d pairs", len(likenesses), len(pairs))
	}
	for i, l := range likenesses {
		if !(l.Score >= 0 && l.Score <= 1) { // NaN is neither
			return nil, fmt.Errorf("comparing wordings: a score of %g is not between 0 and 1", l.Score)
		}
		n := Nearness{Verdict: judgeText(pairs[i], l, near, same), Score: l.Score, Argument: about[i].argument, Contrast: l.Contrast}
		if n.decidesOver(verdicts[about[i].call]) {
			verdicts[about[i].call] = n
		}
	}
	return verdicts, nil
}

// wordingOf tells which text of which earlier call a pair is about.
type wordingOf struct {
	call     int
	argument string
}

// eachText pairs the texts of two calls by their names. A call that lacks one says nothing there.
func eachText(earlier, now []Text, do func(argument string, w Wording)) {
	for len(earlier) > 0 || len(now) > 0 {
		order := len(now) - len(earlier) // where one list has ended, the other goes on
		if len(earlier) > 0 && len(now) > 0 {
			order = strings.Compare(earlier[0].Argument, now[0].Argument)
		}
		switch {
		case order < 0:
			do(earlier[0].Argument, Wording{Earlier: earlier[0].Words})
			earlier = earlier[1:]
		case order > 0:
			do(now[0].Argument, Wording{Now: now[0].Words})
			now = now[1:]
		default:
			do(now[0].Argument, Wording{Earlier: earlier[0].Words, Now: now[0].Words})
			earlier, now = earlier[1:], now[1:]
		}
	}
}

func judgeText(w Wording, l Likeness, near, same float64) Verdict {
	switch {
	case l.Contrast != "":
		return Different
	case l.Empty, w.Earlier == "", w.Now == "":
		return Alike
	case l.Score >= same:
		return SameWording
	case l.Score >= near:
		return Alike
	default:
		return Different
	}
}

func (n Nearness) decidesOver(other Nearness) bool {
	if n.Verdict != other.Verdict {
		return n.Verdict < other.Verdict
	}
	return other.Argument == "" || n.Score < other.Score
}
