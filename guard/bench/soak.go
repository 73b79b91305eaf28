package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/onceguard/onceguard/guard/bench/load"
	"github.com/onceguard/onceguard/guard/bench/process"
	"github.com/onceguard/onceguard/guard/bench/report"
)

// soakCallers are enough to keep two processors busy.
const soakCallers = 64

// endurance is what became of a guard under full load: half new effects, half replays.
type endurance struct {
	Subject     string     `json:"subject"`
	Seconds     float64    `json:"seconds"`
	Calls       int        `json:"calls"`
	PerSecond   float64    `json:"per_second"`
	Peak        int64      `json:"peak_resident"` // bytes
	Goroutines  [2]float64 `json:"goroutines"`    // medians of the second and of the last quarter
	Descriptors [2]float64 `json:"descriptors"`
	Failure     string     `json:"failure,omitzero"`
}

// sample is one look at a server.
type sample struct {
	resident                int64
	goroutines, descriptors float64
}

// samplesInAll is how often a server is looked at, but not more than once in 100 ms.
const samplesInAll = 240

// soak loads each single guard and watches it.
func (w *world) soak(ctx context.Context) (all []endurance) {
	for _, sub := range w.subjects {
		if sub.kind != guardKind || len(sub.servers) != 1 || w.plan.soak <= 0 || ctx.Err() != nil {
			continue
		}
		w.say("%s: full load for %v", sub.name, w.plan.soak)
		e := w.endure(ctx, sub)
		w.say("%s: %s/s, at most %s MiB, goroutines %v, descriptors %v %s", sub.name, report.Number(e.PerSecond), mebibytes(e.Peak), e.Goroutines, e.Descriptors, e.Failure)
		all = append(all, e)
	}
	return all
}

func (w *world) endure(ctx context.Context, sub *subject) endurance {
	e := endurance{Subject: sub.name, Seconds: w.plan.soak.Seconds()}
	watching, end := context.WithCancel(ctx)
	watched := make(chan []sample, 1)
	addr := w.traffic[sub.name].addrs[0]
	start := func() {
		go func() {
			watched <- watch(watching, sub.servers[0], addr, max(w.plan.soak/samplesInAll, 100*time.Millisecond))
		}()
	}
	r, err := load.Load{Callers: soakCallers, Warm: w.plan.soak / 20, For: w.plan.soak, Start: start, Stop: end}.Run(ctx, w.traffic[sub.name].work(halves).open)
	if err := all(r, err); err != nil {
		end()
		e.Failure = err.Error()
		return e
	}
	samples := <-watched
	e.Calls, e.PerSecond = len(r.Latencies), r.PerSecond()
	if len(samples) < 8 {
		e.Failure = fmt.Sprintf("only %d looks at the server; take a longer --soak", len(samples))
		return e
	}
	var goroutines, descriptors []float64
	for _, s := range samples {
		e.Peak = max(e.Peak, s.resident)
		goroutines = append(goroutines, s.goroutines)
		descriptors = append(descriptors, s.descriptors)
	}
	e.Goroutines, e.Descriptors = quarters(goroutines), quarters(descriptors)
	return e
}

// quarters returns the medians of the second and of the last quarter.
func quarters(values []float64) [2]float64 {
	n := len(values)
	return [2]float64{report.Median(values[n/4 : n/2]), report.Median(values[n-n/4:])}
}

// watch looks at a server until ctx ends.
func watch(ctx context.Context, p *process.Process, addr string, every time.Duration) (samples []sample) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		n, err := goroutines(ctx, addr)
		if err != nil {
			continue // the load has ended meanwhile, or will show what is wrong
		}
		samples = append(samples, sample{process.Resident(p.Pid()), n, float64(process.Descriptors(p.Pid()))})
	}
}

// goroutines reads their number from the server's metrics.
func goroutines(ctx context.Context, addr string) (float64, error) {
	text, err := fetch(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if rest, found := bytes.CutPrefix(line, []byte("go_goroutines ")); found {
			return strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64)
		}
	}
	return 0, fmt.Errorf("the metrics of %s do not tell the number of goroutines", addr)
}

func mebibytes(n int64) string { return report.Number(float64(n) / (1 << 20)) }
