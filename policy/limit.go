package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// Limit bounds the calls of a period: how many they are, or what an argument of them adds up to. Exactly one of Count and Sum
// is set. Calls that are sent count, and not those that are replayed, blocked or refused.
type Limit struct {
	Count    int                 // most calls; 0 where the limit is a sum
	Sum      string              // path of the argument that is added up, such as "amount" or "total.value"; "" where the limit is a count
	Max      fingerprint.Decimal // the most that the sum may reach
	Currency string              // ISO 4217: amounts in another currency are unreadable; "": each currency has a sum of its own
	Per      time.Duration       // the period, which ends now
	By       []string            // whose calls are counted together; see ByTenant. Empty: all calls of the tenant
	Then     Action              // of the call that would pass the limit: ActHold or ActDeny
	Why      string              // one sentence; "" where the policy gives none
	Source   string              `json:"-"` // file:line
	// Counter identifies what is counted. Limits with one counter, of one tool or of several, count the same calls: a limit that a tool
	// says itself those of the tool, an inherited one those of all tools that inherit it. It outlives changes of Count, Max and Then.
	Counter string
}

// The parts that Limit.By can name, beside "label:NAME" (ScopeLabel). Calls of one tenant are never counted with those of
// another. Of a part that a call does not have, such as a run, the calls without one are counted together.
const (
	ByTenant   = "tenant"
	BySubject  = "subject"
	ByAgent    = "agent"
	ByRun      = "run"
	ByTool     = "tool"
	ByEffect   = "effect"
	ByIdentity = "identity" // the identity arguments: what is acted on
)

var limitParts = []string{ByTenant, BySubject, ByAgent, ByRun, ByTool, ByEffect, ByIdentity}

// Amount is what one call adds to a limit.
type Amount struct {
	Value fingerprint.Decimal // 1 for a count, else not negative
	Unit  string              // of money: its currency of ISO 4217, or a symbol that several share; "": a count or a plain number
}

// Amount returns what a call adds to a limit of its rule. An error, which contains no value, means that nobody can say whether the
// limit is kept: the call has to be held.
func (r *Rule) Amount(l Limit, args fingerprint.Value) (Amount, error) {
	if l.Sum == "" {
		return Amount{Value: fingerprint.NewDecimal(1)}, nil
	}
	amount, err := r.amount(strings.Split(l.Sum, "."), args)
	switch {
	case err != nil:
		return Amount{}, fmt.Errorf("the limit at %s adds up %q, which %w", l.Source, l.Sum, err)
	case amount.Value.Sign() < 0:
		return Amount{}, fmt.Errorf("the limit at %s adds up %q, which is negative", l.Source, l.Sum)
	case strings.HasPrefix(amount.Unit, `"`):
		// Whoever could name any currency would begin a new sum with each.
		return Amount{}, fmt.Errorf("the limit at %s adds up %q, which is in a currency that is not known", l.Source, l.Sum)
	case l.Currency != "" && amount.Unit != l.Currency:
		return Amount{}, fmt.Errorf("the limit at %s adds up %q in %s, which is in another currency or in none that is known", l.Source, l.Sum, l.Currency)
	}
	return amount, nil
}

// limitDoc is one entry of "limits:".
type limitDoc struct {
	Limit
	at       place
	path     pathDoc
	currency place
	by       place
}

const (
	maxLimits = 8 // of one tool, and of one claim in the ledger
	maxCount  = 1_000_000_000
	maxPer    = 31 * day // for so long the ledger knows what was used

	// SumPlaces is how many decimal places of an amount are counted.
	SumPlaces = 6
)

var limitKeys = keys{now: []string{"count", "sum", "max", "currency", "per", "by", "then", "why"}}

func (r *reader) limits(n *node) []limitDoc {
	items := r.mappings(n, "limits", "a limit")
	if len(items) > maxLimits {
		r.add(n.at, fmt.Sprintf("a tool has more than %d limits", maxLimits), "keep the ones that matter")
		return nil
	}
	var list []limitDoc
	for _, item := range items {
		list = append(list, r.limit(item))
	}
	return list
}

func (r *reader) limit(n *node) limitDoc {
	l := limitDoc{at: n.at}
	f := r.fields(n, "a limit", limitKeys)
	l.Source = l.at.source()
	count, isCount := f.get("count")
	sum, isSum := f.get("sum")
	switch {
	case isCount == isSum:
		r.add(l.at, "a limit is either a count or a sum", "write \"count: 5\", or \"sum: args.amount\" and \"max: 1000\"")
	case isCount:
		l.Count = r.integer(count.value, "count", 1, maxCount)
		r.onlySums(f)
	default:
		r.sum(&l, sum, f)
	}
	if e, ok := f.get("per"); ok {
		l.Per = r.duration(e.value, "per", minDuration, maxPer)
	} else {
		r.add(l.at, "the limit does not say for which period", "add \"per:\" with a duration such as 1h or 24h")
	}
	if e, ok := f.get("by"); ok {
		l.by = e.value.at
		l.By = r.by(e.value)
	}
	if e, ok := f.get("then"); ok {
		l.Then = Action(r.choice(e.value, "then", []string{string(ActHold), string(ActDeny)}, nil))
	} else {
		r.add(l.at, "the limit does not say what follows", "add \"then: hold\" or \"then: deny\"")
	}
	if e, ok := f.get("why"); ok {
		l.Why = r.why(e)
	}
	return l
}

// onlySums refuses the keys that mean something for a sum only.
func (r *reader) onlySums(f layer) {
	for _, key := range []string{"max", "currency"} {
		if e, ok := f.get(key); ok {
			r.add(e.key, fmt.Sprintf("%q belongs to a sum, and this limit is a count", key), "remove it")
		}
	}
}

func (r *reader) sum(l *limitDoc, e entry, f layer) {
	l.path = r.path(e.value, "sum")
	steps := l.path.steps
	switch {
	case steps == nil:
	case steps[0] != "args" || len(steps) == 1 || slices.Contains(steps, "*"):
		r.add(e.value.at, fmt.Sprintf("sum cannot be %q", l.path.text), "name one argument, such as args.amount or args.total.value")
		l.path.steps = nil
	default:
		l.path.steps = steps[1:]
		l.Sum = strings.Join(l.path.steps, ".")
	}
	if m, ok := f.get("max"); ok {
		l.Max = r.decimal(m.value, "max")
		if _, countable := l.Max.Shift(SumPlaces).Int64(); !countable {
			r.add(m.value.at, "max cannot be counted", fmt.Sprintf("write at most %d decimal places, and a number below 9 million millions", SumPlaces))
		}
	} else {
		r.add(l.at, "the limit does not say what the sum may reach", "add \"max:\" with a number")
	}
	if m, ok := f.get("currency"); ok {
		l.currency = m.value.at
		if l.Currency = r.string(m.value, "currency"); l.Currency != "" && !currencyCode.MatchString(l.Currency) {
			r.add(l.currency, fmt.Sprintf("currency cannot be %q", l.Currency), "write a code of three capitals such as \"EUR\"")
		}
	}
}

func (r *reader) by(n *node) []string {
	parts := r.strings(n, "by")
	for _, part := range parts {
		name, label := strings.CutPrefix(part, ScopeLabel)
		switch {
		case label && (name == "" || len(name) > maxName):
			r.add(n.at, fmt.Sprintf("%q in by names no label", part), "write \"label:NAME\"")
		case !label && !slices.Contains(limitParts, part):
			r.add(n.at, fmt.Sprintf("by cannot hold %q", part), suggest(part, append(slices.Clone(limitParts), "label:NAME")))
		}
	}
	return parts
}

// limits holds the limits of a tool against its arguments.
func (c *compiler) limits(t *toolDoc, rule *Rule) {
	for _, l := range t.limits {
		if l.Count == 0 && (l.path.steps == nil || !c.checkSum(t, l, rule)) {
			continue
		}
		if slices.Contains(l.By, ByIdentity) && !mayHaveIdentity(rule.Arguments) {
			c.add(l.by, "the limit counts by identity, but no argument has the role identity"+t.inheriting("limits"), "declare the argument that names what is acted on, or remove \"identity\"")
		}
		l.Counter = l.counter(t)
		rule.Limits = append(rule.Limits, l.Limit)
	}
}

// counter makes Limit.Counter.
func (l *limitDoc) counter(t *toolDoc) string {
	owner := ""
	if _, own := t.own.place("limits"); own {
		owner = t.name
	}
	by := slices.Clone(l.By)
	slices.Sort(by)
	text := fmt.Sprintf("%q %q %q %d %q", owner, l.Sum, l.Currency, l.Per, by)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// checkSum reports whether the tool has what the limit adds up. An inherited limit is about those that do.
func (c *compiler) checkSum(t *toolDoc, l limitDoc, rule *Rule) bool {
	known := t.known(rule.schema)
	if _, own := t.own.place("limits"); !own && known != nil && !slices.Contains(known, l.path.steps[0]) {
		return false
	}
	c.checkPath(t, "limits", l.path, rule.schema)
	kind := ""
	for _, a := range rule.Arguments.Arguments() {
		if a.Name == l.path.steps[0] {
			kind = a.Kind.String()
		}
	}
	switch {
	case len(l.path.steps) > 1 || kind == "" || kind == "auto" || slices.Contains(summable, kind):
	default:
		c.add(l.path.at, fmt.Sprintf("the argument %q is of kind %s, which adds up to nothing", l.path.steps[0], kind)+t.inheriting("limits"), "give it the kind money or number, or add up another argument")
	}
	if l.Currency != "" && (len(l.path.steps) > 1 || kind != "" && kind != "auto" && kind != "money") {
		c.add(l.currency, fmt.Sprintf("the limit names a currency, but args.%s is not declared as money", l.Sum)+t.inheriting("limits"), "give the argument the kind money, or remove the currency")
	}
	return true
}

// summable are the kinds whose values are numbers.
var summable = []string{"exact", "number", "money", "percent"}

// mayHaveIdentity reports whether a call can have an argument of role identity.
func mayHaveIdentity(s *fingerprint.Spec) bool {
	return s.Infers() || slices.ContainsFunc(s.Arguments(), func(a fingerprint.Argument) bool { return a.Role == fingerprint.Identity })
}
