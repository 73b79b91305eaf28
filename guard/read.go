package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
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
	return g.shown(e), nil
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
	e, err := g.Effect(ctx, p, id)
	if err != nil {
		return nil, err
	}
	events, err := g.store.Events(ctx, p.Tenant, id)
	return g.shownEvents(&e, events), err
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
	Verdict    Verdict                 // with the second call; "" without one
	Recorded   *Effect                 // the effect under the key, if the principal may see one
}

// Verdict is what a call is to another one, taken for an earlier one.
type Verdict struct {
	// Relation is SameEffect, NearEffect, OtherScope, SameIdentity, or "" for a different effect. The policy of the tool
	// says what follows from it.
	Relation Relation
	Nearness fingerprint.Nearness // of the wordings, where all else is equal
	Sentence string               // for a person; quotes values of the calls
}

// Fingerprint explains the fingerprint of a call and, with other, whether the two are the same effect. It changes
// nothing.
func (g *Guard) Fingerprint(ctx context.Context, p Principal, c Call, other *Call) (Explained, error) {
	now, err := g.rules(ctx)
	if err != nil {
		return Explained{}, err
	}
	x, err := g.explained(ctx, now, p, c, other)
	if err != nil {
		return Explained{}, err
	}
	found, err := g.store.Lookup(ctx, x.Key)
	if err != nil {
		return Explained{}, err
	}
	if e := found.Effect; e != nil && (p.Reviews() || e.Subject == p.Subject) {
		shown := g.shown(*e)
		x.Recorded = &shown
	}
	return x, nil
}

// FingerprintUnder is Fingerprint under other policies than those in force, such as CheckPolicy and CheckFile make them of a draft. Recorded is
// nil: nothing is recorded under them.
func (g *Guard) FingerprintUnder(ctx context.Context, p Principal, set *policy.Set, c Call, other *Call) (Explained, error) {
	return g.explained(ctx, &inForce{set: set}, p, c, other)
}

func (g *Guard) explained(ctx context.Context, now *inForce, p Principal, c Call, other *Call) (Explained, error) {
	r, err := g.fingerprinted(now, p, c)
	if err != nil {
		return Explained{}, err
	}
	x := Explained{
		Rule: r.rule.Pattern, Source: r.rule.Source, Key: r.sum.Key, Spec: r.rule.Arguments.Digest(), Terms: r.rule.Arguments.Terms(r.args),
		Canonical: string(r.args.AppendCanonical(nil)),
	}
	if other == nil {
		return x, nil
	}
	o, err := g.fingerprinted(now, p, *other)
	if e, ok := errors.AsType[*Error](err); ok && e.Field != "" {
		e.Field = "/other" + e.Field
	}
	if err != nil {
		return Explained{}, err
	}
	x.Other = o.rule.Arguments.Terms(o.args)
	compared := fingerprint.Compare(x.Other, x.Terms)
	compared.Same = o.sum.Key == r.sum.Key
	x.Comparison = &compared
	x.Verdict, err = g.verdict(ctx, o, r)
	return x, err
}

// fingerprinted reads a call and makes its fingerprint.
func (g *Guard) fingerprinted(now *inForce, p Principal, c Call) (*proposal, error) {
	if err := checkCall(&c); err != nil {
		return nil, err
	}
	r, err := g.proposeUnder(now, p, &c)
	if err != nil {
		return nil, err
	}
	return r, r.fingerprint()
}

// verdict compares a call with an earlier one as a claim would.
func (g *Guard) verdict(ctx context.Context, earlier, now *proposal) (Verdict, error) {
	var v Verdict
	if a, b := earlier.sum.Near, now.sum.Near; a == b && !a.IsZero() {
		var err error
		v.Nearness, err = fingerprint.Judge(ctx, g.wordings(now), earlier.rule.Arguments.Texts(earlier.args), now.rule.Arguments.Texts(now.args),
			now.rule.Near.Near, now.rule.Near.Same)
		if err != nil {
			return v, err
		}
		if v.Nearness.Verdict != fingerprint.Different {
			v.Relation = NearEffect
		}
	}
	switch a, b := earlier.sum, now.sum; {
	case a.Key == b.Key:
		v.Relation = SameEffect
	case v.Relation != "":
	case bytes.Equal(a.Key.Common(), b.Key.Common()) && now.inRun:
		v.Relation = OtherScope
	case a.Identity == b.Identity && !a.Identity.IsZero():
		v.Relation = SameIdentity
	}
	before, after := earlier.rule.Arguments.Terms(earlier.args), now.rule.Arguments.Terms(now.args)
	v.Sentence = fingerprint.Sentence(now.rule.Effect, before, after, v.Nearness)
	switch {
	case earlier.rule.Effect != now.rule.Effect:
		v.Sentence = fmt.Sprintf("Effects of two types: %q and %q.", earlier.rule.Effect, now.rule.Effect)
	case v.Relation == OtherScope:
		v.Sentence += " It is in another scope, such as another run."
	case v.Relation == "" && fingerprint.Compare(before, after).Same:
		v.Sentence = "The arguments are the same, but the calls differ in scope or occurrence."
	}
	return v, nil
}
