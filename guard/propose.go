package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// proposal is a call with all that is known about it before the ledger is asked.
type proposal struct {
	principal Principal
	call      Call
	set       *policy.Set
	policies  int64 // the newest policy in the book of which set was made
	rule      *policy.Rule
	maker     *fingerprint.Maker // under the installation key in use
	first     *fingerprint.Maker // under the first one, for what must not begin anew with another
	args      fingerprint.Value
	bytes     []byte // the argument text that is recorded and sent
	execute   Execute
	sum       fingerprint.Sum
	inRun     bool // the scope of the call has a run in it
	callerKey fingerprint.Digest
	resource  fingerprint.Digest
	aliases   []fingerprint.Digest // the keys of the call under other editions of the rule
	loose     []fingerprint.Digest // those of them that are due to nothing but a loose edition
	book      int64                // the newest edition that was known when aliases was made
	verdict   policy.Verdict
	limits    []Limit   // what a claim of the call counts
	deadline  time.Time // until when the caller is ready to wait

	// What the rounds of settleOn have found out about other effects.
	rival     *Effect // asks for a person
	rivalCode Code
	rivalLike likeness
	pastTold  bool        // what a person said of the call was followed
	looked    bool        // for the call's own effect, although this process had not met its key
	over      *overLimit  // a limit that has no room
	warned    Code        // what a rule that only warns would have done
	seen      [3][]Prior  // rivals that were looked at: in other scopes, of the same identity, of near wording
	own       *Effect     // what stands under the call's own key
	meant     []situation // beside which the agent has declared the call
}

// propose reads a call. An error is the caller's mistake and names the field.
func (g *Guard) propose(ctx context.Context, p Principal, c Call) (*proposal, error) {
	if err := checkCall(&c); err != nil {
		return nil, err
	}
	now, err := g.rules(ctx)
	if err != nil {
		return nil, err
	}
	return g.proposeUnder(now, p, &c)
}

// proposeUnder reads a call, whose texts were checked, under the given policies.
func (g *Guard) proposeUnder(now *inForce, p Principal, c *Call) (*proposal, error) {
	r := &proposal{principal: p, call: *c, set: now.set, policies: now.number, rule: now.set.Match(c.Tool), maker: g.maker, first: g.keys.first}
	if p.Agent != "" {
		r.call.Agent = p.Agent
	}
	err := unusable(r.rule)
	if err != nil {
		return nil, err
	}
	if r.args, err = c.decode(); err != nil {
		return nil, err
	}
	r.bytes = r.args.Raw()
	if r.execute, err = executor(r.rule, c.Execute); err != nil {
		return nil, err
	}
	r.deadline = time.Now().Add(g.budget(c.Wait))
	return r, nil
}

// weigh asks the rule's conditions.
func (g *Guard) weigh(ctx context.Context, r *proposal) {
	r.verdict = r.rule.Check(ctx, g.facts(ctx, r))
	if r.verdict.Err != nil {
		g.log.WarnContext(ctx, "a condition could not be evaluated, so the call is held", "tool", r.call.Tool, "rule", r.verdict.Rule, "error", r.verdict.Err)
	}
}

// facts is what conditions see of a call.
func (g *Guard) facts(ctx context.Context, r *proposal) policy.Facts {
	c, p := &r.call, &r.principal
	return policy.Facts{
		Tool: c.Tool, Tenant: p.Tenant, Subject: p.Subject, Agent: c.Agent, Run: c.Run,
		Labels: c.Labels, Args: r.args, Now: g.now(), History: g.history(ctx, r),
	}
}

// count makes what the call uses of its limits. A call whose amounts cannot be read is held.
func (g *Guard) count(ctx context.Context, r *proposal) {
	if len(r.rule.Limits) == 0 {
		return
	}
	var err error
	if r.limits, err = r.limitsOf(); err != nil {
		g.log.WarnContext(ctx, "a limit could not be checked, so the call is held", "tool", r.call.Tool, "error", err)
		if r.verdict.Action == policy.ActAllow {
			r.verdict = policy.Verdict{Action: policy.ActHold, Err: err, Why: "A limit of the policy cannot be checked, so a person has to decide: " + err.Error() + "."}
		}
	}
}

// fingerprint makes the digests of the call under the rule of today.
func (r *proposal) fingerprint() error {
	c, p := recipeOf(r.rule), r.principal
	in, err := c.input(p, r.call)
	if err != nil {
		return err
	}
	// Other scopes are other runs. Where the scope is something else, such as the subject, it is meant to keep effects apart.
	r.inRun = slices.ContainsFunc(in.Scope, func(part fingerprint.ScopePart) bool { return part.Name == policy.ScopeRun })
	in.NoNear = r.rule.On.Near == policy.Allow
	r.sum = r.call.Reading.sum(r.maker, r.rule.Arguments, in, r.args)
	if r.call.IdempotencyKey != "" {
		r.callerKey = r.first.Mark("caller key", p.Tenant, p.Subject, r.rule.Effect, r.call.IdempotencyKey)
	}
	if parts := r.rule.Resource(r.args); parts != nil {
		r.resource = r.first.Mark("resource", append([]string{p.Tenant}, parts...)...)
	}
	return nil
}

// reckon makes the keys of the call under the other editions of its tool. A call that an edition could not have recorded, for
// want of a run or label that its scope needs, has no key under it.
func (g *Guard) reckon(ctx context.Context, r *proposal) error {
	others, newest, err := g.book.of(ctx, r)
	if err != nil {
		return err
	}
	r.book, r.aliases, r.loose = newest, nil, nil
	for _, other := range others {
		in, err := other.input(r.principal, r.call)
		if err != nil {
			continue
		}
		key := g.keys.byName[other.Key].Sum(other.Spec, in, r.args).Key
		switch {
		case key == r.sum.Key:
			continue
		case !r.isAlias(key):
			r.aliases = append(r.aliases, key)
			if other.loose {
				r.loose = append(r.loose, key)
			}
		case !other.loose:
			r.loose = slices.DeleteFunc(r.loose, func(k fingerprint.Digest) bool { return k == key })
		}
	}
	return nil
}

func (r *proposal) isAlias(key fingerprint.Digest) bool { return slices.Contains(r.aliases, key) }

// disowns reports whether an effect under one of the aliases is that of another tool, with which this one shares no effect
// type: it was recorded under a glob that is not about this tool, or no longer. Its key is no alias from then on.
func (r *proposal) disowns(e *Effect) bool {
	if e.Tool == r.call.Tool || e.Type == r.rule.Effect || !slices.Contains(r.loose, e.Key) {
		return false
	}
	r.aliases = slices.DeleteFunc(slices.Clone(r.aliases), func(k fingerprint.Digest) bool { return k == e.Key })
	return true
}

func (g *Guard) budget(wait time.Duration) time.Duration {
	switch {
	case wait == 0:
		wait = g.times.Wait
	case wait < 0:
		return 0
	}
	return min(wait, MaxWait)
}

func checkCall(c *Call) error {
	if c.Tool == "" {
		return invalid("/tool", "is missing: name the tool that is to be called")
	}
	texts := []struct {
		field, value string
		most         int
	}{
		{"/tool", c.Tool, MaxToolName},
		{"/call_id", c.CallID, MaxHandle},
		{"/run", c.Run, MaxHandle},
		{"/agent", c.Agent, MaxHandle},
		{"/idempotency_key", c.IdempotencyKey, MaxHandle},
	}
	for _, t := range texts {
		if err := checkText(t.field, t.value, t.most); err != nil {
			return err
		}
	}
	if err := checkConfirm(&c.Confirm); err != nil {
		return err
	}
	if c.Occurrence < 0 {
		return invalid("/occurrence", "must be 1 for the first, 2 for the second, and so on")
	}
	if len(c.Labels) > MaxLabels {
		return invalid("/labels", fmt.Sprintf("at most %d labels are allowed", MaxLabels))
	}
	for name, value := range c.Labels {
		field := "/labels/" + pointerEscaper.Replace(name)
		if err := errors.Join(checkText("/labels", name, MaxHandle), checkText(field, value, MaxHandle)); err != nil {
			return invalid(field, "is too long or not UTF-8")
		}
	}
	switch c.Execute {
	case "", ByGuard, ByCaller:
		return nil
	}
	return invalid("/execute", `must be "guard" or "caller"`)
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func checkText(field, value string, most int) error {
	switch {
	case len(value) > most:
		return invalid(field, fmt.Sprintf("is longer than %d bytes", most))
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return invalid(field, "must be UTF-8 text without control characters")
	}
	return nil
}

func invalid(field, message string) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: message}
}

// decode reads the arguments of a call.
func (c *Call) decode() (fingerprint.Value, error) {
	if c.Reading != nil {
		return c.Reading.Object()
	}
	return decodeArguments(c.Arguments)
}

// decodeArguments reads an object, or a JSON string that holds one. The value's raw bytes are what is sent.
func decodeArguments(text []byte) (fingerprint.Value, error) {
	if len(text) == 0 {
		return fingerprint.Value{}, invalid("/arguments", `is missing; a tool without arguments gets {}`)
	}
	v, err := fingerprint.Decode(text, fingerprint.Limits{})
	if err != nil {
		return fingerprint.Value{}, argumentError(err)
	}
	return unwrapped(v)
}

// unwrapped is an object, or the one in a JSON string.
func unwrapped(v fingerprint.Value) (_ fingerprint.Value, err error) {
	if v.Type() == fingerprint.String {
		if v, err = fingerprint.Decode([]byte(v.Text()), fingerprint.Limits{}); err != nil {
			return fingerprint.Value{}, argumentError(err)
		}
	}
	if v.Type() != fingerprint.Object {
		return fingerprint.Value{}, invalid("/arguments", "must be a JSON object, or a string that holds one")
	}
	return v, nil
}

func executor(r *policy.Rule, asked Execute) (Execute, error) {
	switch {
	case asked == ByGuard && r.Upstream == nil:
		return "", invalid("/execute", "no policy names an upstream for this tool, so only the caller can run it")
	case asked != "":
		return asked, nil
	case r.Upstream != nil:
		return ByGuard, nil
	}
	return ByCaller, nil
}

// scopeOf fills in the rule's scope. A part that the rule names and the call lacks is an error: a missing part must
// not make strangers share effects.
func scopeOf(names []string, p Principal, c Call) ([]fingerprint.ScopePart, error) {
	if names == nil {
		if c.Run != "" {
			names = []string{"run"}
		} else {
			names = []string{"subject"}
		}
	}
	parts := make([]fingerprint.ScopePart, 0, len(names))
	for _, name := range names {
		var value, field string
		switch name {
		case "tenant":
			continue // always in the fingerprint
		case "run":
			value, field = c.Run, "/run"
		case "agent":
			value, field = c.Agent, "/agent"
		case "subject":
			value = p.Subject
		default:
			label := strings.TrimPrefix(name, "label:")
			value, field = c.Labels[label], "/labels/"+pointerEscaper.Replace(label)
		}
		if value == "" {
			return nil, invalid(field, "the policy of this tool tells effects apart by it, so every call must name it")
		}
		parts = append(parts, fingerprint.ScopePart{Name: name, Value: value})
	}
	return parts, nil
}

// argumentError turns a decoding error into one that names the place within the call.
func argumentError(err error) error {
	if d, ok := errors.AsType[*fingerprint.DecodeError](err); ok {
		return &Error{Code: CodeInvalid, Field: "/arguments" + d.Path, Message: d.Detail, Err: err}
	}
	return &Error{Code: CodeInvalid, Field: "/arguments", Message: "cannot be read as JSON", Err: err}
}
