package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func (o *backtestOptions) recording(ctx context.Context, current, draft *policy.Set, path string, stderr io.Writer) (*backtestReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: a recording is read more than once", path)
	}
	return o.compare(ctx, current, draft, &pastRecording{path: path, file: f}, stderr)
}

// pastRecording are the calls of a recording. A call's ref is the offset of its line.
type pastRecording struct {
	path   string
	file   *os.File
	firsts []rawLine // the first line of each batch, without its text
}

// pastLine is what a backtest reads of a line beside what a replay does.
type pastLine struct {
	At      time.Time         `json:"at"`
	Subject string            `json:"subject"`
	Agent   string            `json:"agent"`
	Labels  map[string]string `json:"labels"`
	Write   *bool             `json:"write"`
}

// pastLines are some lines of a recording.
type pastLines struct {
	path  string
	lines []rawLine
}

type rawLine struct {
	number int
	offset int64
	text   []byte
}

func (r *pastRecording) each(_ context.Context, do func(pastBatch) error) error {
	var end, begin int64
	lines := bufio.NewScanner(r.file)
	lines.Buffer(make([]byte, 64<<10), maxRecordedLine)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		n, token, err := bufio.ScanLines(data, atEOF)
		begin, end = end, end+int64(n)
		return n, token, err
	})
	batch, number, calls := pastLines{path: r.path}, 0, 0
	for lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		calls++
		if len(batch.lines) == 0 {
			r.firsts = append(r.firsts, rawLine{number: number, offset: begin})
		}
		batch.lines = append(batch.lines, rawLine{number, begin, bytes.Clone(lines.Bytes())})
		if len(batch.lines) == batchCalls {
			if err := do(batch); err != nil {
				return err
			}
			batch.lines = nil
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s:%d: the line is longer than %d bytes", r.path, number+1, maxRecordedLine)
	case err != nil:
		return fmt.Errorf("%s:%d: %w", r.path, number+1, err)
	case calls == 0:
		return fmt.Errorf("%s holds no call", r.path)
	}
	return do(batch)
}

func (b pastLines) calls(context.Context) ([]guard.BacktestCall, error) {
	list := make([]guard.BacktestCall, 0, len(b.lines))
	for _, l := range b.lines {
		c, writes, err := readPastCall(l.text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", b.path, l.number, err)
		}
		if writes {
			c.Ref = uint64(l.offset)
			list = append(list, c)
		}
	}
	return list, nil
}

// readPastCall reads a line of a recording, and whether it is of a write or may be.
func readPastCall(text []byte) (c guard.BacktestCall, writes bool, err error) {
	r, err := readRecordedCall(text)
	if err != nil {
		return c, false, err
	}
	var more pastLine
	if err := json.Unmarshal(text, &more); err != nil {
		return c, false, fmt.Errorf("this is not a recorded call: %w", err)
	}
	if more.Subject == "" {
		more.Subject = "someone"
	}
	return guard.BacktestCall{
		Principal: guard.Principal{Tenant: defaultTenant, Subject: more.Subject, Role: guard.RoleAgent}, At: more.At, Failed: r.Error,
		Call: guard.Call{Tool: r.Tool, Arguments: json.RawMessage(r.text), Run: r.Run, Agent: more.Agent, Labels: more.Labels},
	}, more.Write == nil || *more.Write, nil
}

func (r *pastRecording) recall(_ context.Context, ref uint64) (guard.BacktestCall, error) {
	lines := bufio.NewReader(io.NewSectionReader(r.file, int64(ref), maxRecordedLine))
	text, err := lines.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return guard.BacktestCall{}, fmt.Errorf("%s cannot be read again: %w", r.path, err)
	}
	c, _, err := readPastCall(text)
	c.Ref = ref
	return c, err
}

// verdicts gives none: a recording has no reviewers.
func (r *pastRecording) verdicts(context.Context, func(guard.BacktestLabel) error) error { return nil }

// name counts the lines from the beginning of the call's batch. It is asked when all calls were given.
func (r *pastRecording) name(ref uint64) string {
	i, _ := slices.BinarySearchFunc(r.firsts, int64(ref)+1, func(l rawLine, offset int64) int { return cmp.Compare(l.offset, offset) })
	first := r.firsts[i-1]
	between := make([]byte, int64(ref)-first.offset)
	if _, err := r.file.ReadAt(between, first.offset); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Sprintf("byte %d", ref)
	}
	return fmt.Sprintf("line %d", first.number+bytes.Count(between, []byte{'\n'}))
}
