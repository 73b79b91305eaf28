package guard

import (
	"context"
	"errors"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// A backtest asks of recorded calls what a draft of the policies would have made of them, and what the current policies would
// have. It sends nothing, knows no ledger and looks at no clock: each of the two sets has a ledger of its own that is kept in
// memory for as long as the backtest lasts (backtest_ledger.go), and what differs between the two is a finding
// (backtest_finding.go). What reviewers have decided about pairs of calls is held against the draft as well (backtest_label.go).
//
// What nobody can know is supposed: a held call was carried out after a person had looked at it, and so was one about which the
// agent was asked; a denied one was not. A window begins when the call was made. A rule that only warns is measured as if it were
// enforced, because that is the question before it is. Calls without a time are taken for calls of one moment, so that no
// window ends and nothing is counted for limits.
//
// Memory grows with the different effects, and not with the calls or their arguments: by 100 to 150 bytes for each, half as much again
// for each of these that the rules ask for: same_identity or history, near wordings, a resource, a limit by something that is different
// each time. Where a draft changes how calls are fingerprinted, it is twice as much (backtest_memory.go).

// BacktestCall is a call that was once made.
type BacktestCall struct {
	Ref       uint64 // by which BacktestOptions.Recall finds it again
	Principal Principal
	Call      Call
	At        time.Time // zero where nobody knows
	Failed    bool      // it was surely not applied
	Sealed    bool      // its arguments were kept encrypted: findings quote nothing of them
}

// BacktestOptions are what a backtest is made of. Current, Draft and Recall are needed.
type BacktestOptions struct {
	Current, Draft *policy.Set
	// Recall returns a call that was added before, by its Ref. It is asked for few of them.
	Recall func(ctx context.Context, ref uint64) (BacktestCall, error)
	// Keep is how many findings of each kind are kept, the dearest ones; 0 means 20. All are counted.
	Keep int
	// RunsApart says that each run had a world of its own, so that equal calls in different runs have nothing to do with each
	// other, whatever on.other_scope says.
	RunsApart bool
}

// BacktestCallOf is the call that an effect records.
func BacktestCallOf(e *Effect, ref uint64) BacktestCall {
	return BacktestCall{
		Ref: ref, At: e.Created, Failed: e.State == Failed || e.State == Refused,
		Principal: Principal{Tenant: e.Tenant, Subject: e.Subject, Role: RoleAgent},
		Call:      Call{Tool: e.Tool, Arguments: e.Arguments, Run: e.Run, Agent: e.Agent},
	}
}

// Backtest is a comparison under way. Read may be called at the same time from many goroutines; Add and Report may not.
type Backtest struct {
	options BacktestOptions
	maker   *fingerprint.Maker
	memory  *pastMemory
	current *pastLedger
	draft   *pastLedger
	report  BacktestReport
	tools   map[backtestTool]*BacktestTool
}

// NewBacktest begins a comparison.
func NewBacktest(o BacktestOptions) (*Backtest, error) {
	if o.Current == nil || o.Draft == nil || o.Recall == nil {
		return nil, errors.New("guard: a backtest needs two sets of policies, and a way to find a call again")
	}
	if o.Keep == 0 {
		o.Keep = 20
	}
	// The digests under this key are only compared and never shown.
	maker, err := fingerprint.NewMaker(make([]byte, fingerprint.MinKey))
	if err != nil {
		return nil, err
	}
	b := &Backtest{options: o, maker: maker, tools: map[backtestTool]*BacktestTool{}}
	b.report.Counts = map[BacktestKind]int{}
	b.memory = newPastMemory()
	b.current, b.draft = newPastLedger(o, o.Current, currentSide, b.memory), newPastLedger(o, o.Draft, draftSide, b.memory)
	return b, nil
}

// BacktestReading is what both sets say of one call by itself.
type BacktestReading struct {
	call           BacktestCall
	current, draft *reading
	err            error
}

// reading is what one set says of a call before any other call is looked at.
type reading struct {
	*proposal
	passes bool // the rule records nothing
	broken bool // the arguments break the schema
	err    error
	// unlimited is why nobody can say whether a limit is kept.
	unlimited error
}

// Read reads a call under both sets. It depends on nothing but the call, and takes most of the time.
func (b *Backtest) Read(ctx context.Context, c BacktestCall) BacktestReading {
	r := BacktestReading{call: c}
	if r.err = checkCall(&c.Call); r.err != nil {
		return r
	}
	if c.Principal.Agent != "" {
		c.Call.Agent = c.Principal.Agent
	}
	args, err := decodeArguments(c.Call.Arguments)
	if err != nil {
		r.err = err
		return r
	}
	r.current = b.read(ctx, b.options.Current, c, args)
	if was, is := r.current.rule, b.options.Draft.Match(c.Call.Tool); was.Digest == is.Digest && was.Effect == is.Effect {
		r.draft = r.current
		return r
	}
	r.draft = b.read(ctx, b.options.Draft, c, args)
	return r
}

func (b *Backtest) read(ctx context.Context, set *policy.Set, c BacktestCall, args fingerprint.Value) *reading {
	rule := set.Match(c.Call.Tool)
	r := &reading{proposal: &proposal{principal: c.Principal, call: c.Call, set: set, rule: rule, maker: b.maker, first: b.maker, args: args}}
	if rule.Mode == policy.ModeOff {
		r.passes = true
		return r
	}
	// Marks stand for values that the schema was checked with when the call was made.
	r.broken = len(rule.Validate(args)) > 0 && !(isVeiled(c.Call.Arguments) && b.Conceals(c.Call.Tool))
	if rule.Kind == policy.Read {
		r.passes = true
		r.check(ctx, c.At, &policy.History{})
		return r
	}
	if r.err = r.fingerprint(); r.err != nil {
		return r
	}
	if r.limits, r.unlimited = r.limitsOf(); r.unlimited != nil {
		r.limits = nil
	}
	if !rule.NeedsHistory() {
		r.check(ctx, c.At, nil)
	}
	return r
}

// check asks the rule's conditions.
func (r *reading) check(ctx context.Context, at time.Time, h *policy.History) {
	c, p := &r.call, &r.principal
	r.verdict = r.rule.Check(ctx, policy.Facts{
		Tool: c.Tool, Tenant: p.Tenant, Subject: p.Subject, Agent: c.Agent, Run: c.Run, Labels: c.Labels, Args: r.args, Now: at, History: h,
	})
	if r.unlimited != nil && r.verdict.Action == policy.ActAllow {
		r.verdict = policy.Verdict{Action: policy.ActHold, Err: r.unlimited, Why: "A limit cannot be checked: " + r.unlimited.Error() + "."}
	}
}

// Add takes in a call. Calls are added in the order in which they were made. An error is one of Recall or of the context.
func (b *Backtest) Add(ctx context.Context, r BacktestReading) error {
	b.report.Calls++
	if r.err != nil {
		b.report.Unread++
		return nil
	}
	if r.call.At.IsZero() {
		b.report.Untimed++
	}
	was, err := b.current.rule(ctx, r.current, &r.call)
	if err != nil {
		return err
	}
	is, err := b.draft.rule(ctx, r.draft, &r.call)
	if err != nil {
		return err
	}
	if was.recorded || is.recorded {
		b.record(r, was, is)
	}
	b.report.Current.add(was.fate)
	b.report.Draft.add(is.fate)
	b.compare(r, was, is)
	return nil
}

// record notes in which ledgers a call was carried out.
func (b *Backtest) record(r BacktestReading, was, is ruled) {
	at := micros(r.call.At)
	n := b.memory.add(past{r.call.Ref, at})
	if was.recorded {
		b.current.record(r.current, n, at)
	}
	if is.recorded {
		b.draft.record(r.draft, n, at)
	}
}
