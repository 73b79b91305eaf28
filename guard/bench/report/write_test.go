package report

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.934: "0.93", 1: "1", 3.14159: "3.14", 42.37: "42.4", 137.2: "137", 1234.5: "1,234", 1_000_000: "1,000,000", -1234: "-1,234", math.NaN(): "–",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v is printed as %s and not %s", v, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	err := Table{Title: "Calls", Texts: 1, Head: []string{"", "calls/s"}, Rows: [][]string{{"a × 3", "1,200"}, {"b"}}}.Write(&b)
	want := "\nCalls\n\n" +
		"|       | calls/s |\n" +
		"| ----- | ------: |\n" +
		"| a × 3 |   1,200 |\n" +
		"| b     |         |\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s\nis not\n%s", err, b.String(), want)
	}
}

func TestBars(t *testing.T) {
	bars := []Bar{
		{What: "fast", Value: 10, Limit: 10, Least: true, Unit: "times"},
		{What: "slow", Value: 9.99, Limit: 10, Least: true, Unit: "times"},
		{What: "small", Value: 255.9, Limit: 256, Unit: "MiB"},
		{What: "large", Value: 256, Limit: 256, Unit: "MiB"},
		{What: "absent", Value: math.NaN(), Limit: math.NaN(), Note: "no peer"},
	}
	var b strings.Builder
	if err := WriteBars(&b, bars); err != nil {
		t.Fatal(err)
	}
	want := "pass          fast: 10 ≥ 10 times\n" +
		"MISS          slow: 9.99 ≥ 10 times\n" +
		"pass          small: 256 < 256 MiB\n" +
		"MISS          large: 256 < 256 MiB\n" +
		"not measured  absent: no peer\n"
	if b.String() != want {
		t.Errorf("printed\n%s\nand not\n%s", b.String(), want)
	}
	text, err := json.Marshal(bars)
	if err != nil || !strings.Contains(string(text), `"value":null,"limit":null`) || !strings.Contains(string(text), `"verdict":"MISS"`) {
		t.Errorf("%v %s", err, text)
	}
}

// points reads the coordinates of each line of a plot.
func points(t *testing.T, svg string) (lines [][][2]float64) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatalf("the plot is not XML: %v\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "polyline" {
			continue
		}
		var line [][2]float64
		for pair := range strings.FieldsSeq(e.Attr[0].Value) {
			x, y, _ := strings.Cut(pair, ",")
			line = append(line, [2]float64{coordinate(t, x), coordinate(t, y)})
		}
		lines = append(lines, line)
	}
}

func coordinate(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		t.Fatalf("%q is not a coordinate", text)
	}
	return v
}

func TestPlot(t *testing.T) {
	draw := func(lines ...Line) [][][2]float64 {
		var b strings.Builder
		if err := WritePlot(&b, "cost < size & more", "effects", "ms", lines); err != nil {
			t.Fatal(err)
		}
		return points(t, b.String())
	}
	sizes := []float64{1e4, 1e5, 1e6}
	lines := draw(Line{"flat", sizes, []float64{2, 2, 2}}, Line{"steep", sizes, []float64{1, 2, 4}})
	flat, steep := lines[0], lines[1]
	if flat[0][1] != flat[2][1] {
		t.Errorf("a constant cost is not level: %v", flat)
	}
	if !(steep[0][1] > steep[1][1] && steep[1][1] > steep[2][1]) {
		t.Errorf("a growing cost does not rise: %v", steep)
	}
	if math.Abs((flat[1][0]-flat[0][0])-(flat[2][0]-flat[1][0])) > 0.2 {
		t.Errorf("the axis of sizes is not logarithmic: %v", flat)
	}
	for _, line := range lines {
		for _, p := range line {
			if p[0] < left-0.1 || p[0] > plotWidth-right+0.1 || p[1] < top || p[1] > plotHeight-bottom {
				t.Errorf("%v is outside of the field", p)
			}
		}
	}
	// What has no range is drawn, too.
	draw()
	draw(Line{"one", []float64{1000}, []float64{1}})
	draw(Line{"free", []float64{1000, 10000}, []float64{0, 0}})
}
