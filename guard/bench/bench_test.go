package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard/bench/peer"
	"github.com/onceguard/onceguard/guard/bench/report"
)

// TestMain lets the test program be the helpers of a run, as the bench itself is.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		fmt.Fprintln(os.Stderr, playRole(role))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestSmoke is a whole run with the real guard on its embedded ledger, as short as it can be.
func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	var out, progress bytes.Buffer
	args := []string{"--cache", dir, "--stores", "", "--peers=false", "--callers", "2", "--reps", "1", "--time", "60ms", "--sizes", "50",
		"--soak", "1200ms", "--json", filepath.Join(dir, "out.json")}
	if err := bench(t.Context(), append(args, "--quick"), &out, &progress); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &progress, &out)
	}
	for _, want := range []string{"go run ./guard/bench --cache", "New effects", "Replays", "50/50", "Hot key", "Near texts", "Execute: caller",
		"Cost against the size", "Full load", "| sqlite ", "| bare upstream", "| bare echo handler", "peers: left out"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, &out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Cells     []cell
		Sizes     []sizePoint
		Endurance []endurance
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	// A guard in six scenarios, and three limits.
	if len(r.Cells) != 9 || len(r.Sizes) != 2 || len(r.Endurance) != 1 {
		t.Errorf("%d cells, %d sizes, %d full loads", len(r.Cells), len(r.Sizes), len(r.Endurance))
	}
	for _, c := range r.Cells {
		if len(c.Runs) != 1 || c.Runs[0].PerSecond < 5 || c.Runs[0].P50 <= 0 || c.Runs[0].P99 < c.Runs[0].P50 {
			t.Errorf("%+v", c)
		}
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "ledger-size.svg")); err != nil || !bytes.Contains(svg, []byte("sqlite, 16 callers")) {
		t.Errorf("the plot: %v\n%s", err, svg)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "run-*")); err != nil || len(left) > 0 {
		t.Errorf("the run left %v", left)
	}
}

func TestPlan(t *testing.T) {
	full, err := parsePlan(nil, io.Discard)
	if err != nil || full.quick || !slices.Equal(full.callers, []int{1, 16, 64, 256}) || full.base != 10_000 || !full.wants("redis") {
		t.Errorf("%+v %v", full, err)
	}
	quick, err := parsePlan([]string{"--callers", "16, 4", "--quick", "--scenarios", "replays", "--stores", "postgres"}, io.Discard)
	if err != nil || !quick.quick || !slices.Equal(quick.callers, []int{16, 4}) || quick.wants("redis") || !slices.Equal(quick.scenarios, []scenario{replays}) {
		t.Errorf("%+v %v", quick, err)
	}
	if got := quick.callersOf(nearTexts); !slices.Equal(got, []int{16}) {
		t.Errorf("a quick run takes %v callers", got)
	}
	for _, bad := range [][]string{{"--callers", "0"}, {"--callers", "many"}, {"--sizes", "-1"}, {"--scenarios", "old effects"}, {"--reps", "0"}, {"--time", "1ms"}, {"more"}, {"--fast"}, {"--stores", "mysql"}} {
		if p, err := parsePlan(bad, io.Discard); err == nil {
			t.Errorf("%v is taken for %+v", bad, p)
		}
	}
}

func TestMessagesAreRequests(t *testing.T) {
	s := newIDs()
	first, second := s.next(), s.next()
	if first == second || len(first) != len(placeholder) || s.at(0) != first || idsOf(s.head).at(1) != second {
		t.Errorf("ids %s and %s", first, second)
	}
	m := newMessage("127.0.0.1:1", "/v1/calls", http.Header{"X-Key": {placeholder}}, callBody(refundTool, refundArguments, ""))
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(m.with(nil, first))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var call struct {
		Tool      string
		Arguments struct {
			OrderID string `json:"order_id"`
		}
	}
	if err := json.Unmarshal(body, &call); err != nil || call.Tool != refundTool || call.Arguments.OrderID != first || r.Header.Get("X-Key") != first {
		t.Errorf("%v: %s", err, body)
	}
}

// TestWrongAnswersFail has a server that replays everything, which is wrong for new effects.
func TestWrongAnswersFail(t *testing.T) {
	upstream, err := startHelper(t.Context(), upstreamRole)
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Stop()
	fake, err := startHelper(t.Context(), echoRole)
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Stop()
	w := &world{upstream: upstream, plan: plan{period: 50 * time.Millisecond}}
	measure := func(s scenario, answer string) error {
		t.Helper()
		if err := fake.say(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		g := guardSubject("fake", "", newTraffic(&guard{addrs: []string{fake.addr}}))
		_, err := w.measure(t.Context(), g, s, 2)
		return err
	}
	if err := measure(replays, `{"decision":"replayed"}`); err != nil {
		t.Errorf("a replay is taken for %v", err)
	}
	for s, answer := range map[scenario]string{
		newEffects: `{"decision":"replayed"}`,
		replays:    `{"decision":"forwarded"}`,
		nearTexts:  `{"decision":"blocked","explanation":{"code":"held"}}`,
		byCaller:   `{"decision":"replayed"}`,
		halves:     `{"decision":"pending"}`,
	} {
		if err := measure(s, answer); err == nil || !strings.Contains(err.Error(), "the answer to a") {
			t.Errorf("%s, %s: %v", s, answer, err)
		}
	}
	// Who says that it forwarded what never arrived is found out by the upstream's count.
	for _, s := range []scenario{newEffects, hotKey} {
		if err := measure(s, `{"decision":"forwarded"}`); err == nil || !strings.Contains(err.Error(), "the upstream had 0 calls") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestBarsOfResults(t *testing.T) {
	put := func(r *results, s scenario, callers int, name string, rates ...float64) *cell {
		c := &cell{Scenario: s, Callers: callers, Subject: name}
		for _, rate := range rates {
			c.Runs = append(c.Runs, figures{PerSecond: rate, P99: 1})
		}
		r.Cells = append(r.Cells, c)
		return c
	}
	r := &results{order: []string{onSQLite, peer.Restate, peer.DBOS}, ahead: map[string]bool{peer.Restate: true, peer.DBOS: true}}
	put(r, newEffects, 16, onSQLite, 1000, 500, 1000)
	put(r, newEffects, 16, peer.Restate, 90, 45, 90)
	put(r, newEffects, 16, peer.DBOS, 250, 125, 250)
	put(r, newEffects, 16, bareUpstream, 9000)
	put(r, newEffects, 1, appendAndFlush, 4000)
	put(r, replays, 16, onSQLite, 600)
	put(r, replays, 16, bareEcho, 1000)
	put(r, replays, 64, onSQLite, 600).Failures = []string{"a wrong answer"}
	put(r, replays, 64, bareEcho, 1000)
	r.Sizes = []*sizePoint{{Store: onSQLite, Effects: 100, Callers: 1, Claims: []float64{1, 2, 1}}, {Store: onSQLite, Effects: 1000, Callers: 1, Claims: []float64{1.1, 2.2, 3}}}
	r.Endurance = []endurance{{Subject: onSQLite, Peak: 300 << 20, Goroutines: [2]float64{100, 105}, Descriptors: [2]float64{10, 20}}}
	verdicts := map[string]string{}
	for _, b := range r.bars(plan{callers: []int{16}}) {
		verdicts[b.What] = b.Verdict()
	}
	for what, want := range map[string]string{
		"new effects, 16 callers: sqlite ahead of Restate":                                     report.Pass,
		"new effects, 16 callers: sqlite to Restate":                                           report.Pass,
		"new effects, 16 callers: sqlite to DBOS":                                              report.Miss,
		"new effects, 16 callers: p99 under 3 times the upstream's and two flushes, on sqlite": report.Pass,
		"replays, 16 callers: sqlite to the bare echo handler":                                 report.Pass,
		"replays, 16 callers: sqlite ahead of Fiber on Redis":                                  report.NotMeasured,
		"replays, 64 callers: sqlite to the bare echo handler":                                 report.NotMeasured,
		"claim at 1,000 effects to 100, sqlite, 1 callers":                                     report.Pass,
		"sqlite, 0 s of full load: memory":                                                     report.Miss,
		"sqlite, 0 s of full load: goroutines flat":                                            report.Pass,
		"sqlite, 0 s of full load: descriptors flat":                                           report.Miss,
	} {
		if verdicts[what] != want {
			t.Errorf("%s: %q and not %q", what, verdicts[what], want)
		}
	}
	if r.failed() {
		t.Error("a cell of no guard fails the run")
	}
	r.Cells[7].Kind = guardKind
	if !r.failed() {
		t.Error("a wrong answer of the guard does not fail the run")
	}
}

func TestPostgresProgram(t *testing.T) {
	path, err := postgresProgram("initdb")
	if err != nil {
		t.Skip(err)
	}
	if out, err := exec.Command(path, "--version").Output(); err != nil || !strings.Contains(string(out), "PostgreSQL") {
		t.Errorf("%s: %s %v", path, out, err)
	}
	if _, err := postgresProgram("no-such-program"); err == nil {
		t.Error("a program that is not there was found")
	}
}

func TestQuarters(t *testing.T) {
	if q := quarters([]float64{9, 9, 1, 3, 5, 5, 7, 8}); q != [2]float64{2, 7.5} {
		t.Errorf("%v", q)
	}
	if math.IsNaN(quarters([]float64{1, 2, 3, 4})[0]) {
		t.Error("four values have quarters")
	}
}
