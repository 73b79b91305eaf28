package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// madeCalls are n calls, one a second, each of which is made when it is read: a recording that takes no memory. One in three
// repeats an earlier one in another spelling; all others are effects of their own.
type madeCalls struct {
	n    int
	from time.Time
}

func (m madeCalls) each(_ context.Context, do func(pastBatch) error) error {
	for first := 0; first < m.n; first += batchCalls {
		if err := do(madeRange{m, first, min(first+batchCalls, m.n)}); err != nil {
			return err
		}
	}
	return nil
}

type madeRange struct {
	from       madeCalls
	first, end int
}

func (r madeRange) calls(context.Context) ([]guard.BacktestCall, error) {
	list := make([]guard.BacktestCall, 0, r.end-r.first)
	for i := r.first; i < r.end; i++ {
		list = append(list, r.from.call(i))
	}
	return list, nil
}

func (m madeCalls) call(i int) guard.BacktestCall {
	which, amount := i, `"%d.00"`
	if i%3 == 2 {
		which, amount = i-1, `%d`
	}
	args := fmt.Sprintf(`{"order_id":"ORD-%08d","customer":{"email":"c%d@shop.example","tier":"gold"},"amount":`+amount+`,"reason":"%s"}`,
		which, which%5000, which%900+1, "The kettle was broken when it came, and the customer asks for the money.")
	return guard.BacktestCall{
		Ref: uint64(i), At: m.from.Add(time.Duration(i) * time.Second),
		Principal: guard.Principal{Tenant: defaultTenant, Subject: "support", Role: guard.RoleAgent},
		Call:      guard.Call{Tool: "refund", Arguments: json.RawMessage(args), Run: fmt.Sprint("run-", which/20), Agent: "support-bot"},
	}
}

func (m madeCalls) recall(_ context.Context, ref uint64) (guard.BacktestCall, error) {
	return m.call(int(ref)), nil
}

func (m madeCalls) verdicts(context.Context, func(guard.BacktestLabel) error) error { return nil }

func (m madeCalls) name(ref uint64) string { return fmt.Sprint("call ", ref) }

// measuredBacktest is how a backtest went.
type measuredBacktest struct {
	report *backtestReport
	peak   uint64 // bytes that the process had of the system at the worst moment
	took   time.Duration
	// processor is the time of all cores together.
	processor time.Duration
}

func backtestMade(tb testing.TB, n int, draft string) measuredBacktest {
	tb.Helper()
	const current = "version: 1\ntools:\n- {name: refund, arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, reason: {role: commentary}}}\n"
	was, err := policy.Parse("current.yaml", []byte(current))
	if err != nil {
		tb.Fatal(err)
	}
	is, err := policy.Parse("draft.yaml", []byte(draft))
	if err != nil {
		tb.Fatal(err)
	}
	var m measuredBacktest
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			m.peak = max(m.peak, memoryInUse())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	began, used := time.Now(), processorTime(tb)
	o := backtestOptions{policies: "draft", keep: 10}
	m.report, err = o.compare(tb.Context(), was, is, madeCalls{n, began}, io.Discard)
	m.took, m.processor = time.Since(began), processorTime(tb)-used
	close(stop)
	<-stopped
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// processorTime is what this process has used so far.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memoryInUse is what the process has of the system, in bytes.
func memoryInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() - sample[1].Value.Uint64()
}

const holdingDraft = `
version: 1
tools:
- name: refund
  arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, reason: {role: commentary}}
  rules: [{if: "norm.amount > 800.0", then: hold, why: Dear.}]
  limits: [{count: 3000, per: 1h, by: [agent], then: hold}]
`

// A draft that compares the calls otherwise, so that the two ledgers share nothing.
const otherDraft = "version: 1\ntools:\n- {name: refund, arguments: {order_id: {role: identity, kind: id}, reason: {role: commentary}}}\n"

// BenchmarkBacktest goes through recordings that are too long to keep.
func BenchmarkBacktest(b *testing.B) {
	for _, n := range []int{100_000, 1_500_000} {
		for _, c := range []struct{ name, draft string }{{"holding", holdingDraft}, {"comparing otherwise", otherDraft}} {
			b.Run(fmt.Sprintf("%d calls, a draft %s", n, c.name), func(b *testing.B) {
				for b.Loop() {
					m := backtestMade(b, n, c.draft)
					b.ReportMetric(float64(n)/m.took.Seconds(), "calls/s")
					b.ReportMetric(float64(n)/m.processor.Seconds(), "calls/processor-s")
					b.ReportMetric(float64(m.peak)/(1<<20), "peak-MiB")
				}
			})
		}
	}
}
