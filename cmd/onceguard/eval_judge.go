package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// outcome is what a guard would do with the second of two calls, when the first was carried out just before.
type outcome int

const (
	judgedApart  outcome = iota // it is another effect
	judgedHeld                  // a person, or the agent itself, is asked
	judgedMerged                // it is the same effect
)

// finding is an outcome and where it comes from.
type finding struct {
	outcome  outcome
	relation guard.Relation       // "" for none
	nearness fingerprint.Nearness // of the wordings, where all else is equal
	earlier  *readCall            // what it is near to, or acts on the same thing
	unread   error                // the arguments of one call could not be read, so a guard refuses it
}

// comparer tells calls apart as a guard with these policies does.
type comparer struct {
	policies *policy.Set
	maker    *fingerprint.Maker
	wording  *fingerprint.Spec // of a call that is nothing but a text
}

// wordingArgument is the one argument of a call that stands for a text.
const wordingArgument = "text"

func newComparer(policies *policy.Set) (*comparer, error) {
	// The digests under this key are only compared and never shown.
	maker, err := fingerprint.NewMaker(make([]byte, fingerprint.MinKey))
	if err != nil {
		return nil, err
	}
	kind, err := fingerprint.ParseKind("text")
	if err != nil {
		return nil, err
	}
	wording, err := fingerprint.NewSpec([]fingerprint.Argument{{Name: wordingArgument, Kind: kind}})
	return &comparer{policies: policies, maker: maker, wording: wording}, err
}

// readCall is a call that was read under the rule of its tool.
type readCall struct {
	rule *policy.Rule
	spec *fingerprint.Spec
	args fingerprint.Value
	sum  fingerprint.Sum
}

// read fingerprints a call without a scope, because only calls of one scope are compared.
func (c *comparer) read(rule *policy.Rule, spec *fingerprint.Spec, arguments string) (readCall, error) {
	args, err := fingerprint.Decode([]byte(arguments), fingerprint.Limits{})
	if err == nil && args.Type() != fingerprint.Object {
		err = errors.New("the arguments are no JSON object")
	}
	if err != nil {
		return readCall{}, err
	}
	in := fingerprint.Input{Effect: rule.Effect, NoNear: rule.On.Near == policy.Allow}
	return readCall{rule: rule, spec: spec, args: args, sum: c.maker.Sum(spec, in, args)}, nil
}

// readPair reads both sides of a pair.
func (c *comparer) readPair(p labelledPair) (a, b readCall, err error) {
	one, two := p.bytes()
	rule := c.policies.Match(p.Tool)
	spec := rule.Arguments
	if p.ofTexts() {
		spec, one, two = c.wording, asCall(one), asCall(two)
	}
	if a, err = c.read(rule, spec, one); err == nil {
		b, err = c.read(rule, spec, two)
	}
	return a, b, err
}

func asCall(text string) string {
	call, err := json.Marshal(map[string]string{wordingArgument: text})
	if err != nil {
		panic(fmt.Sprintf("a string cannot be written as JSON: %v", err)) // encoding/json writes any
	}
	return string(call)
}

// relate tells what becomes of a call after earlier ones: the strongest of what it is to any of them.
func (c *comparer) relate(ctx context.Context, earlier *history, now readCall) (finding, error) {
	if now.rule.Kind == policy.Read {
		return finding{}, nil // it passes, and nobody compares it
	}
	if earlier.answers(now) {
		return finding{outcome: judgedMerged, relation: guard.SameEffect}, nil
	}
	f, err := nearest(ctx, earlier.near[now.sum.Near], now)
	if on := now.rule.On.SameIdentity; f.outcome == judgedApart && (on == policy.Hold || on == policy.Block) {
		if e, acted := earlier.identities[now.sum.Identity]; acted {
			f.outcome, f.relation, f.earlier = judgedHeld, guard.SameIdentity, &e
		}
	}
	return f, err
}

// nearest compares the wordings of calls that are equal otherwise.
func nearest(ctx context.Context, near []readCall, now readCall) (finding, error) {
	if len(near) == 0 {
		return finding{}, nil
	}
	texts := make([][]fingerprint.Text, len(near))
	for i, e := range near {
		texts[i] = e.spec.Texts(e.args)
	}
	found, err := fingerprint.JudgeAll(ctx, now.rule.Wordings(), texts, now.spec.Texts(now.args), now.rule.Near.Near, now.rule.Near.Same)
	if err != nil {
		return finding{}, err
	}
	best := finding{nearness: found[0]}
	for i, n := range found {
		if n.Verdict != fingerprint.Different && (best.outcome == judgedApart || n.Score > best.nearness.Score) {
			best = finding{outcome: judgedHeld, relation: guard.NearEffect, nearness: n, earlier: &near[i]}
		}
	}
	if best.outcome == judgedHeld && now.rule.On.Near == policy.Replay {
		best.outcome = judgedMerged
	}
	return best, nil
}

// history is what was carried out so far in one scope.
type history struct {
	keys       map[fingerprint.Digest]bool
	identities map[fingerprint.Digest]readCall   // the newest one
	near       map[fingerprint.Digest][]readCall // the newest ones, as a guard looks at them
	latest     map[string]fingerprint.Digest     // by resource, the effect that was carried out last
}

func newHistory() *history {
	return &history{
		keys: map[fingerprint.Digest]bool{}, identities: map[fingerprint.Digest]readCall{},
		near: map[fingerprint.Digest][]readCall{}, latest: map[string]fingerprint.Digest{},
	}
}

func (h *history) add(c readCall) {
	h.keys[c.sum.Key] = true
	if !c.sum.Identity.IsZero() {
		h.identities[c.sum.Identity] = c
	}
	if n := c.sum.Near; !n.IsZero() {
		if len(h.near[n]) == guard.RivalMost {
			h.near[n] = h.near[n][1:]
		}
		h.near[n] = append(h.near[n], c)
	}
	if r := c.resource(); r != "" {
		h.latest[r] = c.sum.Key
	}
}

// answers reports whether an equal effect still answers: it was not superseded by another one on the same resource.
func (h *history) answers(c readCall) bool {
	if !h.keys[c.sum.Key] {
		return false
	}
	r := c.resource()
	return r == "" || h.latest[r] == c.sum.Key
}

// resource names what the call acts on; "" where its rule does not tell.
func (c readCall) resource() string {
	parts := c.rule.Resource(c.args)
	if parts == nil {
		return ""
	}
	return fmt.Sprintf("%q", parts)
}

// judgedPair is what policies make of a labelled pair.
type judgedPair struct {
	finding
	a, b                readCall
	rawEqual, jsonEqual bool
	mistake             mistakeKind // "" where the policies get it right, or nobody can say
}

// judge decides on the second side of a pair after the first was carried out.
func (c *comparer) judge(ctx context.Context, p labelledPair) (j judgedPair, err error) {
	if j.a, j.b, j.unread = c.readPair(p); j.unread == nil {
		h := newHistory()
		h.add(j.a)
		if j.finding, err = c.relate(ctx, h, j.b); err != nil {
			return j, err
		}
	}
	j.rawEqual, j.jsonEqual = p.baselines()
	j.mistake = wrongly(meaningOf(p.Label), j.finding, j.rawEqual)
	return j, nil
}

// baselines tell two sides apart without knowing what they mean.
func (p *labelledPair) baselines() (rawEqual, jsonEqual bool) {
	a, b := p.bytes()
	if a == b || p.ofTexts() {
		return a == b, a == b
	}
	one, err := fingerprint.Decode([]byte(a), fingerprint.Limits{})
	if err != nil {
		return false, false
	}
	two, err := fingerprint.Decode([]byte(b), fingerprint.Limits{})
	if err != nil {
		return false, false
	}
	return false, string(one.AppendCanonical(nil)) == string(two.AppendCanonical(nil))
}
