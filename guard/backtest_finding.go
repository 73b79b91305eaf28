package guard

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// BacktestKind is how a draft differs from the current policies in one call.
type BacktestKind string

// The kinds, the gravest first.
const (
	BacktestMerged   BacktestKind = "merged"   // it is answered for an earlier effect, and was one of its own
	BacktestSplit    BacktestKind = "split"    // it was answered for an earlier effect, and no longer is
	BacktestDenied   BacktestKind = "denied"   // it is not sent any more
	BacktestHeld     BacktestKind = "held"     // a person, or the agent, is asked first
	BacktestReleased BacktestKind = "released" // it was denied, held or recorded, and is sent without that
)

// BacktestKinds lists the kinds.
var BacktestKinds = []BacktestKind{BacktestMerged, BacktestSplit, BacktestDenied, BacktestHeld, BacktestReleased}

// BacktestReport is what a backtest has found.
type BacktestReport struct {
	Calls          int // all that were added
	Unread         int // of which no guard can read the arguments
	Untimed        int // of which nobody knows the time
	Current, Draft BacktestTotals
	Counts         map[BacktestKind]int
	Tools          []BacktestTool  // by kind, the most frequent first
	Limits         []BacktestLimit // of the draft, that had no room for some call
	Labels         BacktestLabels
	Findings       []BacktestFinding // by kind, the dearest first
}

// BacktestTotals counts what becomes of calls.
type BacktestTotals struct{ Passed, Sent, Repeated, Asked, Denied int }

func (t *BacktestTotals) add(e fate) {
	switch e {
	case fatePassed:
		t.Passed++
	case fateSent:
		t.Sent++
	case fateRepeated:
		t.Repeated++
	case fateAsked:
		t.Asked++
	default:
		t.Denied++
	}
}

// BacktestTool counts the findings of one kind about one tool, and the money in them.
type BacktestTool struct {
	Kind  BacktestKind
	Tool  string
	Calls int
	Money []BacktestMoney
}

// BacktestMoney is what amounts of one unit come to, in millionths. What does not fit, or is no whole number of them, is left out.
type BacktestMoney struct {
	Unit   string // currency of ISO 4217; "" where none is known
	Micros int64
}

// BacktestLimit says how often a limit had no room.
type BacktestLimit struct {
	Source string // file:line
	Calls  int
}

// BacktestFinding is one call that the draft treats otherwise.
type BacktestFinding struct {
	Kind     BacktestKind
	Tool     string
	Code     Code           // what the call would get under the draft
	Why      string         // the draft's own sentence, "" for none
	Amount   *policy.Amount // of the argument that is money; nil where there is none
	Now      BacktestCall
	Earlier  *BacktestCall // what the call is compared with; nil for none
	Deciding []string      // arguments in which the two differ so that it decides, or did before; empty where the scope or effect type does
	Sentence string        // for a person; quotes values, and is empty where the policy conceals some

	now, earlier uint64
	compared     bool
	nearness     fingerprint.Nearness
	order        int
}

type backtestTool struct {
	kind BacktestKind
	tool string
}

// compare notes what the draft makes otherwise of a call.
func (b *Backtest) compare(r BacktestReading, was, is ruled) {
	f := BacktestFinding{Kind: kindOf(was, is), Tool: r.call.Call.Tool, Code: is.code, Why: is.why, now: r.call.Ref, order: b.report.Calls}
	if f.Kind == "" {
		return
	}
	f.earlier, f.compared, f.nearness = is.earlier, is.compared, is.nearness
	if f.Kind == BacktestSplit {
		f.earlier, f.compared = was.earlier, true
	}
	b.report.Counts[f.Kind]++
	key := backtestTool{f.Kind, f.Tool}
	if b.tools[key] == nil {
		b.tools[key] = &BacktestTool{Kind: f.Kind, Tool: f.Tool}
	}
	b.tools[key].Calls++
	if amount, ok := b.money(r); ok {
		f.Amount = &amount
		b.tools[key].add(amount)
	}
	b.keep(f)
}

// kindOf says how two endings of one call differ; "" where the difference follows from one of another call.
func kindOf(was, is ruled) BacktestKind {
	switch {
	case was.fate == is.fate:
		return ""
	case is.fate == fateRepeated:
		return BacktestMerged
	case was.fate == fateRepeated:
		return BacktestSplit
	case is.fate == fateDenied:
		return BacktestDenied
	case was.fate == fateDenied, is.fate == fatePassed, was.fate == fateAsked:
		return BacktestReleased
	case is.fate == fateAsked:
		return BacktestHeld
	}
	return ""
}

// hidden names the arguments of a tool that either set conceals: a draft reveals nothing by leaving that out.
func (b *Backtest) hidden(tool string) map[string]bool {
	names := concealed(b.options.Current.Match(tool))
	maps.Copy(names, concealed(b.options.Draft.Match(tool)))
	return names
}

// Conceals reports whether either set conceals arguments of a tool, so that nothing of them may be shown.
func (b *Backtest) Conceals(tool string) bool { return len(b.hidden(tool)) > 0 }

// money is the amount of a call, as the draft declares it, else as the current policies do.
func (b *Backtest) money(r BacktestReading) (policy.Amount, bool) {
	if r.call.Sealed {
		return policy.Amount{}, false
	}
	hidden := b.hidden(r.call.Call.Tool)
	if amount, ok := r.draft.money(hidden); ok {
		return amount, true
	}
	return r.current.money(hidden)
}

// money is the amount of a call: what a limit adds up, else the first argument that is declared as money.
func (r *reading) money(hidden map[string]bool) (policy.Amount, bool) {
	path := ""
	for _, a := range r.rule.Arguments.Arguments() {
		if a.Kind.String() == "money" && path == "" {
			path = a.Name
		}
	}
	for _, l := range r.rule.Limits {
		if l.Sum != "" {
			path = l.Sum
			break
		}
	}
	if name, _, _ := strings.Cut(path, "."); path == "" || hidden[name] {
		return policy.Amount{}, false
	}
	amount, err := r.rule.Amount(policy.Limit{Sum: path}, r.args)
	return amount, err == nil
}

func (t *BacktestTool) add(a policy.Amount) {
	n, err := millionths(a.Value)
	if err != nil {
		return
	}
	i := slices.IndexFunc(t.Money, func(m BacktestMoney) bool { return m.Unit == a.Unit })
	if i < 0 {
		i = len(t.Money)
		t.Money = append(t.Money, BacktestMoney{Unit: a.Unit})
	}
	if sum := t.Money[i].Micros + n; sum >= t.Money[i].Micros {
		t.Money[i].Micros = sum
	}
}

// keep remembers a finding while it is among the dearest of its kind.
func (b *Backtest) keep(f BacktestFinding) {
	all := append(b.report.Findings, f)
	if len(all) >= 2*b.options.Keep*len(BacktestKinds)+1 {
		all = b.dearest(all)
	}
	b.report.Findings = all
}

// dearest sorts findings by kind and amount, and leaves out those for which there is no room.
func (b *Backtest) dearest(all []BacktestFinding) []BacktestFinding {
	slices.SortFunc(all, func(x, y BacktestFinding) int {
		return cmp.Or(cmp.Compare(slices.Index(BacktestKinds, x.Kind), slices.Index(BacktestKinds, y.Kind)), cmp.Compare(y.worth(), x.worth()), x.order-y.order)
	})
	kept := all[:0]
	room := map[BacktestKind]int{}
	for _, f := range all {
		if room[f.Kind]++; room[f.Kind] <= b.options.Keep {
			kept = append(kept, f)
		}
	}
	return kept
}

func (f *BacktestFinding) worth() float64 {
	if f.Amount == nil {
		return -1
	}
	return f.Amount.Value.Float64()
}

// Report ends the comparison.
func (b *Backtest) Report(ctx context.Context) (BacktestReport, error) {
	r := b.report
	r.Findings = b.dearest(r.Findings)
	for i := range r.Findings {
		if err := b.explain(ctx, &r.Findings[i]); err != nil {
			return r, err
		}
	}
	for _, t := range b.tools {
		r.Tools = append(r.Tools, *t)
	}
	slices.SortFunc(r.Tools, func(x, y BacktestTool) int {
		return cmp.Or(cmp.Compare(slices.Index(BacktestKinds, x.Kind), slices.Index(BacktestKinds, y.Kind)), y.Calls-x.Calls, strings.Compare(x.Tool, y.Tool))
	})
	for source, n := range b.draft.hits {
		r.Limits = append(r.Limits, BacktestLimit{source, n})
	}
	slices.SortFunc(r.Limits, func(x, y BacktestLimit) int { return cmp.Or(y.Calls-x.Calls, strings.Compare(x.Source, y.Source)) })
	return r, nil
}

// explain finds the calls of a finding again, and says what decides between them.
func (b *Backtest) explain(ctx context.Context, f *BacktestFinding) error {
	var err error
	if f.Now, err = b.options.Recall(ctx, f.now); err != nil || !f.compared {
		return err
	}
	earlier, err := b.options.Recall(ctx, f.earlier)
	if err != nil {
		return err
	}
	// What is merged was told apart by the current policies; anything else is by the draft.
	set := b.options.Draft
	if f.Kind == BacktestMerged && f.nearness.Argument == "" {
		set = b.options.Current
	}
	why, err := b.difference(set, &earlier, &f.Now, f.nearness)
	f.Earlier, f.Deciding, f.Sentence = &earlier, why.deciding, why.sentence
	return err
}

// pairDifference is in what two calls differ.
type pairDifference struct {
	deciding []string // arguments
	sentence string   // "" where a policy conceals something
}

// difference says in what two calls differ for a set.
func (b *Backtest) difference(set *policy.Set, earlier, now *BacktestCall, n fingerprint.Nearness) (d pairDifference, err error) {
	one, two := set.Match(earlier.Call.Tool), set.Match(now.Call.Tool)
	before, err := decodeArguments(earlier.Call.Arguments)
	if err != nil {
		return d, err
	}
	after, err := decodeArguments(now.Call.Arguments)
	if err != nil {
		return d, err
	}
	a, z := one.Arguments.Terms(before), two.Arguments.Terms(after)
	for _, differs := range fingerprint.Compare(a, z).Differs {
		if differs.Decides {
			d.deciding = append(d.deciding, differs.Argument)
		}
	}
	switch {
	case earlier.Sealed || now.Sealed || b.Conceals(earlier.Call.Tool) || b.Conceals(now.Call.Tool):
	case len(d.deciding) == 0:
		d.sentence = "The arguments are equal; the scope, the effect type or what was done in between decides."
	default:
		d.sentence = fingerprint.Sentence(two.Effect, a, z, n)
	}
	return d, nil
}
