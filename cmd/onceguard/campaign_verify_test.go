package main

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
)

// verify opens the ledger that the last server has left and compares it with what the callers were told and
// with what the upstream did.
func (c *campaign) verify() {
	ledger, err := sqlite.Open(c.t.Context(), filepath.Join(c.data(), "ledger.db"), sqlite.Options{Exclusive: true})
	if err != nil {
		c.t.Fatal(err)
	}
	defer ledger.Close()
	c.verifyLedger(ledger)
}

func (c *campaign) verifyLedger(ledger guard.Store) {
	t := c.t
	effects := c.readAll(ledger)
	byOrder := make(map[string]string, len(effects))
	for id, e := range effects {
		order := orderOf(e)
		if other, twice := byOrder[order]; twice {
			t.Errorf("order %s has two effects: %s and %s", order, other, id)
		}
		byOrder[order] = id
		c.verifyEffect(order, e)
	}
	for order, told := range c.orders.all() {
		for _, a := range told {
			e, found := effects[a.effect]
			switch {
			case !found:
				t.Errorf("order %s: effect %s was told as %q and is not in the ledger", order, a.effect, a.decision)
			case orderOf(e) != order:
				t.Errorf("order %s: effect %s is for order %s", order, a.effect, orderOf(e))
			case a.state == string(guard.Done) && (e.State != guard.Done || string(e.Result.Body) != a.result):
				t.Errorf("order %s: told as done with %s, and the ledger has it as %s", order, a.result, e.State)
			}
		}
	}
	if c.figures.n["lapsed"] == 0 && c.figures.n["kills"] >= 10 {
		t.Error("no kill came between a claim and its outcome, so the campaign has shown nothing")
	}
	c.t.Logf("%d effects in the ledger, %d of them unknown, %d by a lapsed lease; all chains hold", len(effects), c.figures.n["unknown"], c.figures.n["lapsed"])
}

// verifyEffect compares one effect with the upstream's count.
func (c *campaign) verifyEffect(order string, e guard.Effect) {
	n := c.upstream.count(order)
	switch e.State {
	case guard.Done:
		if n != 1 {
			c.t.Errorf("order %s is done and was executed %d times", order, n)
		}
	case guard.Unknown:
		c.figures.add("unknown", 1)
		if e.Code == guard.CodeLapsed {
			c.figures.add("lapsed", 1)
		}
	default:
		c.t.Errorf("order %s is %s after everything was asked for once more", order, e.State)
	}
}

func orderOf(e guard.Effect) string {
	var args struct {
		OrderID string `json:"order_id"`
	}
	if json.Unmarshal(e.Arguments, &args) != nil {
		return ""
	}
	return strings.TrimSpace(args.OrderID)
}

// readAll reads every effect and checks its history.
func (c *campaign) readAll(ledger guard.Store) map[string]guard.Effect {
	c.t.Helper()
	all := make(map[string]guard.Effect)
	for before := ""; ; {
		page, err := ledger.List(c.t.Context(), guard.Query{Tenant: defaultTenant, Limit: 500, Before: before})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, e := range page {
			full, err := ledger.Get(c.t.Context(), e.Tenant, e.ID)
			if err != nil {
				c.t.Fatal(err)
			}
			events, err := ledger.Events(c.t.Context(), e.Tenant, e.ID)
			if err != nil {
				c.t.Fatal(err)
			}
			c.verifyChain(&full, events)
			all[e.ID], before = full, e.ID
		}
		if len(page) < 500 {
			return all
		}
	}
}

// verifyChain checks that the events are sealed one upon the other and lead to the effect's state.
func (c *campaign) verifyChain(e *guard.Effect, events []guard.Event) {
	var head [32]byte
	state, lapsed := guard.State(""), false
	for i := range events {
		ev := &events[i]
		if ev.Seal(head) != ev.Hash || ev.Seq != i+1 || ev.From != state || !guard.Legal(ev.From, ev.Kind, ev.To) {
			c.t.Errorf("effect %s: event %d does not follow from the one before it", e.ID, i+1)
		}
		if ev.Kind != guard.EventNoted {
			lapsed = ev.Kind == guard.EventLapsed
		}
		head, state = ev.Hash, ev.To
	}
	if head != e.Head || state != e.State || len(events) != e.Events {
		c.t.Errorf("effect %s: its events lead to %s and not to %s", e.ID, state, e.State)
	}
	if lapsed && e.State != guard.Unknown {
		c.t.Errorf("effect %s lapsed and is %s", e.ID, e.State)
	}
}
