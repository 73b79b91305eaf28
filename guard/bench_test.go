package guard_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// noop is an upstream that answers at once.
type noop struct{ outcome guard.Outcome }

func (n noop) Send(context.Context, guard.Attempt) guard.Outcome { return n.outcome }

// BenchmarkCycles measures new effects through Do, each a durable claim and a durable settlement around an
// upstream that answers at once, beside the same number of bytes appended and flushed twice to a bare file. Both
// alternate in one run, and the ratio of the medians is what to keep:
//
//	go test ./guard -run '^$' -bench Cycles -benchtime 1x
func BenchmarkCycles(b *testing.B) {
	const rounds, round = 5, time.Second
	result := []byte(`{"refund":"` + strings.Repeat("r", 288) + `"}`)
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			g := onDisk(b, noop{guard.Outcome{State: guard.Done, Code: guard.CodeUpstreamDone, Sent: true, Result: &guard.Result{
				Status: 200, ContentType: "application/json", Body: result, Source: guard.FromUpstream}}})
			log, err := storetest.OpenRawLog(filepath.Join(b.TempDir(), "raw.log"))
			if err != nil {
				b.Fatal(err)
			}
			defer log.Close()
			var n atomic.Int64
			cycle := func(int, int) error {
				a, err := g.Do(context.Background(), alice, call("pay.refund", arguments700(n.Add(1))))
				if err == nil && a.Kind != guard.AnswerForwarded {
					err = fmt.Errorf("got %s %s", a.Kind, a.Explanation.Code)
				}
				return err
			}
			claim, settlement := bytes.Repeat([]byte("c"), 700+300), slices.Clone(result)
			raw := func(int, int) error {
				if err := log.Append(claim); err != nil {
					return err
				}
				return log.Append(settlement)
			}
			var cycles, raws []float64
			for b.Loop() {
				for range rounds {
					cycles = append(cycles, rate(b, callers, round, cycle))
					raws = append(raws, rate(b, callers, round, raw))
				}
			}
			c, r := median(cycles), median(raws)
			b.ReportMetric(c, "cycles/s")
			b.ReportMetric(r, "raw/s")
			b.ReportMetric(c/r, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func arguments700(n int64) string {
	return fmt.Sprintf(`{"order_id":"A-%d","amount":25.50,"note":"%s"}`, n, strings.Repeat("n", 640))
}

func rate(b *testing.B, callers int, d time.Duration, do func(int, int) error) float64 {
	b.Helper()
	n, err := storetest.Rate(callers, d, do)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
