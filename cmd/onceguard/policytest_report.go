package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
)

// testReport is what the cases came to.
type testReport struct {
	OK     bool          `json:"ok"`
	Passed int           `json:"passed"`
	Failed int           `json:"failed"`
	Cases  []testResult  `json:"cases"`
	Parts  int           `json:"coverage_parts"`
	Missed []coveredPart `json:"coverage_missed"`

	coverage *coverage
	missed   int
}

// testResult is one case.
type testResult struct {
	Kind    string  `json:"kind"` // case, pair or sequence
	Name    string  `json:"name"`
	File    string  `json:"file"`
	Line    int     `json:"line"`
	OK      bool    `json:"ok"`
	Failure string  `json:"failure,omitzero"`
	Seconds float64 `json:"seconds"`
}

// close counts. Where coverage is asked for, what is missed is a failure.
func (r *testReport) close(strict bool) {
	for _, c := range r.Cases {
		if c.OK {
			r.Passed++
		} else {
			r.Failed++
		}
	}
	r.Parts = r.coverage.count()
	r.Missed, r.missed = r.coverage.missed()
	r.OK = r.Failed == 0 && !(strict && len(r.Missed) > 0)
}

func (r *testReport) print(w io.Writer, coverage bool) error {
	var b strings.Builder
	for _, c := range r.Cases {
		if !c.OK {
			fmt.Fprintf(&b, "%s:%d: FAILED %s %q\n    %s\n", c.File, c.Line, c.Kind, c.Name, strings.ReplaceAll(c.Failure, "\n", "\n    "))
		}
	}
	if coverage {
		fmt.Fprintf(&b, "%d of %s of the policies met a case\n", r.Parts-r.missed, plural(r.Parts, "part"))
		for _, m := range r.Missed {
			fmt.Fprintf(&b, "  not met: %s (%s)\n", show(m.What), m.At)
		}
	}
	verdict := "ok"
	if !r.OK {
		verdict = "FAILED"
	}
	fmt.Fprintf(&b, "%s: %d passed, %d failed\n", verdict, r.Passed, r.Failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// junitSuite is the form that build servers read: https://github.com/testmoapp/junitxml.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (r *testReport) writeJUnit(path string) error {
	suite := junitSuite{Name: "onceguard", Tests: len(r.Cases), Failures: r.Failed}
	for _, c := range r.Cases {
		j := junitCase{Name: c.Name, Class: c.Kind, File: c.File, Line: c.Line, Time: fmt.Sprintf("%.3f", c.Seconds)}
		if !c.OK {
			first, _, _ := strings.Cut(c.Failure, "\n")
			j.Failure = &junitFailure{Message: first, Text: c.Failure}
		}
		suite.Cases = append(suite.Cases, j)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o600); err != nil {
		return fmt.Errorf("the results cannot be written: %w", err)
	}
	return nil
}
