package policy

import (
	"fmt"
	"slices"
	"time"
)

// The limits of a policy's values.
const (
	maxName       = 256 // bytes of a tool's name, an effect type or a scope label
	maxConditions = 100 // of one tool
	maxExpression = 10_000
	maxWhy        = 500

	minDuration = time.Second
	maxWindow   = 3650 * day
	maxLease    = 7 * day
	maxHold     = 90 * day
	maxAttempts = 1000
)

// toolDoc is one tool with all that it inherits.
type toolDoc struct {
	at          place
	name        string
	own         layer // what its own entry says
	said        layer // all of it
	effect      string
	kind        string
	annotations Annotations
	upstream    *httpDoc
	schema      *node
	types       *schemaTypes // of the schema; see argumentTypes
	arguments   []argumentDoc
	argumentAt  place // of its own key "arguments"; zero when it has none, and then arguments are inferred
	settings    settings
	resource    *resourceDoc
	occurrence  occurrenceDoc
	idempotent  bool
	attempts    int
	conditions  []conditionDoc
	limits      []limitDoc
	approvals   *approvalsDoc
	redact      []pathDoc
	seal        []pathDoc
	outcomes    []expressionDoc
	states      []string // of outcomes
}

// tool reads a tool with all that it inherits.
func (r *reader) tool(entry *toolEntry, defaults layer, groups []*group) toolDoc {
	said := defaults
	for _, g := range groups {
		said = g.said.over(said)
	}
	f := entry.own.over(said)
	t := toolDoc{at: entry.at, name: entry.name, own: entry.own, kind: string(Write), annotations: defaultAnnotations()}
	if e, ok := f.get("kind"); ok {
		t.kind = r.choice(e.value, "kind", []string{string(Write), string(Read)}, nil)
	}
	if t.kind == string(Read) {
		f = r.withoutEffects(f, entry.own)
	}
	t.said, t.settings = f, r.settings(f)
	if e, ok := f.get("effect"); ok {
		t.effect = r.name(e.value, "effect")
	}
	if e, ok := f.get("annotations"); ok {
		t.annotations = r.annotations(e.value)
	}
	if e, ok := f.get("upstream"); ok {
		t.upstream = r.upstream(e.value)
	}
	if e, ok := f.get("schema"); ok {
		t.schema = e.value
	}
	if e, ok := f.get("arguments"); ok {
		t.arguments = r.arguments(e.value)
		for i := range t.arguments {
			_, own := t.own.place("arguments." + t.arguments[i].decl.Name)
			t.arguments[i].inherited = !own
		}
	}
	if e, ok := entry.own.get("arguments"); ok {
		t.argumentAt = e.key
	}
	if e, ok := f.get("resource"); ok {
		t.resource = r.resource(e)
	}
	if e, ok := f.get("occurrence"); ok {
		t.occurrence = r.occurrence(e)
	}
	if e, ok := f.get("idempotent"); ok {
		t.idempotent = r.truth(e.value, "idempotent")
	}
	if e, ok := f.get("attempts"); ok {
		t.attempts = r.integer(e.value, "attempts", 1, maxAttempts)
	}
	r.judgement(&t, f)
	return t
}

// judgement reads what is said of whether a call may be made, who decides that, and what came of it.
func (r *reader) judgement(t *toolDoc, f layer) {
	if e, ok := f.get("rules"); ok {
		t.conditions = r.conditions(e.value)
	}
	if e, ok := f.get("limits"); ok {
		t.limits = r.limits(e.value)
	}
	if e, ok := f.get("approvals"); ok {
		t.approvals = r.approvals(e)
	}
	if e, ok := f.get("redact"); ok {
		t.redact = r.paths(e.value, "redact")
	}
	if e, ok := f.get("seal"); ok {
		t.seal = r.paths(e.value, "seal")
	}
	for _, state := range outcomeStates {
		if e, ok := f.get(state + "_when"); ok {
			t.outcomes = append(t.outcomes, r.expression(e))
			t.states = append(t.states, state)
		}
	}
}

// readKeys are those that mean something for a tool without effects.
var readKeys = []string{"name", "kind", "upstream", "schema", "annotations"}

// settingKeys are those of settings. A read tool inherits them to no effect but on the rule's digest, which must stay what it is.
var settingKeys = []string{"window", "lease", "hold", "scope", "on", "near", "share", "keys"}

// withoutEffects leaves out the keys that say something about effects: a read tool has none, so they would not be enforced.
// Where they are inherited that is meant, and where they are its own it is a mistake.
func (r *reader) withoutEffects(all, own layer) layer {
	var kept layer
	for _, key := range toolKeys.now {
		e, ok := all.get(key)
		if !ok {
			continue
		}
		if slices.Contains(readKeys, key) {
			kept = append(kept, e)
			continue
		}
		if mine, ok := own.get(key); !ok && slices.Contains(settingKeys, key) {
			kept = append(kept, e)
		} else if ok {
			r.add(mine.key, fmt.Sprintf("a tool of kind read passes straight through, so %q would not be enforced", key), "remove it, or make the tool kind: write")
		}
	}
	return kept
}
