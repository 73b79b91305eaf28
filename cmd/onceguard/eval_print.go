package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// evalReport is what eval measured.
type evalReport struct {
	OK              bool        `json:"ok"` // no pair was merged that must be apart
	File            string      `json:"file"`
	Policies        string      `json:"policies,omitzero"`
	Pairs           int         `json:"pairs"`
	Unread          int         `json:"unread"` // pairs with arguments that a guard refuses to read
	MergedDifferent int         `json:"merged_different"`
	Rows            []pairRow   `json:"rows"`
	Quality         []quality   `json:"quality"`
	Mistakes        []mistake   `json:"mistakes"`
	NotKept         int         `json:"not_kept,omitzero"` // mistakes for which there was no room
	Calls           *callsTally `json:"calls,omitzero"`
}

// print writes the report for people.
func (r *evalReport) print(w io.Writer) error {
	var b strings.Builder
	with := "with inferred rules only"
	if r.Policies != "" {
		with = "with the policies of " + r.Policies
	}
	fmt.Fprintf(&b, "%s: %s, %s\n\n", r.File, plural(r.Pairs, "pair"), with)
	r.printRows(&b)
	if r.Unread > 0 {
		fmt.Fprintf(&b, "\n%s cannot be read, and a guard refuses such a call.\n", plural(r.Unread, "pair"))
	}
	r.printQuality(&b)
	if len(r.Mistakes) > 0 {
		fmt.Fprintf(&b, "\nThe worst mistakes\n")
		for _, m := range r.Mistakes {
			m.write(&b)
		}
	}
	if r.NotKept > 0 {
		fmt.Fprintf(&b, "  %s more were not kept apart here, because there are too many kinds of them.\n", grouped(r.NotKept))
	}
	if r.Calls != nil {
		r.Calls.print(&b)
	}
	switch {
	case r.MergedDifferent > 0:
		fmt.Fprintf(&b, "\nFAILED: %s merged, although to be kept apart.\n", was(r.MergedDifferent))
	default:
		fmt.Fprintf(&b, "\nNo pair was merged that must be kept apart.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func was(pairs int) string {
	if pairs == 1 {
		return "1 pair was"
	}
	return grouped(pairs) + " pairs were"
}

func (r *evalReport) printRows(b *strings.Builder) {
	set, label := len("set"), len("label")
	for _, row := range r.Rows {
		set, label = max(set, len([]rune(show(row.Set)))), max(label, len([]rune(show(row.Label))))
	}
	fmt.Fprintf(b, "%-*s  %-*s %8s%16s%16s%16s%16s%16s\n", set, "set", label, "label", "pairs", "merged", "held", "apart", "raw bytes", "JSON")
	for _, row := range r.Rows {
		cell := func(n int) string { return fmt.Sprintf("%s %7.1f %%", grouped(n), 100*share(n, row.Pairs, 0)) }
		fmt.Fprintf(b, "%-*s  %-*s %8s%16s%16s%16s%16s%16s\n", set, show(row.Set), label, show(row.Label), grouped(row.Pairs),
			cell(row.Merged), cell(row.Held), cell(row.Apart), cell(row.Raw), cell(row.JSON))
	}
}

func (r *evalReport) printQuality(b *strings.Builder) {
	if len(r.Quality) == 0 {
		fmt.Fprintf(b, "\nNo label says what is the same or different, so there is no precision and no recall.\n")
		return
	}
	fmt.Fprintf(b, "\n%-24s%-16s%10s%10s%12s%12s\n", "", "", "the same", "found", "precision", "recall")
	before := "?"
	for _, q := range r.Quality {
		name := ""
		if q.Set != before {
			before = q.Set
			if name = show(q.Set); name == "" {
				name = "all sets"
			}
		}
		fmt.Fprintf(b, "%-24s%-16s%10s%10s%12s%12s\n", name, q.By, grouped(q.All), grouped(q.Found), ratio(q.Precision, q.Found), ratio(q.Recall, q.All))
	}
}

// ratio writes a share; "-" where it is one of nothing.
func ratio(share float64, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", share)
}

// listed names the sets of a file.
func listed(sets map[string]bool) string {
	if len(sets) == 0 {
		return "it holds no pair"
	}
	names := slices.Sorted(maps.Keys(sets))
	for i, n := range names {
		names[i] = show(n)
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return "its sets are " + strings.Join(names, ", ")
}
