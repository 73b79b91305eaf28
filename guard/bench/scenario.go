package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard/bench/load"
)

// scenario is one kind of traffic.
type scenario string

const (
	newEffects scenario = "new effects"
	replays    scenario = "replays"
	halves     scenario = "50/50"
	hotKey     scenario = "hot key"
	nearTexts  scenario = "near texts"
	byCaller   scenario = "execute: caller"
)

var scenarios = []scenario{newEffects, replays, halves, hotKey, nearTexts, byCaller}

// primedCalls is how many effects are done beforehand, for callers to repeat.
const primedCalls = 1000

// again picks one of them.
func again() int64 { return rand.Int64N(primedCalls) }

// work is what the callers of one measurement do.
type work struct {
	open func(i int) (load.Caller, error)
	// sends is how many calls the upstream must have had when all is over; nil where there is no telling.
	sends func() int64
}

// traffic makes the calls to one guard.
type traffic struct {
	*guard
	fresh, primed                      *ids
	refund, shipment, letter, reworded message
}

func newTraffic(g *guard) *traffic {
	call := func(tool, arguments, execute string) message {
		return newMessage(g.addrs[0], "/v1/calls", bearer(g.key), callBody(tool, arguments, execute))
	}
	return &traffic{
		guard: g, fresh: newIDs(), primed: newIDs(),
		refund: call(refundTool, refundArguments, ""), shipment: call(shipTool, refundArguments, "caller"),
		letter: call(mailTool, mailArguments(letter), ""), reworded: call(mailTool, mailArguments(reworded), ""),
	}
}

// work returns a new piece of work of a scenario.
func (t *traffic) work(s scenario) work {
	var sent atomic.Int64
	one := func(m message, id func() string, want string) work {
		return work{open: t.opener(func(c *asker) error {
			decision, err := c.ask(m, id(), want)
			if decision == client.Forwarded {
				sent.Add(1)
			}
			return err
		}), sends: sent.Load}
	}
	repeat := func() string { return t.primed.at(again()) }
	switch s {
	case newEffects:
		return one(t.refund, t.fresh.next, client.Forwarded)
	case replays:
		return one(t.refund, repeat, client.Replayed)
	case nearTexts:
		return one(t.reworded, repeat, client.Blocked)
	case hotKey:
		id := t.fresh.next()
		w := one(t.refund, func() string { return id }, "")
		// Of all equal calls one is sent, whatever their answers say.
		w.sends = func() int64 { return 1 }
		return w
	case halves:
		return work{open: t.opener(func(c *asker) error {
			if rand.IntN(2) == 0 {
				_, err := c.ask(t.refund, repeat(), client.Replayed)
				return err
			}
			_, err := c.ask(t.refund, t.fresh.next(), client.Forwarded)
			if err == nil {
				sent.Add(1)
			}
			return err
		}), sends: sent.Load}
	case byCaller:
		return work{open: t.opener(func(c *asker) error {
			if err := c.claim(); err != nil {
				return err
			}
			return c.report()
		}), sends: sent.Load}
	}
	panic("there is no scenario " + string(s))
}

// claims is new effects that the caller runs, of which only the claim is timed.
func (t *traffic) claims() work {
	return work{open: func(i int) (load.Caller, error) {
		c, err := t.dial(i)
		if err != nil {
			return load.Caller{}, err
		}
		return load.Caller{Call: c.claim, After: c.report, Close: c.conn.Close}, nil
	}}
}

// fill makes effects with the ids that next returns.
func (t *traffic) fill(m message, next func() string) work {
	return work{open: t.opener(func(c *asker) error {
		_, err := c.ask(m, next(), client.Forwarded)
		return err
	})}
}

func (t *traffic) opener(call func(*asker) error) func(int) (load.Caller, error) {
	return func(i int) (load.Caller, error) {
		c, err := t.dial(i)
		if err != nil {
			return load.Caller{}, err
		}
		return load.Caller{Call: func() error { return call(c) }, Close: c.conn.Close}, nil
	}
}

// asker is one caller's connection to a guard.
type asker struct {
	*traffic
	conn    *load.Conn
	addr    string
	request []byte
	effect  string // that it has claimed
}

// dial connects caller i; the callers turn to the replicas in turn.
func (t *traffic) dial(i int) (*asker, error) {
	addr := t.addrs[i%len(t.addrs)]
	conn, err := load.Dial(addr)
	return &asker{traffic: t, conn: conn, addr: addr}, err
}

// ask makes one call. An answer with another decision than the wanted one is an error; "" takes what shows the result.
func (c *asker) ask(m message, id, want string) (decision string, err error) {
	c.request = m.with(c.request[:0], id)
	status, body, err := c.conn.Do(c.request)
	if err != nil {
		return "", err
	}
	for _, d := range []string{client.Forwarded, client.Replayed, client.Blocked, client.Proceed} {
		if bytes.HasPrefix(body, []byte(`{"decision":"`+d+`"`)) {
			decision = d
		}
	}
	ok := decision == want || want == "" && (decision == client.Forwarded || decision == client.Replayed)
	if want == client.Blocked {
		ok = ok && bytes.Contains(body, []byte(`"code":"near"`))
	}
	if status != http.StatusOK || !ok {
		return decision, fmt.Errorf("the answer to a call is not %q but %d %.600s", want, status, body)
	}
	return decision, nil
}

// claim asks for the permission to run a new call.
func (c *asker) claim() error {
	c.request = c.shipment.with(c.request[:0], c.fresh.next())
	status, body, err := c.conn.Do(c.request)
	if err != nil {
		return err
	}
	_, rest, found := bytes.Cut(body, []byte(`{"decision":"proceed","effect":{"id":"`))
	id, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return fmt.Errorf("the answer to a new call is not %q but %d %.600s", client.Proceed, status, body)
	}
	c.effect = string(id)
	return nil
}

// report tells the guard that what was claimed is done.
func (c *asker) report() error {
	const outcome = `{"fence":1,"status":"done","result":{"parcel":"pc_0123456789"}}`
	m := newMessage(c.addr, "/v1/effects/"+c.effect+"/outcome", bearer(c.key), []byte(outcome))
	status, body, err := c.conn.Do(m.with(nil, ""))
	if err == nil && (status != http.StatusOK || !bytes.Contains(body, []byte(`"state":"done"`))) {
		err = fmt.Errorf("the answer to an outcome is %d %.600s", status, body)
	}
	return err
}
