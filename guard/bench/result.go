package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard/bench/report"
)

// results is everything that one run measured.
type results struct {
	When      time.Time         `json:"when"`
	Command   string            `json:"command"` // repeats the run
	Machine   string            `json:"machine"`
	Others    *float64          `json:"others"`  // part of the processors that went to processes of others meanwhile; null where unknown
	Durable   map[string]string `json:"durable"` // what is on the disk when the upstream is called, by subject
	Cells     []*cell           `json:"cells"`
	Sizes     []*sizePoint      `json:"sizes"`
	Endurance []endurance       `json:"endurance"`
	Bars      []report.Bar      `json:"bars"`
	Notes     []string          `json:"notes"` // what could not be measured, and why

	order []string // of the subjects
	ahead map[string]bool
}

func newResults(args []string) *results {
	return &results{
		When: time.Now().UTC().Truncate(time.Second), Command: strings.Join(append([]string{"go run ./guard/bench"}, quoted(args)...), " "),
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
		Durable: map[string]string{}, ahead: map[string]bool{},
	}
}

func quoted(args []string) (texts []string) {
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t'\"$*") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		texts = append(texts, a)
	}
	return texts
}

// find returns the cell of a subject under some traffic, nil where there is none or where calls failed.
func (r *results) find(s scenario, callers int, subject string) *cell {
	for _, c := range r.Cells {
		if c.Scenario == s && c.Callers == callers && c.Subject == subject && len(c.Failures) == 0 {
			return c
		}
	}
	return nil
}

// failed reports whether a guard answered or did something wrong.
func (r *results) failed() bool {
	return slices.ContainsFunc(r.Cells, func(c *cell) bool { return c.Kind == guardKind && len(c.Failures) > 0 }) ||
		slices.ContainsFunc(r.Endurance, func(e endurance) bool { return e.Failure != "" })
}

// limitOf is what a scenario is compared with.
func limitOf(s scenario) string {
	if s == newEffects || s == byCaller {
		return bareUpstream
	}
	return bareEcho
}

// mostOthers is how much of the processors others may have before nothing can be said.
const mostOthers = 0.1

// write prints the tables.
func (r *results) write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s, %s\n%s\n", r.When.Format(time.RFC3339), r.Machine, r.Command); err != nil {
		return err
	}
	if r.Others != nil {
		fmt.Fprintf(w, "other processes had %.0f %% of the processors meanwhile", 100**r.Others)
		if *r.Others > mostOthers {
			fmt.Fprint(w, ": measure again when the machine is quiet, these figures are not to be trusted")
		}
		fmt.Fprintln(w)
	}
	tables := []report.Table{r.subjectTable()}
	for _, s := range scenarios {
		if t := r.scenarioTable(s); len(t.Rows) > 0 {
			tables = append(tables, t)
		}
	}
	if len(r.Sizes) > 0 {
		tables = append(tables, r.sizeTable())
	}
	if len(r.Endurance) > 0 {
		tables = append(tables, r.enduranceTable())
	}
	for _, t := range tables {
		if err := t.Write(w); err != nil {
			return err
		}
	}
	fmt.Fprint(w, "\nBars\n\n")
	if err := report.WriteBars(w, r.Bars); err != nil {
		return err
	}
	for _, c := range r.Cells {
		for _, f := range c.Failures {
			fmt.Fprintf(w, "\nFAILED %s, %d callers, %s: %s\n", c.Scenario, c.Callers, c.Subject, f)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\nnot measured: %s\n", n)
	}
	return nil
}

func (r *results) subjectTable() report.Table {
	t := report.Table{Title: "What is on the disk when the upstream is called", Texts: 2, Head: []string{"", "durable"}}
	for _, name := range r.order {
		t.Rows = append(t.Rows, []string{name, r.Durable[name]})
	}
	return t
}

func (r *results) scenarioTable(s scenario) report.Table {
	t := report.Table{Title: strings.ToUpper(string(s[:1])) + string(s[1:]), Texts: 1, Head: []string{"", "callers", "calls/s", "of " + limitOf(s), "sqlite to it",
		"p50 ms", "p99 ms", "CPU µs/call", "store CPU µs", "MiB"}}
	for _, c := range r.Cells {
		if c.Scenario != s || len(c.Runs) == 0 {
			continue
		}
		median := func(figure func(figures) float64) float64 { return report.Median(c.of(figure)) }
		other := func(limit scenario, name string) []float64 { return r.find(limit, c.Callers, name).of(perSecond) }
		bare := other(newEffects, bareUpstream)
		if limitOf(s) == bareEcho {
			bare = other(replays, bareEcho)
		}
		t.Rows = append(t.Rows, []string{
			c.Subject, report.Number(float64(c.Callers)), report.Number(median(perSecond)),
			report.Number(report.MedianRatio(c.of(perSecond), bare)),
			times(report.MedianRatio(other(s, onSQLite), c.of(perSecond))),
			report.Number(median(p50)), report.Number(median(p99)),
			known(median(func(f figures) float64 { return f.ServerCPU })),
			known(median(func(f figures) float64 { return f.StoreCPU })),
			known(math.Round(median(func(f figures) float64 { return float64(f.Resident) / (1 << 20) }))),
		})
	}
	return t
}

func times(ratio float64) string {
	if math.IsNaN(ratio) {
		return report.Number(ratio)
	}
	return report.Number(ratio) + "×"
}

// known prints nothing for a figure that the system does not tell, or that the subject does not have.
func known(v float64) string {
	if v == 0 {
		return ""
	}
	return report.Number(v)
}

func (r *results) sizeTable() report.Table {
	t := report.Table{Title: "Cost against the size of the ledger", Texts: 1, Head: []string{"", "effects", "callers", "claim p50 ms", "replay p50 ms", "CPU µs/claim", "bytes/effect"}}
	for _, p := range r.Sizes {
		t.Rows = append(t.Rows, []string{p.Store, report.Number(float64(p.Effects)), report.Number(float64(p.Callers)),
			report.Number(report.Median(p.Claims)), report.Number(report.Median(p.Replays)), known(report.Median(p.CPU)), report.Number(p.Bytes)})
	}
	return t
}

func (r *results) enduranceTable() report.Table {
	t := report.Table{Title: fmt.Sprintf("Full load, %d callers, half new effects and half replays; second and last quarter", soakCallers), Texts: 1,
		Head: []string{"", "seconds", "calls/s", "most MiB", "goroutines", "descriptors"}}
	for _, e := range r.Endurance {
		t.Rows = append(t.Rows, []string{e.Subject, report.Number(e.Seconds), report.Number(e.PerSecond), mebibytes(e.Peak),
			fmt.Sprintf("%.0f, %.0f", e.Goroutines[0], e.Goroutines[1]), fmt.Sprintf("%.0f, %.0f", e.Descriptors[0], e.Descriptors[1])})
	}
	return t
}

// writePlot draws the claims by the size of the ledger.
func (r *results) writePlot(name string) error {
	var lines []report.Line
	for _, p := range r.Sizes {
		if len(p.Claims) == 0 {
			continue // the run ended before
		}
		title := fmt.Sprintf("%s, %d callers", p.Store, p.Callers)
		i := slices.IndexFunc(lines, func(l report.Line) bool { return l.Name == title })
		if i < 0 {
			i = len(lines)
			lines = append(lines, report.Line{Name: title})
		}
		lines[i].X = append(lines[i].X, float64(p.Effects))
		lines[i].Y = append(lines[i].Y, report.Median(p.Claims))
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = report.WritePlot(f, "A claim on ledgers of several sizes", "effects in the ledger", "claim, p50, ms", lines)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeJSON writes everything, a figure that is not a number as null.
func (r *results) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
