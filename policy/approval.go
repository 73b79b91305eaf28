package policy

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Approvals says who may let a held call of the tool go, and who is told that one waits.
type Approvals struct {
	Roles  []string // reviewer or admin, any one of them; nil: whoever may review in the tenant
	People int      // so many different people have to approve before the call is sent; one of them is enough to reject it
	Notify []string // names of endpoints; see Set.Endpoint

	when *expression
}

// Reviewer is the person who decides on a held call. It comes from the credential.
type Reviewer struct {
	Subject string
	Roles   []string
}

// Conditional reports whether who may decide depends on the call.
func (a *Approvals) Conditional() bool { return a.when != nil }

// MayDecide reports whether a person may decide on a held call of this rule: has one of the roles, and fits "approvals.when". f is
// about the call that is held. An expression that cannot be evaluated lets nobody decide; the error says why, without values.
// That a person decides only once, and not on a call of their own, is for the caller to see to.
func (r *Rule) MayDecide(ctx context.Context, who Reviewer, f Facts) (bool, error) {
	a := r.Approvals
	if a.Roles != nil && !slices.ContainsFunc(who.Roles, func(role string) bool { return slices.Contains(a.Roles, role) }) {
		return false, nil
	}
	if a.when == nil {
		return true, nil
	}
	yes, err := a.when.holds(ctx, &variables{Facts: f, rule: r, reads: a.when.reads, reviewer: &who})
	if err != nil {
		return false, fmt.Errorf("policy: approvals.when at %s: %w", a.when.source, err)
	}
	return yes, nil
}

// approvalsDoc is "approvals:".
type approvalsDoc struct {
	Approvals
	when    expressionDoc
	expires time.Duration
	notify  []named
}

// named is a name with where it stands.
type named struct {
	at   place
	name string
}

// reviewerRoles are the roles of credentials that may decide.
var reviewerRoles = []string{"reviewer", "admin"}

const (
	maxPeople = 2
	maxRoles  = 20
)

var approvalKeys = keys{now: []string{"roles", "when", "people", "expires", "notify"}}

func (r *reader) approvals(e entry) *approvalsDoc {
	a := &approvalsDoc{Approvals: Approvals{People: 1}}
	f := r.fields(e.value, "approvals", approvalKeys)
	if v, ok := f.get("roles"); ok {
		a.Roles = r.strings(v.value, "roles")
		if len(a.Roles) == 0 || len(a.Roles) > maxRoles {
			r.add(v.value.at, "roles names "+count(len(a.Roles), "role"), fmt.Sprintf("name from 1 to %d roles, or remove the key", maxRoles))
		}
		for _, role := range a.Roles {
			if !slices.Contains(reviewerRoles, role) {
				r.add(v.value.at, fmt.Sprintf("nobody has the role %q", role), "the roles of those who decide are reviewer and admin; tell people apart by reviewer.subject in approvals.when")
			}
		}
	}
	if v, ok := f.get("when"); ok {
		a.when = r.expression(v)
	}
	if v, ok := f.get("people"); ok {
		a.People = r.integer(v.value, "people", 1, maxPeople)
	}
	if v, ok := f.get("expires"); ok {
		a.expires = r.duration(v.value, "expires", minDuration, maxHold)
	}
	if v, ok := f.get("notify"); ok {
		for _, item := range r.items(v.value, "approvals.notify") {
			a.notify = append(a.notify, named{item.at, r.string(item, "an entry of approvals.notify")})
		}
	}
	return a
}

// approve compiles "approvals:".
func (c *compiler) approve(t *toolDoc, rule *Rule) {
	rule.Approvals.People = 1
	a := t.approvals
	if a == nil {
		return
	}
	rule.Approvals = a.Approvals
	hold, ownHold := t.own.place("hold")
	_, ownExpires := t.own.place("approvals.expires")
	switch {
	case a.expires == 0:
	case ownHold && ownExpires:
		c.add(hold, "hold and approvals.expires both say how long a held call waits", "keep one of them")
	case !ownHold:
		rule.Hold = a.expires
	}
	for _, n := range a.notify {
		switch names := endpointNames(c.endpoints); {
		case n.name == "":
		case !slices.Contains(names, n.name):
			remedy := suggest(n.name, names)
			if len(names) == 0 {
				remedy = "declare it under notify, at the top of a file"
			}
			c.add(n.at, fmt.Sprintf("approvals.notify names %q, which is no endpoint under notify", n.name), remedy)
		case slices.Contains(rule.Approvals.Notify, n.name):
			c.add(n.at, fmt.Sprintf("%q is twice in approvals.notify", n.name), "keep one of them")
		default:
			rule.Approvals.Notify = append(rule.Approvals.Notify, n.name)
		}
	}
	if a.when.text != "" {
		rule.Approvals.when = c.condition(a.when, "approvals.when", t, rule)
	}
}
