package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plan is what one run measures.
type plan struct {
	quick     bool
	cache     string // peers and large ledgers are kept here
	program   string // the guard; "" builds it from this module
	install   bool   // the peers, and nothing else
	peers     bool
	scenarios []scenario
	stores    []string // beside sqlite
	replicas  []int
	callers   []int
	base      int   // effects in the ledgers before anything is measured
	sizes     []int // of the ledgers whose cost is compared
	reps      int
	sizeReps  int
	period    time.Duration // of one measurement
	soak      time.Duration // of full load, on each store
	json      string        // file, "-" for stdout
	plot      string        // file
}

var allStores = []string{"postgres", "redis"}

func (p plan) wants(store string) bool { return slices.Contains(p.stores, store) }

// callersOf are the numbers of callers that a scenario is measured with: in a quick run, but for new effects, only the largest.
func (p plan) callersOf(s scenario) []int {
	if p.quick && s != newEffects && len(p.callers) > 0 {
		return []int{slices.Max(p.callers)}
	}
	return p.callers
}

// The two presets. Every setting of them can be changed by a flag.
func fullPlan() plan {
	return plan{scenarios: scenarios, replicas: []int{1, 3}, callers: []int{1, 16, 64, 256}, sizes: []int{10_000, 1_000_000},
		reps: 3, sizeReps: 7, period: 2 * time.Second, soak: time.Minute}
}

func quickPlan() plan {
	return plan{quick: true, scenarios: scenarios, replicas: []int{1}, callers: []int{1, 16}, sizes: []int{1_000, 5_000},
		reps: 3, sizeReps: 3, period: 200 * time.Millisecond, soak: 2 * time.Second}
}

// parsePlan reads the flags.
func parsePlan(args []string, stderr io.Writer) (plan, error) {
	p := fullPlan()
	if slices.ContainsFunc(args, func(a string) bool { return a == "--quick" || a == "-quick" }) {
		p = quickPlan()
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "go run ./guard/bench [flags]: measures the guard beside its limits and peers. README.md says how to read it.")
		f.PrintDefaults()
	}
	f.BoolVar(&p.quick, "quick", p.quick, "a coarse run in under two minutes, of one server on each store; peers only where they are installed")
	f.StringVar(&p.program, "program", "", "measure this onceguard `program`, such as one of another version, instead of building one")
	f.BoolVar(&p.install, "install", false, "install the peers and end")
	f.BoolVar(&p.peers, "peers", true, "measure the peers as well")
	f.StringVar(&p.cache, "cache", filepath.Join(os.TempDir(), "onceguard-bench"), "`folder` on the disk to measure on; peers and ledgers from 10^5 effects are kept in it")
	stores := f.String("stores", join(allStores), "which `stores` beside sqlite")
	chosen := f.String("scenarios", join(p.scenarios), "which `scenarios`")
	callers := f.String("callers", join(p.callers), "`numbers` of callers")
	replicas := f.String("replicas", join(p.replicas), "`numbers` of servers on one PostgreSQL")
	sizes := f.String("sizes", join(p.sizes), "`numbers` of effects in the ledgers whose cost is compared; 10000000 takes half an hour the first time")
	f.IntVar(&p.reps, "reps", p.reps, "repetitions, of which the median counts")
	f.DurationVar(&p.period, "time", p.period, "length of one measurement")
	f.DurationVar(&p.soak, "soak", p.soak, "length of the full load in which memory is watched, on each store; 10m for the bar's own length; 0 for none")
	f.StringVar(&p.json, "json", "", "also write everything that was measured to this `file`; - for stdout, without the tables")
	f.StringVar(&p.plot, "plot", "", "`file` for the SVG plot of cost against ledger size (default ledger-size.svg in the cache folder)")
	if err := f.Parse(args); err != nil {
		return p, err
	}
	if f.NArg() > 0 {
		return p, fmt.Errorf("%q is not a flag; --help lists them", f.Arg(0))
	}
	var err, callersErr, replicasErr, sizesErr error
	p.scenarios, err = parseScenarios(*chosen)
	p.callers, callersErr = numbers("callers", *callers)
	p.replicas, replicasErr = numbers("replicas", *replicas)
	p.sizes, sizesErr = numbers("sizes", *sizes)
	if err := errors.Join(err, callersErr, replicasErr, sizesErr); err != nil {
		return p, err
	}
	for _, name := range split(*stores) {
		if !slices.Contains(allStores, name) {
			return p, fmt.Errorf("--stores: %q is not one of %s", name, join(allStores))
		}
		p.stores = append(p.stores, name)
	}
	if p.reps < 1 || p.period < 10*time.Millisecond {
		return p, errors.New("--reps must be at least 1 and --time at least 10ms")
	}
	if p.plot == "" {
		p.plot = filepath.Join(p.cache, "ledger-size.svg")
	}
	if len(p.sizes) > 0 {
		p.base = min(slices.Min(p.sizes), 10_000)
	}
	return p, nil
}

func parseScenarios(list string) (found []scenario, err error) {
	for _, name := range split(list) {
		if !slices.Contains(scenarios, scenario(name)) {
			return nil, fmt.Errorf("--scenarios: %q is not one of %s", name, join(scenarios))
		}
		found = append(found, scenario(name))
	}
	return found, nil
}

func numbers(name, list string) (found []int, err error) {
	for _, text := range split(list) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("--%s: %q is not a number from 1 on", name, text)
		}
		found = append(found, n)
	}
	return found, nil
}

func split(list string) (parts []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func join[T any](values []T) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprint(v))
	}
	return strings.Join(texts, ",")
}
