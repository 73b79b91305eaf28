package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// smallRecording is what one clumsy agent and a careful one did.
const smallRecording = `{"run":"r1","tool":"find_order","arguments":"{\"q\":\"ann\"}","result":"A-1","write":false}
{"run":"r1","tool":"refund","arguments":"{\"order_id\":\"A-1\",\"amount\":25,\"reason\":\"broken\"}","result":"paid","write":true}
{"run":"r1","tool":"refund","arguments":"{\"amount\":25.0,\"reason\":\"broken\",\"order_id\":\"A-1\"}","result":"paid","write":true}
{"run":"r1","tool":"refund","arguments":"{\"order_id\":\"A-1\",\"amount\":30,\"reason\":\"broken\"}","result":"paid","write":true}
{"run":"r1","tool":"find_order","arguments":"{\"q\":\"ann\"}","result":"A-1","write":false}
{"run":"r2","tool":"refund","arguments":"{\"order_id\":\"A-1\",\"amount\":25,\"reason\":\"broken\"}","result":"no such order","error":true,"write":true}
{"run":"r2","tool":"refund","arguments":"{\"order_id\":\"A-1\",\"amount\":25,\"reason\":\"broken\"}","result":"paid","write":true}
{"run":"r2","tool":"send_mail","arguments":{"to":"ann@example.com"},"result":"sent","write":true}
{"run":"r2","tool":"send_mail","arguments":{"to":"ann@example.com"},"result":"sent","write":true}
`

func smallFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "calls.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func smallPolicy(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func rehearse(t *testing.T, o replayOptions, file string) *replayReport {
	t.Helper()
	o.seed, o.callers, o.retries = 7, 4, 2
	r, err := o.replay(t.Context(), file, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplayWithoutLosses(t *testing.T) {
	t.Parallel()
	r := rehearse(t, replayOptions{}, smallFile(t, smallRecording))
	g := r.Guarded
	if !r.OK || g.Doubles != 0 || g.Effects != 4 || g.Executions != 4 {
		t.Errorf("with the guard: ok %v, %+v", r.OK, g.executions)
	}
	if g.Decisions["forwarded"] != 7 || g.Decisions["replayed"] != 2 || len(g.Blocked) != 0 {
		t.Errorf("the decisions were %v, blocked %v", g.Decisions, g.Blocked)
	}
	if g.FalseReplays != 0 || g.FailuresBlocked != 0 || g.Unmet != 0 {
		t.Errorf("the guard cost %d false replays, %d blocked failures, %d unmet", g.FalseReplays, g.FailuresBlocked, g.Unmet)
	}
	if r.Bare.Doubles != 2 || r.Bare.Repeated != 2 {
		t.Errorf("without the guard: %+v", r.Bare.executions)
	}
}

func TestReplayWithLosses(t *testing.T) {
	t.Parallel()
	for _, lose := range []float64{0.6, 1} {
		r := rehearse(t, replayOptions{lose: lose}, smallFile(t, smallRecording))
		if !r.OK || r.Guarded.Doubles != 0 || r.Guarded.LostReplies == 0 || r.Guarded.Blocked["unknown"] == 0 {
			t.Errorf("lose %g with the guard: %+v, blocked %v", lose, r.Guarded.executions, r.Guarded.Blocked)
		}
		if r.Bare.Retried == 0 {
			t.Errorf("lose %g without the guard: no retry doubled anything: %+v", lose, r.Bare.executions)
		}
	}
}

// A check that cannot fail proves nothing: with each of these policies the guard lets double effects or false replays through.
func TestReplayNoticesBadPolicies(t *testing.T) {
	t.Parallel()
	file := smallFile(t, smallRecording)
	honest := "upstream: {http: {url: \"https://pay.example.com\", idempotency_header: K}}, idempotent: true, on: {unknown: retry}"
	for _, c := range []struct {
		name, tools string
		options     replayOptions
		sees        func(*replayReport) error
	}{
		{"a write that is called a read", "- {name: refund, kind: read}\n- {name: find_order, kind: read}", replayOptions{}, doubles(1)},
		{"repeats are allowed", "- {name: \"*\", on: {done: allow}}", replayOptions{}, doubles(2)},
		{"retries of an upstream that honours no key", "- {name: \"*\", " + honest + "}", replayOptions{lose: 1, forget: true}, doubles(6)},
		{"retries of an upstream that honours keys", "- {name: \"*\", " + honest + "}", replayOptions{lose: 1}, func(r *replayReport) error {
			if !r.OK || r.Guarded.Doubles != 0 || r.Guarded.KeysSeen == 0 {
				return fmt.Errorf("ok %v, %+v", r.OK, r.Guarded.executions)
			}
			return nil
		}},
		{"the amount does not matter", "- {name: refund, arguments: {amount: {role: commentary}}}", replayOptions{}, func(r *replayReport) error {
			if r.Guarded.FalseReplays != 1 || len(r.Guarded.Examples) != 1 || r.Guarded.Examples[0].Line != 4 || r.Guarded.Unmet != 1 {
				return fmt.Errorf("%d false replays: %+v, %d unmet", r.Guarded.FalseReplays, r.Guarded.Examples, r.Guarded.Unmet)
			}
			return nil
		}},
		{"no second try after a failure", "- {name: refund, on: {failed: block}}", replayOptions{}, func(r *replayReport) error {
			if r.Guarded.FailuresBlocked != 1 {
				return fmt.Errorf("%d blocked failures, want 1", r.Guarded.FailuresBlocked)
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.options.policies = smallPolicy(t, "tools:\n"+c.tools+"\n")
			if err := c.sees(rehearse(t, c.options, file)); err != nil {
				t.Error(err)
			}
		})
	}
}

func doubles(want int) func(*replayReport) error {
	return func(r *replayReport) error {
		if r.OK || r.Guarded.Doubles != want {
			return fmt.Errorf("ok %v and %d double effects, want %d: %+v", r.OK, r.Guarded.Doubles, want, r.Guarded.executions)
		}
		return nil
	}
}

func TestReplayOfLabelledRepeats(t *testing.T) {
	t.Parallel()
	pairs := smallFile(t, `{"set":"x","label":"intended_repeat","tool":"send_mail","a":"{\"to\":\"ann@example.com\"}","b":"{\"to\":\"ann@example.com\"}"}
{"set":"x","label":"same","tool":"refund","a":"{\"order_id\":\"A-1\",\"amount\":25,\"reason\":\"broken\"}","b":"{\"order_id\":\"A-1\",\"amount\":30,\"reason\":\"broken\"}"}
{"set":"y","label":"different","tool":"send_mail","a_text":"x","b_text":"y"}
`)
	policies := smallPolicy(t, "tools:\n- {name: refund, arguments: {amount: {role: commentary}}}\n")
	r := rehearse(t, replayOptions{pairs: pairs, policies: policies}, smallFile(t, smallRecording))
	if g := r.Guarded; g.Meant != 1 || g.MeantWithheld != 1 || g.Joined != 1 || g.FalseReplays != 0 {
		t.Errorf("%d meant, %d of them withheld, %d joined, %d false replays", g.Meant, g.MeantWithheld, g.Joined, g.FalseReplays)
	}
	if r.Bare.Doubles != 1 {
		t.Errorf("%d doubles without the guard, want 1: the repeat that was meant is none", r.Bare.Doubles)
	}
}

// With --url the agents run the tools themselves and report.
func TestReplayAgainstARunningGuard(t *testing.T) {
	t.Parallel()
	text := "tools:\n- {name: refund, arguments: {order_id: {role: identity, kind: id}}}\n- {name: find_order, kind: read}\n"
	rules, err := policy.Parse("a.yaml", []byte("version: 1\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	own, err := startOwnGuard("127.0.0.1:0", t.TempDir(), newOwnKey(), policy.Fixed(rules), true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.close(); err != nil {
			t.Error(err)
		}
	}()
	file := smallFile(t, smallRecording)
	for _, lose := range []float64{0, 0.5, 1} {
		r := rehearse(t, replayOptions{url: own.url, lose: lose, policies: smallPolicy(t, text)}, file)
		if g := r.Guarded; !r.OK || g.Doubles != 0 || g.Decisions["proceed"] == 0 || g.Decisions["forwarded"] != 0 {
			t.Errorf("lose %g: ok %v, decisions %v, %+v, %s", lose, r.OK, g.Decisions, g.executions, g.Fault)
		}
	}
	_, err = replayOptions{url: own.url, callers: 1, policies: smallPolicy(t, "tools:\n- {name: refund}\n")}.replay(t.Context(), file, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "refund") {
		t.Errorf("other policies than the running guard's: %v", err)
	}
}

func TestReplayNamesBadInput(t *testing.T) {
	t.Parallel()
	good, _, _ := strings.Cut(smallRecording, "\n")
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":      {good + "\n{oops\n", "calls.jsonl:2: this is not a recorded call"},
		"no tool":      {`{"run":"r","arguments":"{}"}`, `calls.jsonl:1: the call has no "tool"`},
		"no run":       {`{"tool":"t","arguments":"{}"}`, `calls.jsonl:1: the call has no "run"`},
		"no arguments": {good + "\n\n" + `{"tool":"t","run":"r"}`, `calls.jsonl:3: the call has no "arguments"`},
		"nothing":      {"\n", "holds no call"},
		"long line":    {good + "\n" + strings.Repeat("x", maxRecordedLine+1), "calls.jsonl:2: the line is longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := replayOptions{callers: 1}.replay(t.Context(), smallFile(t, c.text), io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error was %v, want %q in it", err, c.want)
			}
		})
	}
}

// Arguments that no guard can read are refused and change nothing; that is an answer and no fault.
func TestReplayOfUnreadableArguments(t *testing.T) {
	t.Parallel()
	r := rehearse(t, replayOptions{}, smallFile(t, `{"run":"r","tool":"pay","arguments":"{\"a\":1,\"a\":2}","result":"ok","write":true}`+"\n"))
	if !r.OK || r.Guarded.Undecided["invalid"] != 1 || r.Guarded.Requests != 0 {
		t.Errorf("ok %v, undecided %v, %+v", r.OK, r.Guarded.Undecided, r.Guarded.executions)
	}
}

// The real recordings: no double effect with the guard, whatever is lost.
func TestReplayOfRealCalls(t *testing.T) {
	data := os.Getenv("ONCEGUARD_DATA")
	if data == "" {
		t.Skip("ONCEGUARD_DATA names no folder with recorded calls")
	}
	if testing.Short() {
		t.Skip("-short")
	}
	file := filepath.Join(data, "calls.jsonl")
	for _, lose := range []float64{0.1, 1} {
		r := rehearse(t, replayOptions{lose: lose, pairs: filepath.Join(data, "pairs.jsonl"), limit: 2000}, file)
		t.Logf("lose %g: with guard %+v; without %+v", lose, r.Guarded.executions, r.Bare.executions)
		if !r.OK || r.Guarded.Doubles != 0 || r.Guarded.FalseReplays != 0 || r.Guarded.FailuresBlocked != 0 {
			t.Errorf("lose %g: ok %v, %d double effects, %d false replays, %d failures blocked", lose, r.OK, r.Guarded.Doubles, r.Guarded.FalseReplays, r.Guarded.FailuresBlocked)
		}
		if r.Bare.Doubles == 0 {
			t.Errorf("lose %g: no double effect without the guard, so nothing was tested", lose)
		}
	}
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done int
		took time.Duration
		want string
	}{
		{0, 0, "x  0 of 12,000 calls (0 %)"},
		{3000, 2 * time.Second, "x  3,000 of 12,000 calls (25 %)  1500/s  6s left"},
	} {
		if got := progressLine("x", "calls", c.done, 12_000, c.took); got != c.want {
			t.Errorf("the line was %q, want %q", got, c.want)
		}
	}
}
