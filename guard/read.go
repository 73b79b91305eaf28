package guard

import (
	"context"
	"errors"

	"github.com/onceguard/onceguard/fingerprint"
)

// Effect returns one effect that the principal may see: an agent those of its own subject, a reviewer those of the
// tenant.
func (g *Guard) Effect(ctx context.Context, p Principal, id string) (Effect, error) {
	e, err := g.store.Get(ctx, p.Tenant, id)
	if err != nil {
		return Effect{}, err
	}
	if !p.Reviews() && e.Subject != p.Subject {
		return Effect{}, &Error{Code: CodeNotFound, Message: "no such effect"}
	}
	return e, nil
}

// Effects lists effects that the principal may see; Tenant and, for agents, Subject of q are set from the principal.
func (g *Guard) Effects(ctx context.Context, p Principal, q Query) ([]Effect, error) {
	q.Tenant = p.Tenant
	if !p.Reviews() {
		q.Subject = p.Subject
	}
	return g.store.List(ctx, q)
}

// Events returns the history of an effect that the principal may see.
func (g *Guard) Events(ctx context.Context, p Principal, id string) ([]Event, error) {
	if _, err := g.Effect(ctx, p, id); err != nil {
		return nil, err
	}
	return g.store.Events(ctx, p.Tenant, id)
}

// Explained is why a call has the fingerprint that it has.
type Explained struct {
	Rule       string // the pattern of the policy that matched; "" for unknown tools
	Source     string // its file:line
	Key        fingerprint.Digest
	Spec       string // digest of the rule's argument declarations
	Terms      []fingerprint.Term
	Canonical  string                  // the arguments in canonical form
	Other      []fingerprint.Term      // of the second call
	Comparison *fingerprint.Comparison // with the second call; Same also needs the same effect type and scope
	Recorded   *Effect                 // the effect under the key, if the principal may see one
}

// Fingerprint explains the fingerprint of a call and, with other, whether the two are the same effect. It changes
// nothing.
func (g *Guard) Fingerprint(ctx context.Context, p Principal, c Call, other *Call) (Explained, error) {
	r, err := g.propose(ctx, p, c)
	if err != nil {
		return Explained{}, err
	}
	x := Explained{
		Rule: r.rule.Pattern, Source: r.rule.Source, Key: r.sum.Key, Spec: r.rule.Arguments.Digest(), Terms: r.rule.Arguments.Terms(r.args),
		Canonical: string(r.args.AppendCanonical(nil)),
	}
	if other != nil {
		o, err := g.propose(ctx, p, *other)
		if e, ok := errors.AsType[*Error](err); ok && e.Field != "" {
			e.Field = "/other" + e.Field
		}
		if err != nil {
			return Explained{}, err
		}
		x.Other = o.rule.Arguments.Terms(o.args)
		c := fingerprint.Compare(x.Other, x.Terms)
		c.Same = o.sum.Key == r.sum.Key
		x.Comparison = &c
	}
	found, err := g.store.Lookup(ctx, r.sum.Key)
	if err != nil {
		return Explained{}, err
	}
	if e := found.Effect; e != nil && (p.Reviews() || e.Subject == p.Subject) {
		x.Recorded = e
	}
	return x, nil
}
