package main

import (
	"fmt"
	"math"

	"github.com/onceguard/onceguard/guard/bench/peer"
	"github.com/onceguard/onceguard/guard/bench/report"
)

// The bars that a release must meet; README.md says why each is where it is.
const (
	restateFactor = 10.0 // new effects, 16 callers, on sqlite
	dbosFactor    = 5.0
	tailFactor    = 3.0 // times the bare upstream's p99 …
	tailFlushes   = 2.0 // … plus so many flushes
	replayShare   = 0.55
	sizeFactor    = 1.2
	mostMemory    = 256.0 // MiB
	flatFactor    = 1.1   // last quarter to second quarter
)

const barCallers = 16

// bars holds the results against the bars.
func (r *results) bars(p plan) (bars []report.Bar) {
	add := func(b report.Bar, missing string) {
		if math.IsNaN(b.Value) || math.IsNaN(b.Limit) {
			b.Value, b.Note = math.NaN(), missing
		}
		bars = append(bars, b)
	}
	ratio := func(s scenario, callers int, to string) float64 {
		return report.MedianRatio(r.find(s, callers, onSQLite).of(perSecond), r.find(s, callers, to).of(perSecond))
	}
	for _, callers := range p.callers {
		for _, name := range r.order {
			if r.ahead[name] {
				add(report.Bar{What: fmt.Sprintf("new effects, %d callers: sqlite ahead of %s", callers, name), Value: ratio(newEffects, callers, name), Limit: 1, Least: true, Unit: "times"},
					"one of them was not measured")
			}
		}
	}
	add(report.Bar{What: "new effects, 16 callers: sqlite to Restate", Value: ratio(newEffects, barCallers, peer.Restate), Limit: restateFactor, Least: true, Unit: "times"}, "Restate was not measured at 16 callers")
	add(report.Bar{What: "new effects, 16 callers: sqlite to DBOS", Value: ratio(newEffects, barCallers, peer.DBOS), Limit: dbosFactor, Least: true, Unit: "times"}, "DBOS was not measured at 16 callers")

	flushes := r.find(newEffects, 1, appendAndFlush)
	upstream := r.find(newEffects, barCallers, bareUpstream)
	add(report.Bar{What: "new effects, 16 callers: p99 under 3 times the upstream's and two flushes, on sqlite",
		Value: report.Median(r.find(newEffects, barCallers, onSQLite).of(p99)),
		Limit: tailFactor*report.Median(upstream.of(p99)) + tailFlushes*report.Median(flushes.of(p99)), Unit: "ms"},
		"needs new effects at 1 and 16 callers")
	for _, callers := range []int{16, 64} {
		missing := fmt.Sprintf("needs replays at %d callers", callers)
		add(report.Bar{What: fmt.Sprintf("replays, %d callers: sqlite to the bare echo handler", callers), Value: ratio(replays, callers, bareEcho), Limit: replayShare, Least: true, Unit: "times"}, missing)
		add(report.Bar{What: fmt.Sprintf("replays, %d callers: sqlite ahead of Fiber on Redis", callers), Value: ratio(replays, callers, peer.FiberRedis), Limit: 1, Least: true, Unit: "times"}, missing+", and the peer")
	}
	for _, b := range r.sizeBars() {
		add(b, "needs two sizes")
	}
	for _, e := range r.Endurance {
		peak, grown := float64(e.Peak)/(1<<20), func(q [2]float64) float64 { return report.Ratio(q[1], q[0]) }
		if e.Failure != "" {
			peak = math.NaN()
		}
		missing := e.Subject + ": " + e.Failure
		what := fmt.Sprintf("%s, %s s of full load: ", e.Subject, report.Number(e.Seconds))
		add(report.Bar{What: what + "memory", Value: peak, Limit: mostMemory, Unit: "MiB"}, missing)
		add(report.Bar{What: what + "goroutines flat", Value: grown(e.Goroutines), Limit: flatFactor, Unit: "times"}, missing)
		add(report.Bar{What: what + "descriptors flat", Value: grown(e.Descriptors), Limit: flatFactor, Unit: "times"}, missing)
	}
	return bars
}

// sizeBars compares the largest ledger of each store with the smallest.
func (r *results) sizeBars() (bars []report.Bar) {
	least, most := map[string]*sizePoint{}, map[string]*sizePoint{}
	var keys []string
	for _, p := range r.Sizes {
		key := fmt.Sprintf("%s, %d callers", p.Store, p.Callers)
		if least[key] == nil {
			keys = append(keys, key)
			least[key], most[key] = p, p
		}
		if p.Effects < least[key].Effects {
			least[key] = p
		}
		if p.Effects > most[key].Effects {
			most[key] = p
		}
	}
	for _, key := range keys {
		if least[key] == most[key] {
			continue
		}
		bars = append(bars, report.Bar{
			What:  fmt.Sprintf("claim at %s effects to %s, %s", report.Number(float64(most[key].Effects)), report.Number(float64(least[key].Effects)), key),
			Value: report.MedianRatio(most[key].Claims, least[key].Claims), Limit: sizeFactor, Unit: "times"})
	}
	return bars
}
