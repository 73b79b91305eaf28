package api

import (
	"fmt"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// TestManyRecentCalls keeps a thousand calls, for which half of the places would do, and finds nearly all of them; of many more it finds
// nearly as many as there are places, and for somebody else none.
func TestManyRecentCalls(t *testing.T) {
	bot, other := &guard.Principal{Tenant: "acme", Subject: "bot"}, &guard.Principal{Tenant: "acme", Subject: "other"}
	body := func(n int) []byte {
		return fmt.Appendf(nil, `{"tool":"pay.refund","arguments":{"order_id":"A-%d"}}`, n)
	}
	found := func(c *recentCalls, p *guard.Principal, calls int) (n int) {
		for i := range calls {
			var r callRequest
			if c.find(p, body(i), &r) {
				n++
				if r.Run != fmt.Sprint("run-", i) {
					t.Fatalf("call %d is %q", i, r.Run)
				}
			}
		}
		return n
	}
	for _, calls := range []int{1000, 100_000} {
		c := newRecentCalls()
		for i := range calls {
			r := new(callRequest)
			r.Run = fmt.Sprint("run-", i)
			c.keep(bot, body(i), r)
		}
		most := len(c.sets) * len(c.sets[0])
		if n := found(c, bot, calls); n > most || n < min(calls, most)*9/10 {
			t.Errorf("of %d calls %d are remembered, and there is room for %d", calls, n, most)
		}
		if n := found(c, other, calls); n != 0 {
			t.Errorf("somebody else finds %d", n)
		}
	}
}
