package guard

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// A limit of the policy is checked by the very write that claims, so that calls at one moment cannot pass it together. The ledger
// counts whole numbers: sums are counted in millionths of their unit, and an amount that is not a whole number of those, or
// that cannot be read, holds the call.

// overLimit is a limit that had no room for a call, and what was left of it.
type overLimit struct {
	limit policy.Limit
	left  fingerprint.Decimal
	unit  string
}

// limitsOf makes what a claim of the call is counted under. The error holds no argument value.
func (r *proposal) limitsOf() ([]Limit, error) {
	var limits []Limit
	for _, l := range r.rule.Limits {
		amount, err := r.rule.Amount(l, r.args)
		if err != nil {
			return nil, err
		}
		counted := Limit{Amount: 1, Max: int64(l.Count), Period: l.Per}
		if l.Sum != "" {
			if counted.Amount, err = millionths(amount.Value); err == nil {
				counted.Max, err = millionths(l.Max)
			}
			if err != nil {
				return nil, fmt.Errorf("the limit at %s: %w", l.Source, err)
			}
		}
		counted.Key = r.first.Mark("limit", append([]string{r.principal.Tenant, l.Counter, amount.Unit}, r.limitedBy(l)...)...)
		limits = append(limits, counted)
	}
	return limits, nil
}

// limitedBy are the values of the call that a limit counts by.
func (r *proposal) limitedBy(l policy.Limit) []string {
	values := make([]string, 0, 2*len(l.By))
	for _, part := range l.By {
		var value string
		switch part {
		case policy.ByTenant:
			value = r.principal.Tenant
		case policy.BySubject:
			value = r.principal.Subject
		case policy.ByAgent:
			value = r.call.Agent
		case policy.ByRun:
			value = r.call.Run
		case policy.ByTool:
			value = r.call.Tool
		case policy.ByEffect:
			value = r.rule.Effect
		case policy.ByIdentity:
			value = r.thing()
		default:
			value = r.call.Labels[strings.TrimPrefix(part, policy.ScopeLabel)]
		}
		values = append(values, part, value)
	}
	return values
}

// thing names what the call acts on. It needs no scope, which is not on record with an effect, and does not change with the
// installation key, so that a limit goes on counting.
func (r *proposal) thing() string {
	id := r.first.Sum(r.rule.Arguments, fingerprint.Input{Tenant: r.principal.Tenant, Effect: r.rule.Effect, NoNear: true}, r.args).Identity
	return string(id[:])
}

func millionths(d fingerprint.Decimal) (int64, error) {
	n, ok := d.Shift(policy.SumPlaces).Int64()
	if !ok {
		return 0, errors.New("an amount has more than six decimal places, or is too large to be counted")
	}
	return n, nil
}

// unbounded counts without a bound: what a person has approved is sent, and uses up what it uses up.
func unbounded(limits []Limit) []Limit {
	free := make([]Limit, len(limits))
	for i, l := range limits {
		l.Max = math.MaxInt64
		free[i] = l
	}
	return free
}

// overrun remembers the limit that stopped a claim.
func (r *proposal) overrun(c Claimed) {
	l := r.rule.Limits[c.Limit]
	over := &overLimit{limit: l, left: fingerprint.NewDecimal(c.Left)}
	if l.Sum != "" {
		over.left = over.left.Shift(-policy.SumPlaces)
		if amount, err := r.rule.Amount(l, r.args); err == nil {
			over.unit = amount.Unit
		}
	}
	r.over = over
}

// String says what the limit allows and what is left of it. It names no amount of any call.
func (o *overLimit) String() string {
	what := fmt.Sprintf("at most %d calls", o.limit.Count)
	if o.limit.Count == 1 {
		what = "at most one call"
	}
	left := "none"
	if o.left.Sign() > 0 {
		left = o.left.String()
	}
	if o.limit.Sum != "" {
		what = fmt.Sprintf("%q to add up to at most %s", o.limit.Sum, o.limit.Max)
		if left != "none" {
			left = strings.TrimSpace(left + " " + o.unit)
		}
	}
	by := ""
	if len(o.limit.By) > 0 {
		by = " for one " + strings.Join(o.limit.By, " and ")
	}
	return withReason(fmt.Sprintf("The policy allows %s in %s%s; %s is left.", what, policy.ShowDuration(o.limit.Per), by, left), o.limit.Why)
}

// limitAction is what the limit that had no room asks for; "" where none was met.
func (r *proposal) limitAction() policy.Action {
	if r.over == nil {
		return ""
	}
	return r.over.limit.Then
}
