package web

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// series is what the overview counts.
type series int

// The series, in the order in which they are shown.
const (
	sent series = iota
	replayed
	blocked
	unknown
	numSeries
)

// counts are how often each happened.
type counts [numSeries]int64

// account is what happened in a period.
type account struct {
	from, until time.Time
	step        time.Duration
	over        []counts // one for each step from from
	all         counts
	tools       []toolCounts // the busiest first
	prevented   int64
	because     []preventedBy
	warned      int64 // calls that were forwarded although a policy in mode warn speaks against them
}

// toolCounts is what happened to the calls of one tool.
type toolCounts struct {
	Tool   string
	Counts counts
}

func (t toolCounts) total() int64 { return t.Counts[sent] + t.Counts[replayed] + t.Counts[blocked] }

// preventedBy is how many repeats were not sent, for one reason.
type preventedBy struct {
	Name  string
	Count int64
}

// repeats says of which answers the dashboard claims that they kept an effect from happening twice: those to a call that is, or may be, an
// effect that was sent before. What a rule or a person refused, what waits for a first decision, and another change of the same
// thing are no repeats, and are not counted.
var repeats = map[guard.AnswerKind]map[guard.Code]string{
	guard.AnswerReplayed: {
		guard.CodeReplayed: "were answered with the recorded result",
	},
	guard.AnswerBlocked: {
		guard.CodeDone:       "repeated what was done, and the policy gives no result again",
		guard.CodeNotShared:  "repeated what was done for somebody else",
		guard.CodeUnknown:    "would have sent again what may have been carried out",
		guard.CodePartial:    "would have sent again what was carried out in part",
		guard.CodeNear:       "differed from an earlier one in wording only",
		guard.CodeOtherScope: "were made before, in another scope",
	},
}

// accountOf makes an account of tallies, with a step for each point of a chart.
func accountOf(list []guard.Tally, from, until time.Time, step time.Duration) account {
	a := account{from: from, until: until, step: step, over: make([]counts, int((until.Sub(from)+step-1)/step))}
	tools := map[string]*toolCounts{}
	because := map[string]int64{}
	for _, t := range list {
		if why, ok := repeats[guard.AnswerKind(t.Kind)][t.Code]; ok {
			because[why] += t.Count
			a.prevented += t.Count
		}
		if t.Kind == guard.TallyWarned {
			a.warned += t.Count
		}
		s, ok := seriesOf(t)
		if !ok {
			continue
		}
		if i := int(t.Start.Sub(from) / step); !t.Start.Before(from) && i < len(a.over) {
			a.over[i][s] += t.Count
		}
		a.all[s] += t.Count
		if tools[t.Tool] == nil {
			tools[t.Tool] = &toolCounts{Tool: t.Tool}
		}
		tools[t.Tool].Counts[s] += t.Count
	}
	for _, t := range tools {
		a.tools = append(a.tools, *t)
	}
	slices.SortFunc(a.tools, func(x, y toolCounts) int {
		return cmp.Or(cmp.Compare(y.total(), x.total()), cmp.Compare(y.Counts[unknown], x.Counts[unknown]), strings.Compare(x.Tool, y.Tool))
	})
	for _, why := range slices.Sorted(maps.Keys(because)) {
		a.because = append(a.because, preventedBy{why, because[why]})
	}
	slices.SortStableFunc(a.because, func(x, y preventedBy) int { return cmp.Compare(y.Count, x.Count) })
	return a
}

// seriesOf says what a tally counts; false for what no chart shows, such as reads, and calls that were asked to come again.
func seriesOf(t guard.Tally) (series, bool) {
	switch guard.AnswerKind(t.Kind) {
	case guard.AnswerForwarded, guard.AnswerProceed:
		return sent, t.Code != guard.CodePassed
	case guard.AnswerReplayed:
		return replayed, true
	case guard.AnswerBlocked:
		return blocked, true
	case guard.TallyOutcome:
		return unknown, t.Code == guard.Code(guard.Unknown)
	}
	return 0, false
}
