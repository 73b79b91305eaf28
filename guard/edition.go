package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// An effect's key depends on what the policy said of arguments, scope and effect type when it was recorded: its edition.
// So that editing a policy reopens nothing, each edition is entered into the ledger's book before the first claim
// under it, and each call is looked up under all editions that its tool has had. A claim names the newest edition that its
// caller knows, and the store refuses it when there is a newer one: a replica that has not yet seen an edit cannot claim
// past an effect that another one records under it.

// recipe is the content of an edition: all on which an effect's key depends.
type recipe struct {
	Key        string            `json:"key,omitempty"`    // of the installation (keys.go); "" is the first one
	Effect     string            `json:"effect,omitempty"` // "" is the tool's own name
	Scope      []string          `json:"scope,omitempty"`
	Keys       policy.Keys       `json:"keys,omitempty"`
	Occurrence policy.Occurrence `json:"occurrence,omitzero"`
	Spec       *fingerprint.Spec `json:"spec"`
}

func recipeOf(r *policy.Rule) recipe {
	c := recipe{Effect: r.Effect, Scope: r.Scope, Keys: r.Keys, Occurrence: r.Occurrence, Spec: r.Arguments}
	if r.OwnEffect {
		c.Effect = ""
	}
	return c
}

// input is what a call contributes to its fingerprint beside its arguments.
func (c *recipe) input(p Principal, call Call) (fingerprint.Input, error) {
	in := fingerprint.Input{Tenant: p.Tenant, Effect: c.Effect, NoNear: true}
	if in.Effect == "" {
		in.Effect = call.Tool
	}
	var err error
	if in.Scope, err = scopeOf(c.Scope, p, call); err != nil {
		return in, err
	}
	in.Occurrence, err = c.occurrence(call)
	return in, err
}

// occurrence tells apart calls that are meant as several of the same. An argument that tells them apart is in the key as
// such.
func (c *recipe) occurrence(call Call) (string, error) {
	var parts []string
	if call.IdempotencyKey != "" && c.Keys == policy.KeysTrusted {
		parts = append(parts, "key", call.IdempotencyKey)
	}
	if name := c.Occurrence.Label; name != "" && call.Labels[name] != "" {
		parts = append(parts, "label", call.Labels[name])
	}
	switch most := c.Occurrence.Caller; {
	case call.Occurrence <= 1:
	case most == 0:
		return "", invalid("/occurrence", "the policy of this tool lets no caller declare that another one of the same is meant")
	case call.Occurrence > most:
		return "", invalid("/occurrence", fmt.Sprintf("the policy of this tool allows at most %d of the same", most))
	default:
		parts = append(parts, "caller", fmt.Sprint(call.Occurrence))
	}
	if parts == nil {
		return "", nil
	}
	text, err := json.Marshal(parts)
	return string(text), err
}

// another is an edition, not that of today's rule, under which calls of a tool may be recorded.
type another struct {
	*recipe
	// loose says that its pattern is about several tools, which share one effect type by it, and that the tool has a rule of its
	// own today. It may always have had.
	loose bool
}

// of returns the other editions under which calls of a tool may be recorded, the latest first, and the number of the newest
// edition of any tool. It enters the edition of the rule, if it is new. It fails with errPoliciesChanged where the book has a newer
// policy than the call was read under: a claim under that number would be one under the older policy.
func (b *book) of(ctx context.Context, r *proposal) (others []another, newest int64, err error) {
	rule, tool := r.rule, r.call.Tool
	own, err := b.enter(ctx, r.set, rule)
	if err != nil {
		return nil, 0, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.err != nil {
		return nil, 0, unreadable(b.err)
	}
	if b.policies.newest != r.policies {
		return nil, 0, errPoliciesChanged
	}
	for i := len(b.editions) - 1; i >= 0; i-- {
		e := &b.editions[i]
		if e.number == own.number || e.text == own.text || !e.about(tool) {
			continue
		}
		if e.err != nil {
			return nil, 0, unreadable(e.err)
		}
		others = append(others, another{&e.recipe, e.recipe.Effect != "" && e.pattern != tool && e.pattern != rule.Pattern})
	}
	return others, b.newest, nil
}

// enter finds the edition of a rule, and adds it to the ledger's book if it is not there, together with those of the rules that
// share its effect type: an effect that one tool has begun must be found by the others when all of them were edited.
func (b *book) enter(ctx context.Context, set *policy.Set, rule *policy.Rule) (*edition, error) {
	at := rule.Pattern
	if rule.OwnEffect {
		at += "\x00own"
	}
	b.mu.RLock()
	var known *edition
	if b.read && b.set == set {
		known = b.present[at]
	}
	b.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	var made *edition
	var err error
	for _, r := range append(slices.DeleteFunc(set.Rules(), func(r *policy.Rule) bool {
		return r.Effect != rule.Effect || r.Pattern == rule.Pattern
	}), rule) {
		if made, err = b.add(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := b.refresh(ctx); err != nil {
		return nil, notEntered(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set != set {
		b.set, b.present = set, map[string]*edition{}
	}
	b.present[at] = made
	return made, nil
}

// add makes sure that the edition of a rule is in the ledger's book.
func (b *book) add(ctx context.Context, rule *policy.Rule) (*edition, error) {
	made := recipeOf(rule)
	made.Key = b.keys.name
	text, err := json.Marshal(made)
	if err != nil {
		return nil, &Error{Code: CodeInternal, Op: "call", Message: "the policy of this tool cannot be recorded", Err: err}
	}
	e, err := b.store.Enter(ctx, Entry{Kind: EntryEdition, Name: rule.Pattern, Text: text})
	if err != nil {
		return nil, notEntered(err)
	}
	return &edition{number: e.Number, pattern: e.Name, text: string(text)}, nil
}

func notEntered(err error) error {
	return &Error{Code: CodeUnavailable, Op: "call", Retry: time.Second, Err: err,
		Message: "the ledger could not record how calls of this tool are compared; nothing was sent"}
}
