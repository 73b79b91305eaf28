package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard/bench/load"
	"github.com/onceguard/onceguard/guard/bench/process"
	"github.com/onceguard/onceguard/guard/bench/report"
)

// keptFrom is the size from which a filled ledger is kept in the cache folder for later runs, which then add to it a little.
const keptFrom = 100_000

// sizePoint is what calls cost on a ledger of one size. The times are those of one caller or several.
type sizePoint struct {
	Store   string    `json:"store"`
	Effects int       `json:"effects"` // when the measurements began
	Callers int       `json:"callers"`
	Claims  []float64 `json:"claim_p50_ms"`  // of each repetition
	Replays []float64 `json:"replay_p50_ms"` // of effects picked from the whole ledger
	CPU     []float64 `json:"cpu_us"`        // processor time of the guard and its database for one claim and its outcome; 0 where unknown
	Bytes   float64   `json:"bytes_per_effect"`
}

// sizeCallers are how many callers ask of a ledger at a time, and the most claims that one repetition makes then: few, so that a
// small ledger stays small.
var sizeCallers = []struct{ callers, calls int }{{1, 200}, {16, 1600}}

// sizePeriod is the longest time of one repetition.
const sizePeriod = 250 * time.Millisecond

// filled is a ledger of a given size with a guard on it.
type filled struct {
	store  string
	dir    string
	guard  *guard
	server *postgres // nil on the embedded ledger
	*traffic
	state filledState
}

// filledState is kept beside the ledger.
type filledState struct {
	Head    string `json:"head"` // of the ids that the ledger was filled with, from 0 on
	Filled  int    `json:"filled"`
	Effects int    `json:"effects"` // with those that measurements added
	Bytes   int64  `json:"bytes"`   // on the disk when it was filled
}

const filledFile = "filled.json"

// sizes measures claims and replays on ledgers of each size, all of one store in turn.
func (w *world) sizes(ctx context.Context) (points []*sizePoint, err error) {
	stores := []string{onSQLite}
	if w.postgres != nil {
		stores = append(stores, onPostgres)
	}
	for _, store := range stores {
		of, err := w.sizesOf(ctx, store)
		if err != nil {
			return points, fmt.Errorf("ledgers of several sizes, %s: %w", store, err)
		}
		points = append(points, of...)
	}
	return points, nil
}

func (w *world) sizesOf(ctx context.Context, store string) (points []*sizePoint, err error) {
	var ledgers []*filled
	defer func() {
		for _, l := range ledgers {
			err = errors.Join(err, l.close())
		}
	}()
	for _, size := range w.plan.sizes {
		l, err := w.openFilled(ctx, store, size)
		if err != nil {
			return nil, err // it is closed already
		}
		ledgers = append(ledgers, l)
		for _, c := range sizeCallers {
			points = append(points, &sizePoint{Store: store, Effects: l.state.Effects, Callers: c.callers,
				Bytes: float64(l.state.Bytes) / float64(l.state.Filled)})
		}
		if err := l.measure(ctx, 16, 1000, &sizePoint{}); err != nil { // what a server does for the first time is not of interest
			return nil, err
		}
	}
	for rep := range w.plan.sizeReps {
		for i, l := range ledgers {
			for j, c := range sizeCallers {
				p := points[i*len(sizeCallers)+j]
				if err := l.measure(ctx, c.callers, c.calls, p); err != nil {
					return points, err
				}
				w.say("ledger size, %d/%d: %s with %d effects, %d callers: claim %s ms", rep+1, w.plan.sizeReps, store, p.Effects, c.callers, report.Number(p.Claims[rep]))
			}
		}
	}
	return points, nil
}

// measure adds one repetition to a point.
func (l *filled) measure(ctx context.Context, callers, calls int, p *sizePoint) error {
	processes := l.guard.replicas
	if l.server != nil {
		processes = append([]*process.Process{l.server.Process}, processes...)
	}
	before := cpuOf(processes)
	r, err := load.Load{Callers: callers, Calls: calls, For: sizePeriod}.Run(ctx, l.claims().open)
	if err := all(r, err); err != nil {
		return err
	}
	p.CPU = append(p.CPU, report.Ratio(float64((cpuOf(processes)-before).Microseconds()), float64(len(r.Latencies))))
	l.state.Effects += len(r.Latencies)
	p.Claims = append(p.Claims, milliseconds(report.Percentile(r.Latencies, 0.5)))
	old := idsOf(l.state.Head)
	again := l.opener(func(c *asker) error {
		_, err := c.ask(c.refund, old.at(rand.Int64N(int64(l.state.Filled))), client.Replayed)
		return err
	})
	r, err = load.Load{Callers: callers, Calls: calls, For: sizePeriod}.Run(ctx, again)
	p.Replays = append(p.Replays, milliseconds(report.Percentile(r.Latencies, 0.5)))
	return all(r, err)
}

// openFilled starts a guard on a ledger of the given size, which is made unless it was kept.
func (w *world) openFilled(ctx context.Context, store string, size int) (l *filled, err error) {
	l = &filled{store: store, dir: filepath.Join(w.dir, fmt.Sprintf("%s-%d", store, size))}
	if size >= keptFrom {
		l.dir = filepath.Join(w.plan.cache, fmt.Sprintf("%s-%d", store, size))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	text, err := os.ReadFile(filepath.Join(l.dir, filledFile))
	if err == nil {
		err = json.Unmarshal(text, &l.state)
	}
	if err != nil { // there is none, or one whose filling was cut short
		if err := os.RemoveAll(l.dir); err != nil {
			return l, err
		}
		l.state = filledState{}
	}
	if err := l.start(ctx, w); err != nil {
		return l, fmt.Errorf("%w (if the ledger is of another version, remove %s)", err, l.dir)
	}
	if l.state.Filled > 0 {
		return l, nil
	}
	return l, l.fill(ctx, w, size)
}

func (l *filled) start(ctx context.Context, w *world) (err error) {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	o := guardOptions{program: w.program, policies: w.policies, dir: l.dir, replicas: 1}
	if l.store == onPostgres {
		if l.server, err = startPostgres(ctx, l.dir); err != nil {
			return err
		}
		o.ledger = l.server.dsn(ledgerDatabase)
		if l.state.Filled == 0 {
			if _, err := l.server.database(ctx, ledgerDatabase); err != nil {
				return err
			}
		}
	}
	if l.guard, err = startGuard(ctx, o); err != nil {
		return err
	}
	l.traffic = newTraffic(l.guard)
	return nil
}

const ledgerDatabase = "ledger"

func (l *filled) fill(ctx context.Context, w *world, size int) error {
	began := time.Now()
	var made atomic.Int64
	id := newIDs()
	filling := l.traffic.fill(l.refund, func() string {
		n := made.Add(1)
		if n%50_000 == 0 {
			w.say("%s: %d of %d effects, %s/s", l.store, n, size, report.Number(float64(n)/time.Since(began).Seconds()))
		}
		return id.at(n - 1)
	})
	w.say("%s: filling a ledger with %d effects", l.store, size)
	before, err := l.size(ctx)
	if err != nil {
		return err
	}
	if err := all(load.Load{Callers: 128, Calls: size}.Run(ctx, filling.open)); err != nil {
		return err
	}
	if l.server != nil {
		// What the server would do in the background some minutes later is done now, not while something is measured.
		for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
			if err := l.server.exec(ctx, ledgerDatabase, statement); err != nil {
				return err
			}
		}
	}
	after, err := l.size(ctx)
	if err != nil {
		return err
	}
	l.state = filledState{Head: id.head, Filled: size, Effects: size, Bytes: after - before}
	return l.keep()
}

// keep writes down what the ledger holds.
func (l *filled) keep() error {
	text, err := json.Marshal(l.state)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, filledFile), text, 0o644)
}

// size is how many bytes the ledger takes on the disk.
func (l *filled) size(ctx context.Context) (n int64, err error) {
	if l.server != nil {
		return l.server.size(ctx, ledgerDatabase)
	}
	err = filepath.WalkDir(filepath.Join(l.dir, "data0"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

func (l *filled) close() error {
	if l.guard != nil {
		l.guard.stop()
	}
	if l.server != nil {
		l.server.stop()
	}
	if l.state.Filled == 0 {
		return nil
	}
	return l.keep()
}
