package policy

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// compiler turns the tools of a set into rules, one at a time, and notes problems.
type compiler struct {
	*reader
	defaults  layer
	groups    map[*toolEntry][]*group
	endpoints []endpointDoc
	shared    *shared
}

// sources is what a set was made of, so that another one that has much of it in common is made quickly.
type sources struct {
	files []*file
	// general are the files that say something of tools which others define.
	general []*file
	rules   map[*file][]*Rule // the rules of each file
}

// compileFiles reads the files, checks them against each other and compiles them. Rules are taken over from the set before, which may be
// nil, where nothing that they are made of has changed.
func compileFiles(files []*file, before *Set) (*Set, error) {
	docs := readAll(files)
	across := new(report)
	base := compiler{defaults: joinDefaults(across, docs), endpoints: joinEndpoints(across, docs), shared: new(shared)}
	refuseTwins(across, docs)
	base.groups = assignGroups(across, docs)

	made := sources{files: files, rules: make(map[*file][]*Rule, len(files))}
	unknownTools := unknownGuard
	for i, d := range docs {
		if d.isGeneral() {
			made.general = append(made.general, files[i])
		}
		if d.unknownTools != "" {
			unknownTools = d.unknownTools
		}
	}
	if before != nil && slices.Equal(made.general, before.sources.general) {
		for _, f := range files {
			if rules, ok := before.sources.rules[f]; ok {
				made.rules[f] = rules
			}
		}
	}
	problems := made.compile(base)
	for _, d := range docs {
		problems = append(problems, d.problems...)
	}
	base.reader = new(reader)
	base.checkGroups(docs)
	unknown := base.unknown(unknownTools)
	if err := slices.Concat(problems, across.problems, base.problems).asError(); err != nil {
		return nil, err
	}
	var rules []*Rule
	for _, f := range files {
		rules = append(rules, made.rules[f]...)
	}
	set := newSet(rules, unknown, unknownTools, endpointsOf(base.endpoints))
	set.sources = made
	return set, nil
}

// readAll reads files side by side.
func readAll(files []*file) []*document {
	docs := make([]*document, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		group.Go(func() error {
			docs[i] = f.document()
			return nil
		})
	}
	// No document returns an error; problems are data.
	_ = group.Wait()
	return docs
}

// refuseTwins notes tools with the same name, in one file or in several.
func refuseTwins(r *report, docs []*document) {
	first := make(map[string]place)
	for _, d := range docs {
		for _, t := range d.tools {
			if t.name == "" {
				continue
			}
			if there, twice := first[t.name]; twice {
				r.add(t.at, fmt.Sprintf("the tool %q is also defined at %s:%d", t.name, there.file.name, there.line), "keep one of them")
				continue
			}
			first[t.name] = t.at
		}
	}
}

// compile adds the rules of the files that have none yet. Tools are compiled side by side, because a large set would otherwise be slow to
// start.
func (s *sources) compile(base compiler) Problems {
	const chunk = 32
	type share struct {
		file     *file
		tools    []toolEntry
		rules    []*Rule
		problems Problems
	}
	var shares []*share
	for _, f := range s.files {
		if _, done := s.rules[f]; done {
			continue
		}
		s.rules[f] = nil
		for tools := range slices.Chunk(f.document().tools, chunk) {
			shares = append(shares, &share{file: f, tools: tools})
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range shares {
		group.Go(func() error {
			c := base
			c.reader = new(reader)
			for i := range s.tools {
				t := c.tool(&s.tools[i], c.defaults, c.groups[&s.tools[i]])
				s.rules = append(s.rules, c.rule(&t))
			}
			s.problems = c.problems
			return nil
		})
	}
	// No share returns an error; problems are data.
	_ = group.Wait()
	var problems Problems
	for _, share := range shares {
		s.rules[share.file] = append(s.rules[share.file], share.rules...)
		problems = append(problems, share.problems...)
	}
	return problems
}

// rule compiles one tool. The result is only of use when no problem was noted.
func (c *compiler) rule(t *toolDoc) *Rule {
	rule := &Rule{
		Pattern: t.name, Source: t.at.source(), Effect: t.effect, Kind: Kind(t.kind), Annotations: t.annotations,
		Idempotent: t.idempotent, Attempts: t.attempts, Occurrence: t.occurrence.Occurrence,
	}
	if rule.Effect == "" && !isGlob(t.name) {
		rule.Effect = t.name
	}
	rule.apply(t.settings)
	if t.schema != nil {
		rule.schema = c.shared.schema(c.reader, t.schema)
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
	if t.upstream != nil && t.upstream.complete(&c.report, t) {
		t.upstream.check(&c.report, t.known(rule.schema))
		rule.Upstream = &Upstream{HTTP: t.upstream.http}
	}
	if rule.On.Unknown == Retry {
		c.checkRetry(t, rule)
	}
	c.judge(t, rule)
	if len(c.problems) == 0 {
		rule.seal()
		rule.lines = &lines{said: t.said, kind: rule.Kind, schema: rule.schema}
	}
	return rule
}

// judge compiles what is said of whether a call may be made, who decides that, and what came of it.
func (c *compiler) judge(t *toolDoc, rule *Rule) {
	for _, doc := range t.conditions {
		if doc.condition.text == "" {
			continue
		}
		if e := c.condition(doc.condition, "rules", t, rule); e != nil {
			rule.conditions = append(rule.conditions, condition{expression: e, then: doc.then, why: doc.why})
			rule.reads = rule.reads.and(e.reads)
		}
	}
	for i, doc := range t.outcomes {
		if doc.text == "" {
			continue
		}
		if e := c.outcome(doc, t.states[i], t, rule); e != nil {
			rule.outcomes = append(rule.outcomes, outcome{state: t.states[i], expression: e})
		}
	}
	c.limits(t, rule)
	c.approve(t, rule)
	rule.Redact, rule.Seal = c.concealed(t, rule.schema)
}

// unknown makes the rule of the tools that no policy names: what the defaults say.
func (c *compiler) unknown(choice string) *Rule {
	t := c.tool(&toolEntry{}, c.defaults, nil)
	rule := c.rule(&t)
	rule.Unknown, rule.Source = true, ""
	switch choice {
	case unknownPass:
		rule.Kind = Read
	case unknownDeny:
		rule.refused = true
	}
	if len(c.problems) == 0 {
		rule.seal()
	}
	return rule
}

// checkGroups reads each group by itself, so that what every tool says otherwise is checked as well.
func (c *compiler) checkGroups(docs []*document) {
	for _, d := range docs {
		for i := range d.groups {
			c.tool(&toolEntry{at: d.groups[i].at, own: d.groups[i].said}, nil, nil)
		}
	}
}

// defaultRetries bounds how often an unknown effect is sent again under the same downstream key.
const defaultRetries = 3

// checkRetry holds "on.unknown: retry" against what makes it safe: an upstream that is certified to perform one key once.
func (c *compiler) checkRetry(t *toolDoc, rule *Rule) {
	where, _ := t.said.place("on.unknown")
	if !t.idempotent {
		c.add(where, "on.unknown: retry would repeat an effect whose outcome is unknown"+t.inheriting("on.unknown"),
			"add idempotent: true if the upstream performs one idempotency key at most once, or choose hold")
	}
	if rule.Upstream == nil || rule.Upstream.HTTP.idempotencyHeader == "" {
		c.add(where, "on.unknown: retry needs a key that the upstream sees"+t.inheriting("on.unknown"), "add upstream.http.idempotency_header, or choose hold")
	}
	if rule.Attempts == 0 {
		rule.Attempts = defaultRetries
	}
}

// inheriting names the tool in a message about a key that it inherits, because the problem is then written elsewhere.
func (t *toolDoc) inheriting(key string) string {
	if _, own := t.own.place(key); own {
		return ""
	}
	return fmt.Sprintf(", in the tool %q, which inherits it", t.name)
}
