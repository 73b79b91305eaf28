package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxRecordedLine bounds one line of a recording, in bytes, and with it what reading one needs.
const maxRecordedLine = 8 << 20

// recordedCall is one line of a recording: a call that an agent made and what the tool answered.
type recordedCall struct {
	Run       string          `json:"run"` // calls of one run follow each other as they stand in the file
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments"` // a string with the JSON text that the model wrote, or an object
	Result    string          `json:"result"`
	Error     bool            `json:"error"` // the tool refused the call and changed nothing
	Write     bool            `json:"write"` // the tool changes the world

	line int    // in the file, from 1
	text string // the argument text
}

// recording is a file of recorded calls. It is read from the start for each pass, so that it never has to fit into memory.
type recording struct {
	path  string
	limit int // most calls that are played; 0 for all
}

// each calls do for every recorded call, in order.
func (r recording) each(do func(recordedCall) error) error {
	f, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: a recording is read more than once", r.path)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxRecordedLine)
	line, calls := 0, 0
	for lines.Scan() {
		line++
		if len(lines.Bytes()) == 0 {
			continue
		}
		c, err := readRecordedCall(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%s:%d: %w", r.path, line, err)
		}
		if r.limit > 0 && calls == r.limit {
			return nil
		}
		calls++
		c.line = line
		if err := do(c); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s:%d: the line is longer than %d bytes", r.path, line+1, maxRecordedLine)
	case err != nil:
		return fmt.Errorf("%s:%d: %w", r.path, line+1, err)
	}
	return nil
}

func readRecordedCall(line []byte) (recordedCall, error) {
	var c recordedCall
	if err := json.Unmarshal(line, &c); err != nil {
		return c, fmt.Errorf("this is not a recorded call: %w", err)
	}
	switch {
	case c.Tool == "":
		return c, errors.New(`the call has no "tool"`)
	case c.Run == "":
		return c, errors.New(`the call has no "run": it tells which calls belong to one piece of work`)
	case len(c.Arguments) == 0:
		return c, errors.New(`the call has no "arguments"; a tool without arguments gets "{}"`)
	}
	c.text = string(c.Arguments)
	if c.Arguments[0] == '"' {
		if err := json.Unmarshal(c.Arguments, &c.text); err != nil {
			return c, fmt.Errorf("the arguments cannot be read: %w", err)
		}
	}
	c.Arguments = nil
	return c, nil
}

// survey is what has to be known of a recording before it is played.
type survey struct {
	calls  int
	writes int
	runs   map[string]int  // how many calls each has
	tools  map[string]bool // whether any call of it is a write
}

func (r recording) survey() (survey, error) {
	s := survey{runs: map[string]int{}, tools: map[string]bool{}}
	err := r.each(func(c recordedCall) error {
		s.calls++
		s.runs[c.Run]++
		s.tools[c.Tool] = s.tools[c.Tool] || c.Write
		if c.Write {
			s.writes++
		}
		return nil
	})
	if err == nil && s.calls == 0 {
		err = fmt.Errorf("%s holds no call", r.path)
	}
	return s, err
}

// toolNames are the tools of the recording in a fixed order.
func (s survey) toolNames() []string {
	names := make([]string, 0, len(s.tools))
	for name := range s.tools {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// labels is what people say of pairs of calls of one tool, by tool and the two argument texts.
type labels struct {
	meant map[[3]string]bool // the second is wanted although the first succeeded
	same  map[[3]string]bool // both are after the same effect, however they are written
}

// readLabels reads labelled pairs: JSON lines with tool, a, b (argument texts) and label. Labels other than
// intended_repeat and same, and pairs of parts of calls, are left out.
func readLabels(path string) (*labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &labels{meant: map[[3]string]bool{}, same: map[[3]string]bool{}}
	d := json.NewDecoder(f)
	for n := 1; ; n++ {
		var pair struct{ Label, Tool, A, B string }
		switch err := d.Decode(&pair); {
		case errors.Is(err, io.EOF):
			return l, nil
		case err != nil:
			return nil, fmt.Errorf("%s: pair %d cannot be read: %w", path, n, err)
		}
		key := [3]string{pair.Tool, pair.A, pair.B}
		switch {
		case pair.A == "":
		case pair.Label == "intended_repeat":
			l.meant[key] = true
		case pair.Label == "same":
			l.same[key] = true
		}
	}
}
