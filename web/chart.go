package web

import (
	"fmt"
	"time"
)

// chart is a row of bars over time. Template "chart" draws it, with a table of the same numbers behind it.
type chart struct {
	ID    string
	Name  string
	Hint  string
	Kind  string // the class that colours it
	Total string
	Bars  []bar
	Most  string // the value at the top
	From  time.Time
	Until time.Time
}

// bar is one step of a chart, in units of the drawing.
type bar struct {
	X, Y, Width, Height string
	Label               string // the whole bar in words
	Start               time.Time
	Count               string
	Value               int64
}

// The size of a drawing, in its own units; a page stretches it to its place.
const (
	chartWidth  = 240
	chartHeight = 56
)

// chartOf draws one series of an account.
func chartOf(a account, s series, id, name, hint string) chart {
	c := chart{ID: id, Name: name, Hint: hint, Kind: id, Total: grouped(a.all[s]), From: a.from, Until: a.until}
	var most int64
	for _, o := range a.over {
		most = max(most, o[s])
	}
	c.Most = grouped(most)
	wide := float64(chartWidth) / float64(max(len(a.over), 1))
	for i, o := range a.over {
		start := a.from.Add(time.Duration(i) * a.step)
		b := bar{X: drawn(float64(i)*wide + wide*0.1), Width: drawn(wide * 0.8), Start: start, Count: grouped(o[s]), Value: o[s]}
		high := 0.0
		if most > 0 {
			high = float64(o[s]) / float64(most) * chartHeight
		}
		if o[s] > 0 {
			high = max(high, 2) // the rare must not be invisible
		}
		b.Y, b.Height = drawn(chartHeight-high), drawn(high)
		b.Label = fmt.Sprintf("%s: %s", start.UTC().Format("2 Jan 15:04 UTC"), b.Count)
		c.Bars = append(c.Bars, b)
	}
	return c
}

// share is one part of a bar that is split by what happened, in hundredths.
type share struct {
	Kind     string
	X, Width string
}

// sharesOf splits a bar of the length of a tool's calls, against those of the busiest.
func sharesOf(c counts, most int64) []share {
	var list []share
	at := 0.0
	for _, s := range []struct {
		of   series
		kind string
	}{{sent, "sent"}, {replayed, "replayed"}, {blocked, "blocked"}} {
		if c[s.of] == 0 || most == 0 {
			continue
		}
		width := float64(c[s.of]) / float64(most) * 100
		list = append(list, share{s.kind, drawn(at), drawn(width)})
		at += width
	}
	return list
}

// drawn is a length in a drawing.
func drawn(f float64) string { return fmt.Sprintf("%.2f", f) }

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
