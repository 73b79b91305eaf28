package policy

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// compiler turns the tools of one document into rules. It works on one tool at a time and notes problems in the document.
type compiler struct {
	*reader
	label    string
	defaults settings
}

// compileSet checks the documents against each other and compiles them.
func compileSet(docs []*document) (*Set, error) {
	defaults, unknownTools := mergeDefaults(docs)
	refuseTwins(docs)
	rules := compileTools(docs, defaults)
	var problems Problems
	for _, d := range docs {
		problems = append(problems, d.problems...)
	}
	if err := problems.asError(); err != nil {
		return nil, err
	}
	return newSet(rules, unknownTools, defaults), nil
}

// mergeDefaults joins the defaults of all files, which hold for the whole set. A setting can be made in one file only.
func mergeDefaults(docs []*document) (settings, string) {
	type origin struct {
		d  *document
		at place
	}
	merged, unknownTools := settings{}, unknownGuard
	first := make(map[string]origin)
	for _, d := range docs {
		for key, where := range d.defaults.places {
			if o, ok := first[key]; ok {
				d.add(where, fmt.Sprintf("the default %q is also set at %s:%d", key, o.d.file, o.at.line), "defaults hold for all files; keep one of them")
				continue
			}
			first[key] = origin{d, where}
		}
		merged = d.defaults.over(merged)
		if d.unknownTools != "" {
			unknownTools = d.unknownTools
		}
	}
	merged = merged.over(builtin())
	if merged.near.Near > merged.near.Same {
		for _, key := range []string{"near.near", "near.same"} {
			if o, ok := first[key]; ok {
				o.d.add(o.at, nearAboveSame(merged.near), "make near.near the smaller one")
				break
			}
		}
	}
	return merged, unknownTools
}

// refuseTwins notes tools with the same name, in one file or in several.
func refuseTwins(docs []*document) {
	first := make(map[string]string)
	for _, d := range docs {
		for _, t := range d.tools {
			if t.name == "" {
				continue
			}
			here := fmt.Sprintf("%s:%d", d.file, t.at.line)
			if there, twice := first[t.name]; twice {
				d.add(t.at, fmt.Sprintf("the tool %q is also defined at %s", t.name, there), "keep one of them")
				continue
			}
			first[t.name] = here
		}
	}
}

// compileTools compiles tools side by side, because a large set would otherwise be slow to start.
func compileTools(docs []*document, defaults settings) []*Rule {
	const chunk = 32
	type share struct {
		d        *document
		tools    []toolDoc
		rules    []*Rule
		problems Problems
	}
	var shares []*share
	for _, d := range docs {
		for tools := range slices.Chunk(d.tools, chunk) {
			shares = append(shares, &share{d: d, tools: tools})
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range shares {
		group.Go(func() error {
			c := compiler{reader: &reader{report: report{file: s.d.file}}, label: s.d.label, defaults: defaults}
			for i := range s.tools {
				s.rules = append(s.rules, c.rule(&s.tools[i]))
			}
			s.problems = c.problems
			return nil
		})
	}
	// No share returns an error; problems are data.
	_ = group.Wait()
	var rules []*Rule
	for _, s := range shares {
		rules = append(rules, s.rules...)
		s.d.problems = append(s.d.problems, s.problems...)
	}
	return rules
}

// rule compiles one tool. The result is only of use when no problem was noted.
func (c *compiler) rule(t *toolDoc) *Rule {
	rule := &Rule{
		Pattern: t.name, Source: fmt.Sprintf("%s:%d", c.label, t.at.line), Effect: t.effect, Kind: Kind(t.kind),
		Idempotent: t.idempotent, Attempts: t.attempts, Occurrence: t.occurrence.Occurrence,
	}
	if rule.Effect == "" && !isGlob(t.name) {
		rule.Effect = t.name
	}
	rule.apply(t.settings.over(c.defaults))
	if t.schema != nil {
		rule.schema = c.schema(t.schema)
	}
	if rule.Arguments = t.spec(&c.report, rule.schema); rule.Arguments == nil {
		rule.Arguments = emptySpec()
	} else {
		c.checkNear(t, rule)
	}
	if t.resource != nil {
		c.checkResource(t, rule.schema)
		rule.resource = t.resource.resource
	}
	if t.upstream != nil {
		t.upstream.check(&c.report, t.known(rule.schema))
		rule.Upstream = &Upstream{HTTP: t.upstream.http}
	}
	if rule.On.Unknown == Retry {
		c.checkRetry(t, rule)
	}
	for _, doc := range t.conditions {
		if doc.condition.text == "" {
			continue
		}
		if e := c.expression(doc.condition, conditionEnv); e != nil {
			c.checkReads(doc.condition, e, rule.schema)
			rule.conditions = append(rule.conditions, condition{expression: e, then: doc.then, why: doc.why})
			rule.reads = rule.reads.and(e.reads)
		}
	}
	for i, doc := range t.outcomes {
		if doc.text == "" {
			continue
		}
		if e := c.expression(doc, outcomeEnv); e != nil {
			c.checkReads(doc, e, rule.schema)
			rule.outcomes = append(rule.outcomes, outcome{state: t.states[i], expression: e})
		}
	}
	if len(c.problems) == 0 {
		rule.seal()
	}
	return rule
}

// defaultRetries bounds how often an unknown effect is sent again under the same downstream key.
const defaultRetries = 3

// checkRetry holds "on.unknown: retry" against what makes it safe: an upstream that is certified to perform one key once.
func (c *compiler) checkRetry(t *toolDoc, rule *Rule) {
	where := t.settings.places["on.unknown"]
	if !t.idempotent {
		c.add(where, "on.unknown: retry would repeat an effect whose outcome is unknown",
			"add idempotent: true if the upstream performs one idempotency key at most once, or choose hold")
	}
	if t.upstream == nil || t.upstream.http.idempotencyHeader == "" {
		c.add(where, "on.unknown: retry needs a key that the upstream sees", "add upstream.http.idempotency_header, or choose hold")
	}
	if rule.Attempts == 0 {
		rule.Attempts = defaultRetries
	}
}
