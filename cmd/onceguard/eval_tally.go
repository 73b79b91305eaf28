package main

import (
	"cmp"
	"fmt"
	"slices"
)

// maxRows bounds the combinations of set and label in one file.
const maxRows = 1000

// pairTally counts what became of labelled pairs.
type pairTally struct {
	rows     map[[2]string]*pairRow
	pairs    int
	unread   int
	wrong    int // pairs labelled different that were merged
	mistakes mistakes
	known    knownSame // where recorded calls are walked as well
}

// pairRow counts the pairs of one set and label.
type pairRow struct {
	Set     string `json:"set"`
	Label   string `json:"label"`
	Counted string `json:"counted_as,omitzero"` // "same", "revision", "different"; "" for labels that are counted for nothing
	Pairs   int    `json:"pairs"`
	Merged  int    `json:"merged"`
	Held    int    `json:"held"`
	Apart   int    `json:"apart"`
	Raw     int    `json:"raw_bytes"`      // pairs that are equal in every byte
	JSON    int    `json:"canonical_json"` // pairs that are equal as canonical JSON

	meaning meaning
}

// add counts one pair.
func (t *pairTally) add(p labelledPair, j judgedPair) error {
	key := [2]string{p.Set, p.Label}
	row := t.rows[key]
	if row == nil {
		if len(t.rows) == maxRows {
			return fmt.Errorf("there are more than %d combinations of set and label", maxRows)
		}
		row = &pairRow{Set: p.Set, Label: p.Label, meaning: meaningOf(p.Label)}
		row.Counted = countedAs[row.meaning]
		t.rows[key] = row
	}
	t.pairs++
	row.Pairs++
	if j.rawEqual {
		row.Raw++
	}
	if j.jsonEqual {
		row.JSON++
	}
	if j.unread != nil {
		t.unread++
	}
	switch j.outcome {
	case judgedMerged:
		row.Merged++
	case judgedHeld:
		row.Held++
	default:
		row.Apart++
	}
	return nil
}

var countedAs = map[meaning]string{labelSame: "same", labelRevision: "revision", labelDifferent: "different"}

// wrongly tells what is wrong with an outcome; "" when nothing is, or nobody can say.
func wrongly(m meaning, f finding, rawEqual bool) mistakeKind {
	switch {
	case f.outcome == judgedMerged && m == labelDifferent && !rawEqual, f.outcome == judgedMerged && m == labelRepeated && !rawEqual:
		return mergedDifferent
	case f.outcome == judgedApart && m == labelSame, f.outcome == judgedApart && m == labelRevision:
		return apartSame
	case f.outcome == judgedHeld && m == labelDifferent:
		return heldDifferent
	}
	return ""
}

// sorted gives the rows by set and label.
func (t *pairTally) sorted() []pairRow {
	rows := make([]pairRow, 0, len(t.rows))
	for _, r := range t.rows {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b pairRow) int { return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Label, b.Label)) })
	return rows
}

// quality says how good one way of telling calls apart is on the pairs of a set.
type quality struct {
	Set string `json:"set"` // "" for all
	By  string `json:"by"`
	// Found are the pairs that it takes for the same, or nearly so; Right those of them that are the same, and All the pairs that
	// are.
	Found     int     `json:"found"`
	Right     int     `json:"right"`
	All       int     `json:"all"`
	Precision float64 `json:"precision"` // Right of Found; 1 where nothing was found
	Recall    float64 `json:"recall"`    // Right of All; 1 where there is nothing to find
}

// ways are the ways of telling calls apart that are measured. Where a pair may be held it is enough that a person sees it, so that
// revisions count, too.
var ways = []struct {
	name  string
	holds bool
	found func(*pairRow) int
}{
	{"merged", false, func(r *pairRow) int { return r.Merged }},
	{"merged or held", true, func(r *pairRow) int { return r.Merged + r.Held }},
	{"raw bytes", false, func(r *pairRow) int { return r.Raw }},
	{"canonical JSON", false, func(r *pairRow) int { return r.JSON }},
}

// qualities measures each way on each set with labels that can be counted, and on all of them together.
func qualities(rows []pairRow) []quality {
	var sets []string
	for _, r := range rows {
		if r.Counted != "" && !slices.Contains(sets, r.Set) {
			sets = append(sets, r.Set)
		}
	}
	if len(sets) > 1 {
		sets = append(sets, "")
	}
	list := []quality{}
	for _, set := range sets {
		for _, w := range ways {
			q := quality{Set: set, By: w.name}
			for _, r := range rows {
				if r.Counted == "" || set != "" && r.Set != set {
					continue
				}
				if r.meaning == labelRevision && !w.holds {
					continue // it is wrong neither to merge nor not to merge
				}
				q.Found += w.found(&r)
				if r.meaning != labelDifferent {
					q.Right += w.found(&r)
					q.All += r.Pairs
				}
			}
			q.Precision, q.Recall = share(q.Right, q.Found, 1), share(q.Right, q.All, 1)
			list = append(list, q)
		}
	}
	return list
}

// share is part of whole, and otherwise where there is no whole.
func share(part, whole int, otherwise float64) float64 {
	if whole == 0 {
		return otherwise
	}
	return float64(part) / float64(whole)
}
