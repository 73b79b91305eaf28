package fingerprint

import (
	"slices"
	"strings"
)

// Standing says what one argument means for whether two calls are the same.
type Standing string

// The standings.
const (
	Equal     Standing = "equal"     // written alike
	Respelled Standing = "respelled" // equal, written otherwise
	Differs   Standing = "differs"   // not equal: this makes them different effects
	Ignored   Standing = "ignored"   // written otherwise, and it does not matter
)

// TermPair is one argument as an earlier call and a present one have it.
type TermPair struct {
	Argument string   `json:"argument"`
	Role     Role     `json:"role"`
	Standing Standing `json:"standing"`
	Earlier  Term     `json:"earlier"`
	Now      Term     `json:"now"`
}

// Align puts the terms of two calls side by side, by argument, in the order of Terms. An argument that one call has no term for
// contributes nothing there. Where two specs give an argument different roles, the one that weighs more counts.
func Align(earlier, now []Term) []TermPair {
	before := make(map[termName]Term, len(earlier))
	for _, t := range earlier {
		before[nameOf(t)] = t
	}
	pairs := make([]TermPair, 0, max(len(earlier), len(now)))
	for _, t := range now {
		b, known := before[nameOf(t)]
		if !known {
			b = absentLike(t)
		}
		delete(before, nameOf(t))
		pairs = append(pairs, pairTerms(b, t))
	}
	for _, b := range earlier {
		if _, left := before[nameOf(b)]; left {
			pairs = append(pairs, pairTerms(b, absentLike(b)))
		}
	}
	slices.SortStableFunc(pairs, func(a, b TermPair) int { return a.Role.rank() - b.Role.rank() })
	return pairs
}

// termName tells the terms of a call apart: one undeclared argument may have the name of a declared one.
type termName struct {
	argument string
	shadowed bool
}

func nameOf(t Term) termName { return termName{t.Argument, strings.HasPrefix(t.Normal, shadowTag)} }

func absentLike(t Term) Term { return Term{Argument: t.Argument, Kind: t.Kind, Role: t.Role} }

func pairTerms(earlier, now Term) TermPair {
	p := TermPair{Argument: now.Argument, Role: now.Role, Earlier: earlier, Now: now}
	if earlier.Role.rank() < now.Role.rank() {
		p.Role = earlier.Role
	}
	switch {
	case earlier.Raw == now.Raw && earlier.Normal == now.Normal:
		p.Standing = Equal
	case !p.Role.Decides():
		p.Standing = Ignored
	case earlier.Normal == now.Normal:
		p.Standing = Respelled
	default:
		p.Standing = Differs
	}
	return p
}
