package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// mistakeKind is a way of being wrong about a pair.
type mistakeKind string

// The mistakes, the worst first.
const (
	mergedDifferent mistakeKind = "merged, but different"
	apartSame       mistakeKind = "kept apart, but the same"
	heldDifferent   mistakeKind = "held, but different"
)

var mistakeKinds = []mistakeKind{mergedDifferent, apartSame, heldDifferent}

// mistake is one kind of mistake at one tool for one reason: pairs that are wrong in the same way are one, with an example.
type mistake struct {
	Kind      mistakeKind    `json:"kind"`
	Set       string         `json:"set"`
	Label     string         `json:"label"`
	Tool      string         `json:"tool"`
	Pairs     int            `json:"pairs"`
	Line      int            `json:"line"` // of the example
	Arguments []string       `json:"arguments"`
	Terms     []deciding     `json:"terms,omitzero"`
	Nearness  *nearnessShown `json:"nearness,omitzero"`
	Unread    string         `json:"unread,omitzero"` // why a guard cannot read the example
}

// deciding is an argument of the example that decided, or that should have.
type deciding struct {
	Argument string               `json:"argument"`
	Role     fingerprint.Role     `json:"role"`
	Kind     string               `json:"kind"`
	Standing fingerprint.Standing `json:"standing"`
	Earlier  string               `json:"earlier"` // normal forms, or raw texts where they do not count
	Now      string               `json:"now"`
}

// nearnessShown is a fingerprint.Nearness for people.
type nearnessShown struct {
	Verdict  string  `json:"verdict"`
	Score    float64 `json:"score"`
	Argument string  `json:"argument"`
	Contrast string  `json:"contrast,omitzero"`
}

func showNearness(n fingerprint.Nearness) *nearnessShown {
	if n.Argument == "" {
		return nil
	}
	return &nearnessShown{Verdict: n.Verdict.String(), Score: n.Score, Argument: n.Argument, Contrast: n.Contrast}
}

// maxMistakes bounds the mistakes that are remembered, each with one example.
const maxMistakes = 10_000

// mistakes collects mistakes by kind, tool and the arguments that decided.
type mistakes struct {
	groups  map[string]*mistake
	dropped int // pairs for which there was no room
}

// add remembers a mistake about a pair. One about wordings alone stands for itself, because each has a reason of its own.
func (m *mistakes) add(p labelledPair, j judgedPair) {
	found := mistake{Kind: j.mistake, Set: p.Set, Label: p.Label, Tool: p.Tool, Pairs: 1, Line: p.line, Arguments: []string{}, Nearness: showNearness(j.nearness)}
	if j.unread != nil {
		found.Unread = j.unread.Error()
	} else {
		found.show(fingerprint.Align(j.a.spec.Terms(j.a.args), j.b.spec.Terms(j.b.args)))
	}
	key := fmt.Sprintf("%q", append([]string{string(j.mistake), p.Set, p.Label, p.Tool, found.Unread}, found.Arguments...))
	if found.Nearness != nil {
		one, two := p.bytes()
		key += fmt.Sprintf("%q%q", one, two)
	}
	switch known := m.groups[key]; {
	case known != nil:
		known.Pairs++
	case len(m.groups) == maxMistakes:
		m.dropped++
	default:
		if m.groups == nil {
			m.groups = map[string]*mistake{}
		}
		m.groups[key] = &found
	}
}

// show keeps the terms that tell why. For a pair that was merged those are the ones that do not keep it apart.
func (m *mistake) show(pairs []fingerprint.TermPair) {
	for _, p := range pairs {
		if p.Standing == fingerprint.Equal || m.Kind != mergedDifferent && p.Standing != fingerprint.Differs {
			continue
		}
		earlier, now := p.Earlier.Normal, p.Now.Normal
		if earlier == now || p.Standing == fingerprint.Ignored {
			earlier, now = p.Earlier.Raw, p.Now.Raw
		}
		m.Arguments = append(m.Arguments, p.Argument)
		earlier, now = fingerprint.Excerpts(earlier, now)
		m.Terms = append(m.Terms, deciding{p.Argument, p.Role, p.Now.Kind, p.Standing, earlier, now})
	}
}

// worst gives at most n mistakes of each kind, the most frequent first; of those that are as frequent, the ones about which the
// wordings left the least doubt.
func (m *mistakes) worst(n int) []mistake {
	list := []mistake{}
	for _, kind := range mistakeKinds {
		var some []mistake
		for _, g := range m.groups {
			if g.Kind == kind {
				some = append(some, *g)
			}
		}
		slices.SortFunc(some, func(a, b mistake) int {
			return cmp.Or(b.Pairs-a.Pairs, cmp.Compare(a.doubt(), b.doubt()), a.Line-b.Line)
		})
		list = append(list, some[:min(n, len(some))]...)
	}
	return list
}

// doubt is small when the wordings spoke clearly for the wrong side.
func (m *mistake) doubt() float64 {
	switch {
	case m.Nearness == nil:
		return 0
	case m.Kind == apartSame:
		return m.Nearness.Score
	default:
		return 1 - m.Nearness.Score
	}
}

func (m *mistake) write(b *strings.Builder) {
	fmt.Fprintf(b, "  %s: %s, %s (%s/%s, line %d)", show(m.Tool), m.Kind, plural(m.Pairs, "pair"), show(m.Set), show(m.Label), m.Line)
	if n := m.Nearness; n != nil {
		fmt.Fprintf(b, "; %s %.2f alike", show(n.Argument), n.Score)
		if n.Contrast != "" {
			fmt.Fprintf(b, ", %s", show(n.Contrast))
		}
	}
	b.WriteByte('\n')
	if m.Unread != "" {
		fmt.Fprintf(b, "    not readable: %s\n", show(m.Unread))
	}
	for i, t := range m.Terms {
		if i == 5 {
			fmt.Fprintf(b, "    and %s\n", plural(len(m.Terms)-i, "more argument"))
			break
		}
		fmt.Fprintf(b, "    %s (%s, %s, %s)\n      %s\n      %s\n", show(t.Argument), t.Role, t.Kind, t.Standing, orAbsent(t.Earlier), orAbsent(t.Now))
	}
}
