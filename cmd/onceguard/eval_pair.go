package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// labelledPair is one line of a file of labelled pairs: two calls of one tool, or two wordings of one of its text arguments.
type labelledPair struct {
	Set   string  `json:"set"`
	Label string  `json:"label"`
	Tool  string  `json:"tool"`
	A     *string `json:"a,omitzero"` // the argument texts as they were written
	B     *string `json:"b,omitzero"`
	AText *string `json:"a_text,omitzero"` // the wordings
	BText *string `json:"b_text,omitzero"`

	line int // in the file, from 1
}

// ofTexts reports whether the pair is one of wordings.
func (p *labelledPair) ofTexts() bool { return p.AText != nil }

// bytes are what the two sides are, as they were written.
func (p *labelledPair) bytes() (a, b string) {
	if p.ofTexts() {
		return *p.AText, *p.BText
	}
	return *p.A, *p.B
}

// meaning is what a label says of a pair.
type meaning int

const (
	labelUnjudged  meaning = iota // nothing that could be held against a guard
	labelSame                     // both ask for one effect
	labelRevision                 // the second mends the first: a person should see it, and nothing is merged
	labelDifferent                // two effects: never to be merged
	labelRepeated                 // two effects that may be equal in every byte
)

// meaningOf reads a label. Labels that begin with same_task are guesses of a machine about calls that served one purpose, and
// often wrong.
func meaningOf(label string) meaning {
	switch {
	case strings.HasPrefix(label, "same_task"):
		return labelUnjudged
	case label == "same", strings.HasPrefix(label, "same_"):
		return labelSame
	case label == "revision":
		return labelRevision
	case label == "different":
		return labelDifferent
	case label == "intended_repeat":
		return labelRepeated
	}
	return labelUnjudged
}

// eachPair calls do for every pair of a file, in order, and holds one line of it at a time.
func eachPair(path string, do func(labelledPair) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxRecordedLine)
	line := 0
	for lines.Scan() {
		line++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		p, err := readPair(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
		p.line = line
		if err := do(p); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s:%d: the line is longer than %d bytes", path, line+1, maxRecordedLine)
	case err != nil:
		return fmt.Errorf("%s:%d: %w", path, line+1, err)
	}
	return nil
}

func readPair(line []byte) (labelledPair, error) {
	var p labelledPair
	if err := json.Unmarshal(line, &p); err != nil {
		return p, fmt.Errorf("this is not a labelled pair: %w", err)
	}
	calls, texts := p.A != nil && p.B != nil, p.AText != nil && p.BText != nil
	switch {
	case p.Set == "":
		return p, errors.New(`the pair has no "set"`)
	case p.Label == "":
		return p, errors.New(`the pair has no "label"`)
	case p.Tool == "":
		return p, errors.New(`the pair has no "tool"`)
	case calls == texts, calls && (p.AText != nil || p.BText != nil), texts && (p.A != nil || p.B != nil):
		return p, errors.New(`a pair has either "a" and "b", two argument texts, or "a_text" and "b_text", two wordings`)
	}
	return p, nil
}
