package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard/bench/load"
	"github.com/onceguard/onceguard/guard/bench/process"
	"github.com/onceguard/onceguard/guard/bench/report"
)

// figures is what one measurement yields.
type figures struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	ServerCPU float64 `json:"server_cpu_us"` // processor time of the servers for one call; 0 where unknown
	StoreCPU  float64 `json:"store_cpu_us"`  // and of PostgreSQL and Redis
	Resident  int64   `json:"resident"`      // bytes of the largest server, at the end
}

// cell is one subject under one traffic, with a measurement from each repetition.
type cell struct {
	Scenario scenario  `json:"scenario"`
	Callers  int       `json:"callers"`
	Subject  string    `json:"subject"`
	Kind     kind      `json:"kind"`
	Runs     []figures `json:"runs"`
	Failures []string  `json:"failures,omitempty"` // each voids its repetition
}

// of takes one figure out of all repetitions.
func (c *cell) of(figure func(figures) float64) (values []float64) {
	if c == nil {
		return nil
	}
	for _, r := range c.Runs {
		values = append(values, figure(r))
	}
	return values
}

func perSecond(f figures) float64 { return f.PerSecond }
func p50(f figures) float64       { return f.P50 }
func p99(f figures) float64       { return f.P99 }

// matrix measures every subject under every traffic, all subjects in turn before the next repetition, so that what
// else the machine does touches them alike.
func (w *world) matrix(ctx context.Context) ([]*cell, error) {
	var cells []*cell
	bySubject := map[*cell]*subject{}
	for _, s := range w.plan.scenarios {
		for i, callers := range w.plan.callersOf(s) {
			for _, sub := range w.subjects {
				if !slices.Contains(sub.does, s) || sub.alone && i > 0 {
					continue
				}
				c := &cell{Scenario: s, Callers: callers, Subject: sub.name, Kind: sub.kind}
				if sub.alone {
					c.Callers = 1
				}
				cells = append(cells, c)
				bySubject[c] = sub
			}
		}
	}
	total := len(cells) * w.plan.reps
	began := time.Now()
	for rep := range w.plan.reps {
		for i, c := range cells {
			f, err := w.measure(ctx, bySubject[c], c.Scenario, c.Callers)
			if ctx.Err() != nil {
				return cells, ctx.Err()
			}
			n := rep*len(cells) + i + 1
			left := time.Since(began) / time.Duration(n) * time.Duration(total-n)
			if err != nil {
				c.Failures = append(c.Failures, err.Error())
				w.say("%d/%d %s, %d callers, %s: %v", n, total, c.Scenario, c.Callers, c.Subject, err)
				continue
			}
			c.Runs = append(c.Runs, f)
			w.say("%d/%d %s, %d callers, %s: %s/s (%s left)", n, total, c.Scenario, c.Callers, c.Subject, report.Number(f.PerSecond), left.Round(time.Second))
		}
	}
	return cells, nil
}

// measure runs one load and holds the upstream's count against what was sent.
func (w *world) measure(ctx context.Context, sub *subject, s scenario, callers int) (f figures, err error) {
	todo, end, err := sub.work(ctx, s, callers)
	if err != nil {
		return f, err
	}
	defer end()
	before, err := w.upstream.count(ctx)
	if err != nil {
		return f, err
	}
	var server, store [2]time.Duration
	spent := func(i int) func() {
		return func() { server[i], store[i] = cpuOf(sub.servers), cpuOf(sub.stores) }
	}
	r, err := load.Load{Callers: callers, Warm: w.plan.period / 4, For: w.plan.period, Start: spent(0), Stop: spent(1)}.Run(ctx, todo.open)
	if err := all(r, err); err != nil {
		return f, err
	}
	after, err := w.upstream.count(ctx)
	if err != nil {
		return f, err
	}
	if todo.sends != nil && after-before != todo.sends() {
		return f, fmt.Errorf("the upstream had %d calls and not %d", after-before, todo.sends())
	}
	if len(r.Latencies) == 0 {
		return f, fmt.Errorf("no call ended within %v; take a longer --time", w.plan.period)
	}
	calls := float64(len(r.Latencies))
	f = figures{
		PerSecond: r.PerSecond(),
		P50:       milliseconds(report.Percentile(r.Latencies, 0.50)),
		P99:       milliseconds(report.Percentile(r.Latencies, 0.99)),
		ServerCPU: float64((server[1] - server[0]).Microseconds()) / calls,
		StoreCPU:  float64((store[1] - store[0]).Microseconds()) / calls,
	}
	for _, p := range sub.servers {
		f.Resident = max(f.Resident, process.Resident(p.Pid()))
	}
	return f, nil
}

// cpuOf is the processor time of all the processes, 0 where the system does not tell.
func cpuOf(processes []*process.Process) (sum time.Duration) {
	for _, p := range processes {
		if used, ok := process.CPU(p.Pid()); ok {
			sum += used
		}
	}
	return sum
}

// others tells, when it is called again, which part of the machine's processors went to processes that are not ours; NaN where the
// system does not tell. Ours is this process and its descendants.
func others() func() float64 {
	began := time.Now()
	busy, ok := process.Busy()
	used, _ := process.CPU(os.Getpid())
	return func() float64 {
		nowBusy, _ := process.Busy()
		nowUsed, _ := process.CPU(os.Getpid())
		if !ok {
			return math.NaN()
		}
		there := time.Since(began) * time.Duration(runtime.NumCPU())
		return max(0, report.Ratio(float64((nowBusy-busy)-(nowUsed-used)), float64(there)))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
