package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// seenTool is what recorded calls show of one tool.
type seenTool struct {
	calls, marked, writes int
	names                 []string // of arguments, in the order in which they were first seen
	arguments             map[string]*seenArgument
}

// seenArgument is what they show of one argument.
type seenArgument struct {
	calls int
	types map[fingerprint.Type]int
}

// fewCalls is up to how many calls say little about what the others look like.
const fewCalls = 5

// calledTools reads recorded calls, one JSON object a line: those that replay reads, and any others with tool and
// arguments.
func calledTools(text []byte) ([]describedTool, error) {
	seen := map[string]*seenTool{}
	var order []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxRecordedLine)
	for line := 1; lines.Scan(); line++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c struct {
			Tool      string          `json:"tool"`
			Arguments json.RawMessage `json:"arguments"`
			Write     *bool           `json:"write"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("line %d is not a recorded call: %w", line, err)
		}
		if c.Tool == "" {
			return nil, fmt.Errorf("line %d is not a recorded call: it names no tool", line)
		}
		t := seen[c.Tool]
		if t == nil {
			t = &seenTool{arguments: map[string]*seenArgument{}}
			seen[c.Tool] = t
			order = append(order, c.Tool)
		}
		t.calls++
		if c.Write != nil {
			t.marked++
			if *c.Write {
				t.writes++
			}
		}
		t.look(c.Arguments)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("a line is longer than %d bytes", maxRecordedLine)
	} else if err != nil {
		return nil, err
	}
	tools := make([]describedTool, len(order))
	for i, name := range order {
		var err error
		if tools[i], err = seen[name].describe(name); err != nil {
			return nil, err
		}
	}
	return tools, nil
}

// look notes the arguments of one call. A model can write anything; what is no object says nothing about arguments.
func (t *seenTool) look(raw json.RawMessage) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	args, err := fingerprint.Decode([]byte(text), fingerprint.Limits{})
	if err != nil {
		return
	}
	for i := range args.Len() {
		name, v := args.Member(i)
		if name == "" {
			continue
		}
		a := t.arguments[name]
		if a == nil {
			a = &seenArgument{types: map[fingerprint.Type]int{}}
			t.arguments[name] = a
			t.names = append(t.names, name)
		}
		a.calls++
		a.types[v.Type()]++
	}
}

// describe makes a schema of what was seen.
func (t *seenTool) describe(name string) (describedTool, error) {
	d := describedTool{Tool: policy.Tool{Name: name, Recorded: true}, seen: map[string]string{}}
	properties := map[string]any{}
	for _, argument := range t.names {
		a := t.arguments[argument]
		types := []string{}
		for typ := fingerprint.Null; typ <= fingerprint.Object; typ++ {
			if a.types[typ] > 0 {
				types = append(types, typ.String())
			}
		}
		properties[argument] = map[string]any{"type": types}
		if a.calls < t.calls {
			d.seen[argument] = fmt.Sprintf("in %d of %d calls", a.calls, t.calls)
		}
	}
	var err error
	d.Schema, err = json.Marshal(map[string]any{"type": "object", "properties": properties})
	switch {
	case t.writes > 0:
		d.kind, d.why = policy.Write, "the recording marks its calls as writes"
	case t.marked == t.calls:
		// A mark is only as good as who made it, and a call that failed may be marked like one that reads.
		if kind, _, _ := policy.InferKind(d.Tool); kind == policy.Read {
			d.kind, d.why = policy.Read, "its name says that it reads, and the recording marks none of its calls as a write"
		} else {
			d.kind, d.why, d.unsure = policy.Write, "the recording marks none of its calls as a write; make it read if it only reads", true
		}
	}
	if t.calls <= fewCalls {
		d.remarks = append(d.remarks, fmt.Sprintf("Only %s of it %s recorded.", plural(t.calls, "call"), map[bool]string{true: "is", false: "are"}[t.calls == 1]))
	}
	return d, err
}
