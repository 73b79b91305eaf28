package fingerprint

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// judgeTable is a Similarity that looks its answers up by the present wording and counts how often it is asked.
type judgeTable struct {
	likeness map[string]Likeness
	asked    int
	err      error
	extra    int
}

func (s *judgeTable) Compare(_ context.Context, pairs []Wording) ([]Likeness, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	var list []Likeness
	for _, p := range pairs {
		list = append(list, s.likeness[p.Now])
	}
	return slices.Concat(list, make([]Likeness, max(s.extra, 0)))[:len(list)+s.extra], nil
}

var judgeAnswers = &judgeTable{likeness: map[string]Likeness{
	"same":     {Score: 0.95},
	"edge":     {Score: 0.9},
	"close":    {Score: 0.6},
	"near":     {Score: 0.4},
	"far":      {Score: 0.39},
	"farther":  {Score: 0.1},
	"2nd":      {Score: 0.99, Contrast: "only one says 2nd"},
	"...":      {Score: 0, Empty: true},
	"contrary": {Score: 0.2, Contrast: "one approves"},
}}

// judged makes texts of "argument=words" in order.
func judged(list ...string) []Text {
	var out []Text
	for _, s := range list {
		name, words, _ := strings.Cut(s, "=")
		out = append(out, Text{name, words})
	}
	return out
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		earlier, now []Text
		want         Nearness
	}{
		"no text":                       {nil, nil, Nearness{SameWording, 1, "", ""}},
		"equal":                         {judged("a=x", "b=y"), judged("a=x", "b=y"), Nearness{SameWording, 1, "", ""}},
		"the same":                      {judged("a=x"), judged("a=same"), Nearness{SameWording, 0.95, "a", ""}},
		"from same on":                  {judged("a=x"), judged("a=edge"), Nearness{SameWording, 0.9, "a", ""}},
		"alike":                         {judged("a=x"), judged("a=close"), Nearness{Alike, 0.6, "a", ""}},
		"from near on":                  {judged("a=x"), judged("a=near"), Nearness{Alike, 0.4, "a", ""}},
		"below near":                    {judged("a=x"), judged("a=far"), Nearness{Different, 0.39, "a", ""}},
		"a contrast beats any score":    {judged("a=x"), judged("a=2nd"), Nearness{Different, 0.99, "a", "only one says 2nd"}},
		"a placeholder":                 {judged("a=x"), judged("a=..."), Nearness{Alike, 0, "a", ""}},
		"blank now":                     {judged("a=x"), judged("a="), Nearness{Alike, 0, "a", ""}},
		"blank earlier":                 {judged("a="), judged("a=same"), Nearness{Alike, 0.95, "a", ""}},
		"absent now":                    {judged("a=x"), nil, Nearness{Alike, 0, "a", ""}},
		"absent earlier":                {nil, judged("a=same"), Nearness{Alike, 0.95, "a", ""}},
		"blank and absent are equal":    {judged("a="), nil, Nearness{SameWording, 1, "", ""}},
		"the least score counts":        {judged("a=x", "b=x"), judged("a=same", "b=close"), Nearness{Alike, 0.6, "b", ""}},
		"one different text is enough":  {judged("a=x", "b=x", "c=x"), judged("a=same", "b=farther", "c=same"), Nearness{Different, 0.1, "b", ""}},
		"a new text beats an empty one": {judged("a=x", "b=x"), judged("a=...", "b=far"), Nearness{Different, 0.39, "b", ""}},
		"a contrast beats an empty one": {judged("a=x", "b=x"), judged("a=2nd", "b="), Nearness{Different, 0.99, "a", "only one says 2nd"}},
		"of two contrasts the farther":  {judged("a=x", "b=x"), judged("a=2nd", "b=contrary"), Nearness{Different, 0.2, "b", "one approves"}},
		"texts meet by their names":     {judged("a=same", "c=x"), judged("b=close", "c=x"), Nearness{Alike, 0, "a", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Judge(t.Context(), judgeAnswers, c.earlier, c.now, 0.4, 0.9)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestJudgeAllAsksOnce(t *testing.T) {
	s := &judgeTable{likeness: judgeAnswers.likeness}
	now := judged("a=close", "b=same")
	got, err := JudgeAll(t.Context(), s, [][]Text{judged("a=x", "b=x"), now, judged("a=close", "b=x"), nil}, now, 0.4, 0.9)
	want := []Nearness{{Alike, 0.6, "a", ""}, {SameWording, 1, "", ""}, {SameWording, 0.95, "b", ""}, {Alike, 0.6, "a", ""}}
	if err != nil || len(got) != len(want) || s.asked != 1 {
		t.Fatalf("got %+v, %v after %d comparisons", got, err, s.asked)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("call %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	if _, err := JudgeAll(t.Context(), s, [][]Text{now, now}, now, 0.4, 0.9); err != nil || s.asked != 1 {
		t.Errorf("equal texts were compared (%d times): %v", s.asked, err)
	}
	if none, err := JudgeAll(t.Context(), s, nil, now, 0.4, 0.9); err != nil || len(none) != 0 {
		t.Errorf("no earlier call: %+v, %v", none, err)
	}
}

// A broken similarity must never merge or part two calls by an accident.
func TestJudgeRefusesNonsense(t *testing.T) {
	down := errors.New("down")
	for name, s := range map[string]*judgeTable{
		"an error":         {err: down},
		"too many answers": {extra: 1, likeness: judgeAnswers.likeness},
		"too few answers":  {extra: -1, likeness: judgeAnswers.likeness},
		"no number":        {likeness: map[string]Likeness{"y": {Score: math.NaN()}}},
		"above one":        {likeness: map[string]Likeness{"y": {Score: 1.01}}},
		"below zero":       {likeness: map[string]Likeness{"y": {Score: -0.01}}},
	} {
		got, err := Judge(t.Context(), s, judged("a=x"), judged("a=y"), 0.4, 0.9)
		if err == nil || got != (Nearness{}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if s.err != nil && !errors.Is(err, down) {
			t.Errorf("%s: the error %v hides its cause", name, err)
		}
	}
}
