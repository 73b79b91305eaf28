package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Bar is a demand on a figure of this run.
type Bar struct {
	What  string
	Value float64 // what was measured; not a number where nothing was
	Limit float64
	Least bool // the value must be at least the limit, otherwise below it
	Unit  string
	Note  string // why there is no value
}

// MarshalJSON writes null for a value that was not measured.
func (b Bar) MarshalJSON() ([]byte, error) {
	o := struct {
		What    string   `json:"what"`
		Value   *float64 `json:"value"`
		Limit   *float64 `json:"limit"`
		Least   bool     `json:"least"`
		Unit    string   `json:"unit"`
		Note    string   `json:"note,omitzero"`
		Verdict string   `json:"verdict"`
	}{What: b.What, Least: b.Least, Unit: b.Unit, Note: b.Note, Verdict: b.Verdict()}
	if b.Verdict() != NotMeasured {
		o.Value, o.Limit = &b.Value, &b.Limit
	}
	return json.Marshal(o)
}

// Verdict of a Bar.
const (
	Pass        = "pass"
	Miss        = "MISS"
	NotMeasured = "not measured"
)

// Verdict tells whether the bar is met.
func (b Bar) Verdict() string {
	switch {
	case math.IsNaN(b.Value):
		return NotMeasured
	case b.Least && b.Value >= b.Limit, !b.Least && b.Value < b.Limit:
		return Pass
	}
	return Miss
}

// WriteBars prints each bar with its verdict.
func WriteBars(w io.Writer, bars []Bar) error {
	for _, b := range bars {
		sign := "<"
		if b.Least {
			sign = "≥"
		}
		figure := fmt.Sprintf("%s %s %s %s", Number(b.Value), sign, Number(b.Limit), b.Unit)
		if b.Verdict() == NotMeasured {
			figure = b.Note
		}
		if _, err := fmt.Fprintf(w, "%-12s  %s: %s\n", b.Verdict(), b.What, figure); err != nil {
			return err
		}
	}
	return nil
}
