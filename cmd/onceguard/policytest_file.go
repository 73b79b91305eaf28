package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/onceguard/onceguard/guard"
)

// testFile is one *_test.yaml.
type testFile struct {
	Version   int            `yaml:"version"`
	Now       time.Time      `yaml:"now"`
	Principal testPrincipal  `yaml:"principal"`
	Cases     []testCase     `yaml:"cases"`
	Pairs     []testPair     `yaml:"pairs"`
	Sequences []testSequence `yaml:"sequences"`

	name string
}

type testPrincipal struct {
	Tenant  string `yaml:"tenant"`
	Subject string `yaml:"subject"`
	Agent   string `yaml:"agent"`
}

type testCase struct {
	Name   string     `yaml:"name"`
	Now    time.Time  `yaml:"now"`
	Call   testCall   `yaml:"call"`
	Expect testExpect `yaml:"expect"`
	line   int
}

type testPair struct {
	Name   string        `yaml:"name"`
	Tool   string        `yaml:"tool"`
	BTool  string        `yaml:"b_tool"`
	Run    string        `yaml:"run"`
	BRun   string        `yaml:"b_run"`
	A      jsonArguments `yaml:"a"`
	B      jsonArguments `yaml:"b"`
	Expect string        `yaml:"expect"`
	line   int
}

type testSequence struct {
	Name  string     `yaml:"name"`
	Now   time.Time  `yaml:"now"`
	Steps []testStep `yaml:"steps"`
	line  int
}

type testStep struct {
	After   testDuration `yaml:"after"`
	Call    *testCall    `yaml:"call"`
	Confirm string       `yaml:"confirm"`
	Outcome testOutcome  `yaml:"outcome"`
	Review  guard.Choice `yaml:"review"`
	By      string       `yaml:"by"`
	Of      int          `yaml:"of"`
	Expect  testExpect   `yaml:"expect"`
	line    int
}

type testCall struct {
	Tool           string            `yaml:"tool"`
	Arguments      jsonArguments     `yaml:"arguments"`
	Run            string            `yaml:"run"`
	Agent          string            `yaml:"agent"`
	Subject        string            `yaml:"subject"`
	Tenant         string            `yaml:"tenant"`
	Labels         map[string]string `yaml:"labels"`
	IdempotencyKey string            `yaml:"idempotency_key"`
	Occurrence     int               `yaml:"occurrence"`
	line           int
}

// testExpect is what a step has to come to. What is empty may be anything.
type testExpect struct {
	Decision guard.AnswerKind `yaml:"decision"`
	Code     guard.Code       `yaml:"code"`
	State    guard.State      `yaml:"state"`
}

// testOutcome is what the tool answers: a word, or an HTTP answer.
type testOutcome struct {
	word   string
	status int
	body   json.RawMessage
}

// jsonArguments are arguments as the JSON text that a model would have written.
type jsonArguments json.RawMessage

// testDuration is a Go duration, also in days.
type testDuration time.Duration

// The places in the file are kept for the report.
func (c *testCase) UnmarshalYAML(n ast.Node) error {
	type plain testCase
	c.line = lineOf(n)
	return yaml.NodeToValue(n, (*plain)(c), yaml.Strict())
}

func (p *testPair) UnmarshalYAML(n ast.Node) error {
	type plain testPair
	p.line = lineOf(n)
	return yaml.NodeToValue(n, (*plain)(p), yaml.Strict())
}

func (s *testSequence) UnmarshalYAML(n ast.Node) error {
	type plain testSequence
	s.line = lineOf(n)
	return yaml.NodeToValue(n, (*plain)(s), yaml.Strict())
}

func (s *testStep) UnmarshalYAML(n ast.Node) error {
	type plain testStep
	s.line = lineOf(n)
	return yaml.NodeToValue(n, (*plain)(s), yaml.Strict())
}

func (c *testCall) UnmarshalYAML(n ast.Node) error {
	type plain testCall
	c.line = lineOf(n)
	return yaml.NodeToValue(n, (*plain)(c), yaml.Strict())
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key // the token of a block mapping is its first colon
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func (a *jsonArguments) UnmarshalYAML(n ast.Node) error {
	if text, ok := n.(*ast.StringNode); ok {
		*a = jsonArguments(text.Value)
		return nil
	}
	text, err := nodeJSON(n)
	*a = text
	return err
}

// nodeJSON writes a YAML value as JSON, numbers as they stand there: 20 and 20.00 are two spellings.
func nodeJSON(n ast.Node) ([]byte, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return objectJSON(n.Values)
	case *ast.MappingValueNode:
		return objectJSON([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		parts := make([][]byte, len(n.Values))
		for i, v := range n.Values {
			var err error
			if parts[i], err = nodeJSON(v); err != nil {
				return nil, err
			}
		}
		return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]")), nil
	case *ast.NullNode:
		return []byte("null"), nil
	case *ast.BoolNode:
		return json.Marshal(n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		if text := []byte(n.GetToken().Value); json.Valid(text) {
			return text, nil
		}
	}
	text, ok := scalar(n)
	if !ok {
		return nil, &yaml.UnexpectedNodeTypeError{Actual: n.Type(), Expected: ast.StringType, Token: n.GetToken()}
	}
	return json.Marshal(text)
}

func objectJSON(values []*ast.MappingValueNode) ([]byte, error) {
	parts := make([][]byte, len(values))
	for i, v := range values {
		value, err := nodeJSON(v.Value)
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(v.Key.GetToken().Value)
		if err != nil {
			return nil, err
		}
		parts[i] = slices.Concat(name, []byte(":"), value)
	}
	return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}")), nil
}

func (o *testOutcome) UnmarshalYAML(n ast.Node) error {
	if text, ok := scalar(n); ok {
		o.word = text
		return nil
	}
	var answer struct {
		Status int           `yaml:"status"`
		Body   jsonArguments `yaml:"body"`
	}
	err := yaml.NodeToValue(n, &answer, yaml.Strict())
	o.status, o.body = answer.Status, json.RawMessage(answer.Body)
	return err
}

func (d *testDuration) UnmarshalYAML(n ast.Node) error {
	text, _ := scalar(n)
	days, rest, long := strings.Cut(text, "d")
	if !long {
		days, rest = "0", text
	}
	var whole int
	if _, err := fmt.Sscan(days, &whole); err != nil {
		whole = -1
	}
	short, err := time.ParseDuration(rest + "0s")
	if strings.ContainsAny(rest, "smhn") {
		short, err = time.ParseDuration(rest)
	}
	*d = testDuration(time.Duration(whole)*24*time.Hour + short)
	if err != nil || *d <= 0 || whole > 10_000 {
		return &yaml.SyntaxError{Message: fmt.Sprintf("after cannot be %q: write a duration such as \"90s\", \"25h\" or \"3d\"", text), Token: n.GetToken()}
	}
	return nil
}

// testRelations are what the second call of a pair may be to the first.
var testRelations = []string{"same", "near", "same_identity", "other_scope", "different"}

var testOutcomes = []string{"done", "failed", "partial", "unknown", "lapse", "none"}

var testChoices = []string{"approve", "reject", "happened", "did_not_happen", "send_again"}

// parseTestFile reads one file strictly. The error names its place.
func parseTestFile(name string, text []byte) (f *testFile, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, fmt.Errorf("%s: the YAML parser gave up on this text", name)
		}
	}()
	f = &testFile{name: name}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(f); err != nil {
		return nil, testFileError(name, err)
	}
	if f.Now.IsZero() {
		f.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("%s:1: begin the file with \"version: 1\"", name)
	}
	return f, errors.Join(f.problems()...)
}

var unknownField = regexp.MustCompile(`^unknown field "(.*)"$`)

// testFileError adds the nearest key to a complaint about an unknown one.
func testFileError(name string, err error) error {
	located, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := name
	if t := located.GetToken(); t != nil && t.Position != nil {
		at = fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)
	}
	message := located.GetMessage()
	if m := unknownField.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("unknown key %q%s", m[1], didYouMean(m[1], testKeys()))
	}
	return fmt.Errorf("%s: %s", at, message)
}

// testKeys are all keys of the form.
func testKeys() []string {
	var names []string
	for _, form := range []any{testFile{}, testPrincipal{}, testCase{}, testPair{}, testSequence{}, testStep{}, testCall{}, testExpect{}} {
		for field := range reflect.TypeOf(form).Fields() {
			if key := field.Tag.Get("yaml"); key != "" && !slices.Contains(names, key) {
				names = append(names, key)
			}
		}
	}
	slices.Sort(names)
	return names
}

// problems finds what the form allows and nobody can run.
func (f *testFile) problems() []error {
	var list []error
	add := func(line int, format string, args ...any) {
		list = append(list, fmt.Errorf("%s:%d: %s", f.name, line, fmt.Sprintf(format, args...)))
	}
	known := func(line int, what, word string, words []string) {
		if !slices.Contains(words, word) {
			add(line, "%s cannot be %q%s", what, word, didYouMean(word, words))
		}
	}
	if len(f.Cases)+len(f.Pairs)+len(f.Sequences) == 0 {
		add(1, "the file holds no case: write cases, pairs or sequences")
	}
	for _, c := range f.Cases {
		if c.Name == "" || c.Call.Tool == "" || c.Expect == (testExpect{}) {
			add(c.line, "a case needs a name, a call with a tool, and what to expect")
		}
	}
	for _, p := range f.Pairs {
		if p.Name == "" || p.Tool == "" || p.A == nil || p.B == nil {
			add(p.line, "a pair needs a name, a tool, and the arguments a and b")
		}
		known(p.line, "expect", p.Expect, testRelations)
	}
	for _, s := range f.Sequences {
		if s.Name == "" || len(s.Steps) == 0 {
			add(s.line, "a sequence needs a name and steps")
		}
		for i, step := range s.Steps {
			switch {
			case step.Call == nil && step.Review == "":
				add(step.line, "a step is a call or a review")
			case step.Call != nil && step.Review != "":
				add(step.line, "a step is either a call or a review")
			case step.Call != nil && step.Call.Tool == "":
				add(step.line, "the call names no tool")
			case step.Of < 0 || step.Of > i:
				add(step.line, "of names a step before this one, from 1 to %d", i)
			}
			if step.Review != "" {
				known(step.line, "review", string(step.Review), testChoices)
			}
			if step.Outcome.word != "" {
				known(step.line, "outcome", step.Outcome.word, testOutcomes)
			}
		}
	}
	return list
}
