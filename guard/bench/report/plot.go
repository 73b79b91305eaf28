package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Line is one line of a plot: values by the size of the ledger.
type Line struct {
	Name string
	X, Y []float64
}

// The page of a plot, in its own units, and the margins around the field.
const (
	plotWidth, plotHeight = 720.0, 420.0
	left, right           = 70.0, 190.0
	top, bottom           = 50.0, 60.0
)

var colours = []string{"#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b8860b", "#555555"}

// WritePlot draws lines over a logarithmic axis of sizes as an SVG image. The other axis begins at zero, so that
// what looks flat is flat.
func WritePlot(w io.Writer, title, xName, yName string, lines []Line) error {
	minX, maxX, maxY := bounds(lines)
	x := func(v float64) float64 {
		return left + (math.Log10(v)-math.Log10(minX))/(math.Log10(maxX)-math.Log10(minX))*(plotWidth-left-right)
	}
	y := func(v float64) float64 { return plotHeight - bottom - v/maxY*(plotHeight-top-bottom) }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="white"/>`+"\n", plotWidth, plotHeight)
	text := func(px, py float64, anchor, said string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", px, py, anchor, html.EscapeString(said))
	}
	rule := func(x1, y1, x2, y2 float64) {
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#cccccc"/>`+"\n", x1, y1, x2, y2)
	}
	text(left, 24, "start", title)
	for e := math.Ceil(math.Log10(minX)); e <= math.Log10(maxX); e++ {
		v := math.Pow(10, e)
		rule(x(v), top, x(v), plotHeight-bottom)
		text(x(v), plotHeight-bottom+18, "middle", Number(v))
	}
	text((left+plotWidth-right)/2, plotHeight-16, "middle", xName)
	for i := range 5 {
		v := maxY * float64(i) / 4
		rule(left, y(v), plotWidth-right, y(v))
		text(left-8, y(v)+4, "end", Number(v))
	}
	text(8, top-10, "start", yName)
	for i, l := range lines {
		colour := colours[i%len(colours)]
		var points []string
		for j := range l.X {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(l.X[j]), y(l.Y[j])))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x(l.X[j]), y(l.Y[j]), colour)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
		key := top + 20*float64(i)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="12" height="12" fill="%s"/>`+"\n", plotWidth-right+16, key, colour)
		text(plotWidth-right+34, key+11, "start", l.Name)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// bounds leaves room above the highest value, and never returns an empty range.
func bounds(lines []Line) (minX, maxX, maxY float64) {
	minX, maxX = math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for i := range l.X {
			minX, maxX, maxY = min(minX, l.X[i]), max(maxX, l.X[i]), max(maxY, l.Y[i])
		}
	}
	if !(minX > 0) || math.IsInf(minX, 0) {
		minX, maxX = 1, 10
	}
	if maxX <= minX {
		maxX = minX * 10
	}
	if maxY <= 0 {
		maxY = 1
	}
	return minX, maxX, maxY * 1.15
}
