package main

import (
	"encoding/json"
	"errors"
	"os/exec"
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
	c.verifyLedger(ledger)
	if err := ledger.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.fsck("--data", c.data())
}

// fsck runs the program's own check of the ledger.
func (c *campaign) fsck(flag, ledger string) {
	c.t.Helper()
	out, err := exec.Command(c.program, "fsck", flag, ledger, "--json").Output()
	var report ledgerReport
	if err := errors.Join(err, json.Unmarshal(out, &report)); err != nil {
		c.t.Fatalf("fsck: %v\n%s", err, out)
	}
	if report.Effects == 0 || report.Events < report.Effects || report.Faulty != 0 {
		c.t.Errorf("fsck: %+v", report)
	}
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
			if faults := guard.Audit(full, events); len(faults) > 0 {
				c.t.Errorf("effect %s: %v", e.ID, faults)
			}
			all[e.ID], before = full, e.ID
		}
		if len(page) < 500 {
			return all
		}
	}
}
