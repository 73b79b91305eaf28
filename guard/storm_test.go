package guard_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
	"github.com/onceguard/onceguard/policy"
)

// onDisk is a guard on a real ledger file in real time.
func onDisk(tb testing.TB, up guard.Forwarder) *guard.Guard {
	tb.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(tb.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	set, err := policy.Parse("world.yaml", []byte(policies))
	if err != nil {
		tb.Fatal(err)
	}
	g, err := guard.New(guard.Config{Store: store, Policies: policy.Fixed(set), Forward: up, Key: []byte(strings.Repeat("k", 32))})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Drain(context.Background()); err != nil {
			tb.Error(err)
		}
		if t, ok := tb.(*testing.T); ok {
			storetest.Check(t, store, alice.Tenant)
		}
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return g
}

// TestAStormOfEqualCallsIsOneExecution: 64 equal calls at once, in four spellings, a thousand times over.
func TestAStormOfEqualCallsIsOneExecution(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	up := &upstream{}
	g := onDisk(t, up)
	for round := range rounds {
		spellings := []string{
			`{"order_id":"A-%d","amount":25}`, `{"amount":"25.00","order_id":" A-%d "}`,
			`{"order_id":"A-%d","amount":2.5e1,"reason":"late"}`, `"{\"order_id\":\"A-%d\",\"amount\":25.0}"`,
		}
		answers, errs := make([]guard.Answer, 64), make([]error, 64)
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range answers {
			c := call("pay.refund", fmt.Sprintf(spellings[i%4], round))
			all.Go(func() {
				<-start
				answers[i], errs[i] = g.Do(t.Context(), alice, c)
			})
		}
		close(start)
		all.Wait()
		forwarded := 0
		for i, a := range answers {
			if errs[i] != nil {
				t.Fatalf("round %d: %v", round, errs[i])
			}
			if a.Kind == guard.AnswerForwarded {
				forwarded++
			}
			if a.Result == nil || string(a.Result.Body) != fmt.Sprintf(`{"execution":%d}`, round+1) || a.Effect.ID != answers[0].Effect.ID {
				t.Fatalf("round %d: call %d got %s with %+v", round, i, a.Kind, a.Result)
			}
		}
		if n := len(up.sent()); forwarded != 1 || n != round+1 {
			t.Fatalf("round %d: %d answers say forwarded, the upstream has executed %d", round, forwarded, n)
		}
	}
}
