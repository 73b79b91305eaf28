package main

import (
	"context"
	"io"
	"sync"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func (o *backtestOptions) ledger(ctx context.Context, current, draft *policy.Set, l ledger, stderr io.Writer) (*backtestReport, error) {
	return o.compare(ctx, current, draft, &pastEffects{store: l, tenants: map[string]string{}}, stderr)
}

// pastEffects are the calls of a ledger: the one of each effect that was recorded last. A call's ref is its place in the walk.
type pastEffects struct {
	store guard.Store

	mu      sync.Mutex
	known   []effectName
	tenants map[string]string // one copy of each name
}

type effectName struct{ tenant, id string }

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
		if err := do(pastPage{p, p.learn(page), page}); err != nil {
			return err
		}
		if len(page) < walkPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// learn remembers how effects are found again, and returns the ref of the first.
func (p *pastEffects) learn(page []guard.Effect) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := uint64(len(p.known))
	for _, e := range page {
		if _, ok := p.tenants[e.Tenant]; !ok {
			p.tenants[e.Tenant] = e.Tenant
		}
		p.known = append(p.known, effectName{p.tenants[e.Tenant], e.ID})
	}
	return first
}

func (p *pastEffects) named(ref uint64) effectName {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[ref]
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
		list = append(list, c)
	}
	return list, nil
}

func (p *pastEffects) recall(ctx context.Context, ref uint64) (guard.BacktestCall, error) {
	n := p.named(ref)
	e, err := p.store.Get(ctx, n.tenant, n.id)
	if err != nil {
		return guard.BacktestCall{}, err
	}
	return guard.BacktestCall{
		Ref: ref, At: e.Created, Failed: e.State == guard.Failed || e.State == guard.Refused,
		Principal: guard.Principal{Tenant: e.Tenant, Subject: e.Subject, Role: guard.RoleAgent},
		Call:      guard.Call{Tool: e.Tool, Arguments: e.Arguments, Run: e.Run, Agent: e.Agent},
	}, nil
}

func (p *pastEffects) name(ref uint64) string { return p.named(ref).id }
