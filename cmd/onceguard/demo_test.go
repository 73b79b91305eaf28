package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/policy"
)

// demoProcess is a demo that serves inside the test.
type demoProcess struct {
	report demoReport
	stop   context.CancelFunc
	code   chan int
	stderr bytes.Buffer // to be read when code has come
}

func startDemo(t *testing.T) *demoProcess {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := &demoProcess{stop: cancel, code: make(chan int, 1)}
	t.Cleanup(cancel)
	read, write := io.Pipe()
	go func() {
		code := run(ctx, []string{"demo", "--json", "--addr", "127.0.0.1:0"}, strings.NewReader(""), write, &d.stderr, nil)
		write.Close()
		d.code <- code
	}()
	if err := json.NewDecoder(read).Decode(&d.report); err != nil {
		t.Fatalf("the report cannot be read: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	return d
}

// shell runs one of the commands that the demo offers, as a newcomer would.
func (d *demoProcess) shell(t *testing.T, command string) map[string]any {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s answered %s", command, out)
	}
	return answer
}

func TestDemoServesUntilItIsStopped(t *testing.T) {
	d := startDemo(t)
	if !d.report.OK || len(d.report.Steps) != 6 || len(d.report.Try) != 2 {
		t.Fatalf("the story went otherwise: %+v", d.report)
	}
	for _, want := range []string{"forwarded", "replayed"} {
		if got := d.shell(t, d.report.Try[0])["decision"]; got != want {
			t.Errorf("the first command was %v, want %s", got, want)
		}
	}
	reviews, _ := d.shell(t, d.report.Try[1])["reviews"].([]any)
	if !slices.ContainsFunc(reviews, func(r any) bool { return strings.Contains(fmt.Sprint(r), lossy+"7") }) {
		t.Errorf("the lost refund does not wait for a person: %v", reviews)
	}
	resp, err := http.Get(d.report.Tools)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var counts map[string]int
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil || counts["refund of B-1"] != 1 {
		t.Errorf("the tools count %v (%v), want one refund of B-1", counts, err)
	}
	d.stop()
	if code := <-d.code; code != exitOK {
		t.Errorf("the exit code was %d: %s", code, d.stderr.String())
	}
	if _, err := os.Stat(d.report.Policies); !os.IsNotExist(err) {
		t.Errorf("the demo left %s behind: %v", d.report.Policies, err)
	}
}

// The story asserts itself: when the world is another than it tells, it says so.
func TestStoryNoticesWhenItGoesOtherwise(t *testing.T) {
	d := startDemo(t)
	told := 0
	s := story{tools: &sampleTools{count: map[string]int{"refund of A-1001": 5}}, told: func(*step) { told++ }}
	broken := demo{tools: s.tools}
	broken.own = &ownGuard{url: d.report.URL}
	s.agent, s.reviewer = broken.story(nil).agent, broken.story(nil).reviewer // without keys
	if s.tell(t.Context()) {
		t.Error("a story whose calls get no decision went as told")
	}
	if told != 1 || len(s.steps) != 1 || len(s.steps[0].Faults) != 3 {
		t.Errorf("%d steps were told, the first with faults %q; want one step with three faults", told, s.steps[0].Faults)
	}
}

// The embedded policies are examples, so they must be good ones.
func TestDemoPoliciesAreComplete(t *testing.T) {
	t.Setenv(demoToolsVariable, "127.0.0.1:1")
	set, err := policy.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"payments.refund", "mail.send", "mail.search"} {
		if r := set.Match(tool); r.Unknown || r.Upstream == nil {
			t.Errorf("%s has no rule with an upstream", tool)
		}
	}
}

func TestPageUsesColourOnlyOnTerminals(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newPage(&out)
	p.step(&step{Title: "T", Why: "W", Counted: "refund of A", Executions: 2, Faults: []string{"f"}})
	if text := out.String(); strings.Contains(text, "\x1b") || !strings.Contains(text, "refund of A: carried out 2 times") || !strings.Contains(text, "NOT AS TOLD: f") {
		t.Errorf("the page was %q", text)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	text := strings.TrimSpace(strings.Repeat("words of é and more ", 20))
	got := wrap(text, "  ")
	for line := range strings.SplitSeq(got, "\n") {
		if n := len([]rune(line)); n > 100 || !strings.HasPrefix(line, "  ") {
			t.Errorf("the line %q has %d columns", line, n)
		}
	}
	if strings.Join(strings.Fields(got), " ") != text {
		t.Error("words were lost")
	}
}
