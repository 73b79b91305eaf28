package guard_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// bytesPerEffect measures what a backtest keeps of each of n calls that are n different effects.
func bytesPerEffect(t *testing.T, current, draft string, n int) float64 {
	t.Helper()
	b, err := guard.NewBacktest(guard.BacktestOptions{
		Current: parsed(t, current), Draft: parsed(t, draft),
		Recall: func(context.Context, uint64) (guard.BacktestCall, error) {
			return guard.BacktestCall{}, errors.New("no call is like another one")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	began := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range n {
		c := guard.BacktestCall{Ref: uint64(i), Principal: alice, At: began.Add(time.Duration(i) * time.Second), Call: guard.Call{
			Tool: "refund", Run: fmt.Sprint("r", i/10), Arguments: fmt.Appendf(nil, `{"order":"A%d","amount":%d,"note":"for %d"}`, i, i%1000, i),
		}}
		if err := b.Add(t.Context(), b.Read(t.Context(), c)); err != nil {
			t.Fatal(err)
		}
	}
	after := heapInUse()
	r, err := b.Report(t.Context())
	if err != nil || r.Draft.Sent != n {
		t.Fatalf("%d calls were sent under the draft: %v", r.Draft.Sent, err)
	}
	return float64(after-before) / float64(n)
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBacktestMemory holds the bytes for each different effect that the comment of Backtest promises. It is not parallel, because
// others would be measured with it.
func TestBacktestMemory(t *testing.T) {
	const n = 10_000
	for _, c := range []struct {
		name, current, draft string
		most                 float64
	}{
		{"a draft of conditions", strictRefund, strictRefund + "\nrules: [{if: 'norm.amount > 5000', then: hold}]", 150},
		{"and same_identity, history, resource, wordings", strictRefund, `
name: refund
arguments: {order: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, note: {kind: text}}
on: {same_identity: hold}
resource: "order:{order}"
rules: [{if: 'history.count > 100', then: hold}]`, 500},
		{"other fingerprints", strictRefund, "name: refund\narguments: {order: {role: identity, kind: id}}", 260},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := bytesPerEffect(t, c.current, c.draft, n)
			if t.Logf("%.0f bytes for each different effect, at most %.0f", got, c.most); got > c.most {
				t.Errorf("%.0f bytes are more than %.0f", got, c.most)
			}
		})
	}
}
