package web

import (
	"context"
	"fmt"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// counting counts what the pages ask of the guard, each of which is a read of the ledger.
type counting struct {
	*fake
	asked int
}

func (c *counting) Effect(ctx context.Context, p guard.Principal, id string) (guard.Effect, error) {
	c.asked++
	return c.fake.Effect(ctx, p, id)
}

func (c *counting) Effects(ctx context.Context, p guard.Principal, q guard.Query) ([]guard.Effect, error) {
	c.asked++
	return c.fake.Effects(ctx, p, q)
}

func (c *counting) Events(ctx context.Context, p guard.Principal, id string) ([]guard.Event, error) {
	c.asked++
	return c.fake.Events(ctx, p, id)
}

func (c *counting) Fingerprint(ctx context.Context, p guard.Principal, call guard.Call, other *guard.Call) (guard.Explained, error) {
	c.asked++
	return c.fake.Fingerprint(ctx, p, call, other)
}

// A page asks the ledger a fixed number of things, however much there is to show.
func TestPagesAskTheLedgerFewThings(t *testing.T) {
	f := newFake()
	for i := range 300 {
		e := held(fmt.Sprintf("ef_%03d", 999-i), `{"order_id":"A-1"}`)
		e.About = "order_id=A-1"
		f.effects = append(f.effects, e)
	}
	c := &counting{fake: f}
	h := newHouse(t, f, func(config *Config) { config.Guard = c }).signIn(ritasKey)
	for path, most := range map[string]int{"/effects": 2, "/effects?q=A-1&within=24h": 2, "/effects/ef_999": 5, "/policies": 1, "/policies/a.tool": 1, "/overview": 2} {
		c.asked = 0
		h.page(path)
		if c.asked > most {
			t.Errorf("%s asks the ledger %d times, want at most %d", path, c.asked, most)
		}
	}
}
