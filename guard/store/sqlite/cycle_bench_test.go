package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

var benchCallers = []int{1, 16, 64}

// BenchmarkCycle is a durable claim and a durable settlement of a new effect.
func BenchmarkCycle(b *testing.B) {
	for _, callers := range benchCallers {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			cycle := openCycle(b)
			benchmarkCallers(b, callers, cycle)
		})
	}
}

// BenchmarkRaw appends the same bytes to a log that does nothing else.
func BenchmarkRaw(b *testing.B) {
	for _, callers := range benchCallers {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			benchmarkCallers(b, callers, openRaw(b))
		})
	}
}

// BenchmarkRatio alternates both in one run and reports the ratio of the medians, which is what to keep: the disk's own
// speed changes from minute to minute.
func BenchmarkRatio(b *testing.B) {
	const rounds, round = 5, time.Second
	for _, callers := range benchCallers {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			cycle, raw := openCycle(b), openRaw(b)
			var cycles, raws []float64
			for b.Loop() {
				for range rounds {
					cycles = append(cycles, rate(b, callers, round, cycle))
					raws = append(raws, rate(b, callers, round, raw))
				}
			}
			slices.Sort(cycles)
			slices.Sort(raws)
			c, r := cycles[len(cycles)/2], raws[len(raws)/2]
			b.ReportMetric(c, "cycles/s")
			b.ReportMetric(r, "raw/s")
			b.ReportMetric(c/r, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func rate(b *testing.B, callers int, d time.Duration, do func() error) float64 {
	b.Helper()
	n, err := storetest.Rate(callers, d, func(int, int) error { return do() })
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func benchmarkCallers(b *testing.B, callers int, do func() error) {
	b.ReportAllocs()
	turns := make(chan struct{}, callers)
	errs := make(chan error, callers)
	for range callers {
		go func() {
			for range turns {
				if err := do(); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for b.Loop() {
		turns <- struct{}{}
	}
	close(turns)
	for range callers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
}

func openCycle(b *testing.B) func() error {
	b.Helper()
	ctx := context.Background()
	s, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return func() error {
		got, err := s.Claim(ctx, storetest.NewCall("t"))
		if err != nil || !got.Won {
			return fmt.Errorf("claim: won %v: %w", got.Won, err)
		}
		_, err = s.Settle(ctx, storetest.Outcome(got.Effect, guard.Done))
		return err
	}
}

func openRaw(b *testing.B) func() error {
	b.Helper()
	log, err := storetest.OpenRawLog(filepath.Join(b.TempDir(), "raw.log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	claim, settlement := rawCycle()
	return func() error {
		if err := log.Append(claim); err != nil {
			return err
		}
		return log.Append(settlement)
	}
}

// rawCycle returns the bytes that a cycle is given, without any form around them.
func rawCycle() (claim, settlement []byte) {
	call := storetest.NewCall("t")
	e := call.Effect
	names := []byte(e.ID + e.Tenant + e.Subject + e.Agent + e.Run + e.CallID + e.Tool + e.Type + e.Claim + e.Policy)
	claim = slices.Concat(names, e.Key[:], e.Arguments)
	settlement = slices.Concat([]byte(e.ID+e.Claim), storetest.Outcome(e, guard.Done).Result.Body)
	return bytes.Clone(claim), settlement
}
