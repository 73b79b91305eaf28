package web

import (
	"context"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// effectRequest is GET /effects/{id}.
type effectRequest struct {
	id  string
	all bool // show every argument
}

func (r *effectRequest) bind(c echo.Context) error {
	r.id, r.all = c.Param("id"), c.QueryParam("all") != ""
	return nil
}

// effectView is all that is known of one effect.
type effectView struct {
	Effect    string
	Tool      string
	State     guard.State
	Code      guard.Code
	Reason    string
	Review    string // its open review; "" for none
	Facts     []fact
	Arguments comparison // as the present policy reads them
	Changed   bool       // the policy has changed since
	Pattern   string     // of the present policy; "" where none names the tool
	Result    *resultView
	Pruned    bool // arguments and results are no longer kept
	Attempts  []attempt
	Evidence  []evidence
	Timeline  []moment
	Related   *effectItem // what stood in its way
	Later     *effectItem // the newest effect of equal calls
	Alike     []effectItem
	More      string // the search for those
}

// fact is one line about an effect: a text, or a time.
type fact struct {
	Name string
	Text string
	Code bool // the text is a handle or a digest
	At   time.Time
}

// effect is GET /effects/{id}.
func (w *Web) effect(ctx context.Context, p guard.Principal, r effectRequest) (reply, error) {
	e, events, err := w.history(ctx, p, r.id)
	if err != nil {
		return nil, err
	}
	policy := rule(w.policies, e.Tool)
	v := effectView{
		Effect: e.ID, Tool: e.Tool, State: e.State, Code: e.Code, Reason: e.Reason, Facts: factsOf(&e),
		Changed: e.Policy != policy.Digest, Pattern: policy.Pattern, Result: resultOf(e.Result), Pruned: len(e.Arguments) == 0,
		Attempts: attemptsOf(events), Evidence: evidenceOf(events), Timeline: timeline(events, e.Execute),
	}
	if e.Review != "" {
		v.Review = guard.ReviewID(e.ID)
	}
	if !v.Pruned {
		list, err := terms(w.policies, &e)
		if err != nil {
			v.Arguments.Broken = err.Error()
		} else {
			v.Arguments = compare(guard.ReviewID(e.ID), nil, list, r.all)
			v.Arguments.All = "/effects/" + url.PathEscape(e.ID) + "?all=1"
		}
	}
	if err := w.setNeighbours(ctx, p, &v, &e); err != nil {
		return nil, err
	}
	return page{template: "effect", title: e.Tool, section: atEffects, view: v}, nil
}

func factsOf(e *guard.Effect) []fact {
	var list []fact
	text := func(name, value string, code bool) {
		if value != "" {
			list = append(list, fact{Name: name, Text: value, Code: code})
		}
	}
	at := func(name string, t time.Time) {
		if !t.IsZero() {
			list = append(list, fact{Name: name, At: t})
		}
	}
	text("agent", e.Agent, false)
	text("subject", e.Subject, false)
	text("run", e.Run, false)
	text("call", e.CallID, true)
	text("effect type", e.Type, false)
	runs := "the guard"
	if e.Execute == guard.ByCaller {
		runs = "the agent, under a lease"
	}
	text("run by", runs, false)
	at("made", e.Created)
	at("changed", e.Updated)
	if e.State == guard.Pending {
		at("lease until", e.LeaseUntil)
	}
	if e.State == guard.Held || e.State == guard.Approved {
		at("closes", e.ExpiresAt)
	}
	at("answers until", e.WindowUntil)
	text("key", e.Key.String(), true)
	text("effect", e.ID, true)
	return list
}

// mostAlike is how many effects on the same thing are listed beside one, and alikeWithin how far from it in time: the ledger looks at
// all that were made in that time, and an agent that repeats itself does so soon.
const (
	mostAlike   = 8
	alikeWithin = 24 * time.Hour
)

// setNeighbours adds the effects that have to do with this one.
func (w *Web) setNeighbours(ctx context.Context, p guard.Principal, v *effectView, e *guard.Effect) error {
	one := func(id string) (*effectItem, error) {
		other, err := w.guard.Effect(ctx, p, id)
		switch guard.CodeOf(err) {
		case "":
			return &effectItems([]guard.Effect{other})[0], nil
		case guard.CodeNotFound, guard.CodeCorrupt: // it was forgotten, or tells nothing
			return nil, nil
		}
		return nil, err
	}
	var err error
	if e.Related != "" {
		if v.Related, err = one(e.Related); err != nil {
			return err
		}
	}
	// A call whose key cannot be made again, because a label of its scope is not on record, has no answer here.
	if x, err := w.guard.Fingerprint(ctx, p, callOf(e), nil); err == nil && x.Recorded != nil && x.Recorded.ID != e.ID && x.Recorded.Generation > e.Generation {
		v.Later = &effectItems([]guard.Effect{*x.Recorded})[0]
	}
	if e.About == "" {
		return nil
	}
	list, err := w.guard.Effects(ctx, p, guard.Query{
		Tool: e.Tool, Text: e.About, From: e.Created.Add(-alikeWithin), Until: e.Created.Add(alikeWithin), Limit: mostAlike + 1,
	})
	if err != nil {
		return err
	}
	for _, i := range effectItems(list) {
		if i.Effect != e.ID && len(v.Alike) < mostAlike {
			v.Alike = append(v.Alike, i)
		}
	}
	search := effectsRequest{text: e.About, tool: e.Tool}
	v.More = search.address("")
	return nil
}
