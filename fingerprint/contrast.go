package fingerprint

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// contrast says why two texts are surely different, "" where nothing does.
func (c *comparer) contrast(a, b *analysis) string {
	if x, y, ok := ownOfEach(a.figures, b.figures); ok && !tellsDetails(a.figures, b.figures) {
		return c.says(x, y)
	}
	if x, y, ok := ownOfEach(a.addresses, b.addresses); ok {
		return c.says(x, y)
	}
	if earlier, now, ok := opposed(a.opposites, b.opposites); ok {
		return fmt.Sprintf("the earlier one says %q, this one %q", c.oppositeIn(a, earlier), c.oppositeIn(b, now))
	}
	return c.negated(a, b)
}

func (c *comparer) says(earlier, now int32) string {
	return fmt.Sprintf("the earlier one says %q, this one %q", short(c.stem(earlier).text), short(c.stem(now).text))
}

// Two texts that each have manyFigures or more are not in contrast for some of them while they share so many of the fewer.
const (
	manyFigures   = 4
	sharedFigures = 0.6
)

// tellsDetails reports whether two texts of many numbers have most of them in common.
func tellsDetails(a, b []int32) bool {
	fewer := min(len(a), len(b))
	return fewer >= manyFigures && float64(len(common(a, b))) >= sharedFigures*float64(fewer)
}

// ownOfEach returns something of each list that the other lacks; false unless each has one.
func ownOfEach(a, b []int32) (ofA, ofB int32, ok bool) {
	x, inA := firstBeyond(a, b)
	y, inB := firstBeyond(b, a)
	return x, y, inA && inB
}

func firstBeyond(a, b []int32) (int32, bool) {
	for _, id := range a {
		if _, found := slices.BinarySearch(b, id); !found {
			return id, true
		}
	}
	return 0, false
}

// opposed finds two members of one group of which each is in one text only.
func opposed(a, b []opposite) (ofA, ofB opposite, ok bool) {
	for _, x := range a {
		if slices.Contains(b, x) {
			continue
		}
		for _, y := range b {
			if y.group == x.group && !slices.Contains(a, y) {
				return x, y, true
			}
		}
	}
	return opposite{}, opposite{}, false
}

func (c *comparer) oppositeIn(a *analysis, o opposite) string {
	for _, id := range a.sequence {
		if slices.Contains(c.stem(id).opposites, o) {
			return short(c.stem(id).text)
		}
	}
	return ""
}

// negated says which of two texts has a negation where the two are equal otherwise. In longer tellings of one thing, one of
// two often says besides what is not the case.
func (c *comparer) negated(a, b *analysis) string {
	if (len(a.negations) == 0) == (len(b.negations) == 0) {
		return ""
	}
	negation := append(slices.Clone(a.negations), b.negations...)[0]
	shared := c.weigh(common(a.stems, b.stems))
	all := a.weight + b.weight - shared - c.weigh(a.negations) - c.weigh(b.negations)
	if shared < mostlyEqual*all {
		return ""
	}
	return fmt.Sprintf("only one says %q", short(c.stem(negation).text))
}

// mostlyEqual is the share of two texts that must be in both for a negation in one of them to be a contrast.
const mostlyEqual = 0.8

// maxWord is the most characters of a word that a contrast quotes.
const maxWord = 40

func short(word string) string {
	if utf8.RuneCountInString(word) <= maxWord {
		return word
	}
	return string([]rune(word)[:maxWord]) + "…"
}
