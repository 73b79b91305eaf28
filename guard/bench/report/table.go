package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Table is rows of text under headings.
type Table struct {
	Title string
	Texts int // so many columns, from the first on, are set to the left and the others, which hold figures, to the right
	Head  []string
	Rows  [][]string
}

// Write prints the table as Markdown that is also aligned for a terminal.
func (t Table) Write(w io.Writer) error {
	widths := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i := range widths {
			widths[i] = max(widths[i], 3, utf8.RuneCountInString(at(row, i)))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n", t.Title)
	write := func(row []string) {
		for i, width := range widths {
			gap := strings.Repeat(" ", width-utf8.RuneCountInString(at(row, i)))
			if i < t.Texts {
				b.WriteString("| " + at(row, i) + gap + " ")
			} else {
				b.WriteString("| " + gap + at(row, i) + " ")
			}
		}
		b.WriteString("|\n")
	}
	write(t.Head)
	rule := make([]string, len(widths))
	for i, width := range widths {
		if rule[i] = strings.Repeat("-", width); i >= t.Texts {
			rule[i] = rule[i][1:] + ":"
		}
	}
	write(rule)
	for _, row := range t.Rows {
		write(row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func at(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

// Number prints a figure with about three digits that count, and "–" for none.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 100 || a == math.Trunc(a):
		return thousands(v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
