package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sealed"
	"github.com/onceguard/onceguard/policy"
)

func (o *backtestOptions) ledger(ctx context.Context, current, draft *policy.Set, l ledger, f folder, stderr io.Writer) (*backtestReport, error) {
	from := &pastEffects{store: l}
	from.open(f)
	r, err := o.compare(ctx, current, draft, from, stderr)
	if err != nil {
		return nil, err
	}
	if r.Closed = int(from.closed.Load()); r.Closed > 0 {
		r.WhyClosed = from.whyClosed().Error()
	}
	return r, nil
}

// pastEffects are the calls of a ledger: the one of each effect that was recorded last. A call's ref is its place in the walk.
type pastEffects struct {
	store  guard.Store
	opened guard.Store // the same with the folder's keys above it, nil for none
	noKey  error       // why opened is nil
	closed atomic.Int64

	mu      sync.Mutex
	known   effectNames
	related []uint64 // effects that were held for another one
}

// open finds the keys for what policies had sealed. Without them the rest of the ledger can still be read.
func (p *pastEffects) open(f folder) {
	if f == "" {
		p.noKey = errNoData
		return
	}
	keys, err := readKeyFile(f.key())
	if err != nil {
		p.noKey = err
		return
	}
	ring, err := sealed.NewRing(keys.current(), keys.others()...)
	if err != nil {
		p.noKey = err
		return
	}
	p.opened = sealed.New(p.store, ring)
}

// whyClosed says why encrypted bytes could not be read.
func (p *pastEffects) whyClosed() error {
	if p.noKey != nil {
		return p.noKey
	}
	return errors.New("they are of another installation key, or were changed")
}

// pastPage are some effects, of which the arguments are yet to be read.
type pastPage struct {
	from    *pastEffects
	first   uint64
	effects []guard.Effect
}

func (p *pastEffects) each(ctx context.Context, do func(pastBatch) error) error {
	for after := ""; ; {
		page, err := p.store.Walk(ctx, after, walkPage)
		if err != nil {
			return err
		}
		first, err := p.learn(page)
		if err != nil {
			return err
		}
		if err := do(pastPage{p, first, page}); err != nil {
			return err
		}
		if len(page) < walkPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// learn remembers how effects are found again, and returns the ref of the first.
func (p *pastEffects) learn(page []guard.Effect) (first uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = uint64(len(p.known.packed))
	for i, e := range page {
		if err := p.known.add(e.Tenant, e.ID); err != nil {
			return first, err
		}
		if e.Related != "" {
			p.related = append(p.related, first+uint64(i))
		}
	}
	return first, nil
}

func (p *pastEffects) named(ref uint64) (tenant, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known.get(ref)
}

func (b pastPage) calls(ctx context.Context) ([]guard.BacktestCall, error) {
	list := make([]guard.BacktestCall, 0, len(b.effects))
	for i := range b.effects {
		c, err := b.from.recall(ctx, b.first+uint64(i))
		if guard.CodeOf(err) == guard.CodeNotFound {
			continue // it was forgotten meanwhile
		}
		if err != nil {
			return nil, err
		}
		if c.Sealed && c.Call.Arguments == nil {
			b.from.closed.Add(1)
		}
		list = append(list, c)
	}
	return list, nil
}

func (p *pastEffects) recall(ctx context.Context, ref uint64) (guard.BacktestCall, error) {
	tenant, id := p.named(ref)
	e, wasSealed, err := p.get(ctx, tenant, id)
	c := pastCallOf(&e, wasSealed)
	c.Ref = ref
	return c, err
}

// get reads an effect. What is encrypted and cannot be opened comes without arguments.
func (p *pastEffects) get(ctx context.Context, tenant, id string) (e guard.Effect, wasSealed bool, err error) {
	e, err = p.store.Get(ctx, tenant, id)
	if err != nil || !sealed.IsSealed(e.Arguments) {
		return e, false, err
	}
	if p.opened != nil {
		opened, err := p.opened.Get(ctx, tenant, id)
		if guard.CodeOf(err) != guard.CodeCorrupt {
			return opened, true, err
		}
	}
	e.Arguments = nil
	return e, true, nil
}

func pastCallOf(e *guard.Effect, wasSealed bool) guard.BacktestCall {
	c := guard.BacktestCallOf(e, 0)
	c.Sealed = wasSealed
	return c
}

func (p *pastEffects) name(ref uint64) string {
	_, id := p.named(ref)
	return id
}

// effectNames are tenants and ids of many effects in 20 bytes each.
type effectNames struct {
	packed  []effectName
	tenants []string
	places  map[string]uint32 // of tenants
}

type effectName struct {
	tenant uint32
	id     [16]byte
}

const effectPrefix = "ef_"

func (n *effectNames) add(tenant, id string) error {
	place, ok := n.places[tenant]
	if !ok {
		if n.places == nil {
			n.places = map[string]uint32{}
		}
		place = uint32(len(n.tenants))
		n.tenants, n.places[tenant] = append(n.tenants, tenant), place
	}
	name := effectName{tenant: place}
	if digits, err := hex.DecodeString(strings.TrimPrefix(id, effectPrefix)); err != nil || copy(name.id[:], digits) != len(name.id) {
		return fmt.Errorf("the ledger holds an effect with the id %q, which no guard makes", id)
	}
	n.packed = append(n.packed, name)
	return nil
}

func (n *effectNames) get(ref uint64) (tenant, id string) {
	name := n.packed[ref]
	return n.tenants[name.tenant], effectPrefix + hex.EncodeToString(name.id[:])
}
