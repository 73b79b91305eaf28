package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/policy"
)

// A rule may say who decides on its calls, and that two people have to agree before one is sent. That holds for every choice after which
// something is sent: to approve a held call, to order another send of an unknown one, and to say that a call was not carried out, upon
// which the agent's next equal call is sent. The first one's choice is recorded as a note (CodeEndorsed), which changes no state: the
// effect stays as it is. It names the choice, the fence and the digest of the arguments that were shown, so that it counts for nothing
// else. The second one's choice is the decision itself, and the ledger lets only one of several be made.

// CodeEndorsed is a person's choice that needs another person's.
const CodeEndorsed Code = "endorsed"

// endorsable are the choices that need as many people as the rule says.
var endorsable = []Choice{Approve, SendAgain, DidNotHappen}

// Endorsement is who has made a choice that needs more people than one.
type Endorsement struct {
	Choice Choice
	By     []string
}

// mayDecide refuses a person whom the rule does not let decide.
func (g *Guard) mayDecide(ctx context.Context, p Principal, e *Effect) error {
	forbidden := func(err error) error {
		return &Error{Code: CodeForbidden, Op: "decide", Err: err,
			Message: "the policy of this tool lets other people decide on its calls (approvals)"}
	}
	rule := g.ruleOf(e)
	who := policy.Reviewer{Subject: p.Subject, Roles: []string{string(p.Role)}}
	var facts policy.Facts
	if rule.Approvals.Conditional() {
		r, err := g.recall(ctx, e, e.Arguments)
		if err != nil {
			return forbidden(err)
		}
		facts = g.facts(ctx, r)
	}
	if ok, err := rule.MayDecide(ctx, who, facts); err != nil || !ok {
		return forbidden(err)
	}
	return nil
}

// Endorsements returns how many people an effect under review needs for what leads to a send, and, where that is more than one, who
// has made which of these choices so far. Only what was said of the effect as it stands counts.
func (g *Guard) Endorsements(ctx context.Context, p Principal, id string) (list []Endorsement, people int, err error) {
	if !p.Reviews() {
		return nil, 0, &Error{Code: CodeForbidden, Op: "endorsements", Message: "only reviewers see who has approved"}
	}
	e, err := g.store.Get(ctx, p.Tenant, id)
	if err != nil {
		return nil, 0, err
	}
	people = g.ruleOf(&e).Approvals.People
	if people < 2 {
		return nil, people, nil
	}
	events, err := g.store.Events(ctx, e.Tenant, e.ID)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range Choices(&e) {
		if by := endorsers(&e, events, c); slices.Contains(endorsable, c) && len(by) > 0 {
			list = append(list, Endorsement{c, by})
		}
	}
	return list, people, nil
}

// endorsers returns the different people who have made a choice on the effect as it stands.
func endorsers(e *Effect, events []Event, c Choice) []string {
	var by []string
	for _, ev := range events {
		if ev.Kind == EventNoted && ev.Code == CodeEndorsed && ev.Actor.Kind == "reviewer" && ev.Fence == e.Fence &&
			strings.HasPrefix(ev.Note, endorsement(e, c)) && !slices.Contains(by, ev.Actor.Name) {
			by = append(by, ev.Actor.Name)
		}
	}
	return by
}

// endorsement begins the note of a choice.
func endorsement(e *Effect, c Choice) string {
	return fmt.Sprintf("%s at fence %d of arguments %x", c, e.Fence, e.ArgumentsDigest())
}

// agreed reports whether enough people agree to a choice that leads to a send. If not, it records that this one does.
func (g *Guard) agreed(ctx context.Context, p Principal, e *Effect, j Judgement) (bool, error) {
	people := g.ruleOf(e).Approvals.People
	if people < 2 || !slices.Contains(endorsable, j.Choice) {
		return true, nil
	}
	outcome := j.Choice == DidNotHappen && j.Digest == [32]byte{} // of which no arguments need be shown
	switch {
	case j.Fence != e.Fence, j.Digest != e.ArgumentsDigest() && !outcome:
		return false, &Error{Code: CodeStaleFence, Op: "decide", Effect: e, Message: "the effect is another than the one that was shown; look at it again"}
	case j.Arguments != nil:
		return false, &Error{Code: CodeConflict, Op: "decide", Effect: e,
			Message: "two people have to agree to the same bytes, so nobody edits them; reject the call and say what to change"}
	}
	enough := func() (bool, bool, error) {
		events, err := g.store.Events(ctx, e.Tenant, e.ID)
		by := endorsers(e, events, j.Choice)
		mine := slices.Contains(by, p.Subject)
		if !mine {
			return len(by)+1 >= people, false, err
		}
		return len(by) >= people, true, err
	}
	yes, noted, err := enough()
	if err != nil || yes || noted {
		return yes, err
	}
	text := endorsement(e, j.Choice)
	if j.Reason != "" {
		text += ": " + j.Reason
	}
	err = g.store.Note(ctx, []Note{{Tenant: e.Tenant, ID: e.ID, Code: CodeEndorsed, Text: text, Count: 1, Actor: Actor{Kind: "reviewer", Name: p.Subject}}})
	if err != nil && CodeOf(err) != CodeUncertain {
		return false, err
	}
	g.hub.publish(e.Tenant, e.ID)
	// Of two who approve at one moment, at least one sees the other's note.
	yes, _, err = enough()
	return yes, err
}
