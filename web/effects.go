package web

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// effectsPage is how many effects are on one page of the list.
const effectsPage = 50

// effectsView is the list of effects.
type effectsView struct {
	Filter filterView
	Items  []effectItem
	Newest string // the address of the first page; "" on it
	Older  string // the address of the next page; "" on the last
}

// effectItem is one effect in a list. Template "effects" writes it.
type effectItem struct {
	Effect   string
	Tool     string
	About    shown
	State    guard.State
	Review   string // its open review; "" for none
	Agent    string
	Subject  string
	Run      string
	Created  time.Time
	Attempts int
}

// aboutLength is the most characters of what an effect acts on in a list.
const aboutLength = 120

// effects is GET /effects.
func (w *Web) effects(ctx context.Context, p guard.Principal, r effectsRequest) (reply, error) {
	if r.untidy {
		return redirect(r.address(r.before)), nil
	}
	q := r.query(w.now())
	newest, counts, err := w.countStates(ctx, p, q)
	if err != nil {
		return nil, err
	}
	list := newest
	if len(r.states) > 0 || r.before != "" {
		q.Limit = effectsPage + 1
		if list, err = w.guard.Effects(ctx, p, q); err != nil {
			return nil, err
		}
	}
	v := effectsView{Filter: w.filterView(r, counts)}
	if r.before != "" {
		v.Newest = r.address("")
	}
	if len(list) > effectsPage {
		list = list[:effectsPage]
		v.Older = r.address(list[effectsPage-1].ID)
	}
	v.Items = effectItems(list)
	return page{template: "effects", title: "Effects", section: atEffects, view: v}, nil
}

// mostCounted is how many effects are looked at to count states, so that a count costs the same in a ledger of any size.
const mostCounted = 500

// stateCount is how many effects of a state fit a search.
type stateCount struct {
	Count int
	More  bool // there may be more of them
}

// Text is "3", "412+", or "" where nothing is known.
func (c stateCount) Text() string {
	switch {
	case c.More && c.Count == 0:
		return ""
	case c.More:
		return grouped(int64(c.Count)) + "+"
	}
	return grouped(int64(c.Count))
}

// countStates counts what fits a search, whatever its state, and returns the newest of it. All are counted where they are few. Of many, the
// newest are, and of those that wait for a person as many again, which the ledger finds without a search: so what is rare among
// many is not missed if somebody has to act on it.
func (w *Web) countStates(ctx context.Context, p guard.Principal, q guard.Query) ([]guard.Effect, map[guard.State]stateCount, error) {
	q.States, q.Before, q.Limit = nil, "", mostCounted
	newest, err := w.guard.Effects(ctx, p, q)
	if err != nil {
		return nil, nil, err
	}
	counts := map[guard.State]stateCount{}
	add := func(list []guard.Effect, more bool) {
		found := map[guard.State]int{}
		for i := range list {
			found[list[i].State]++
		}
		for _, s := range guard.States {
			counts[s] = stateCount{max(counts[s].Count, found[s]), more}
		}
	}
	more := len(newest) == mostCounted
	add(newest, more)
	if more {
		q.Review = true
		waiting, err := w.guard.Effects(ctx, p, q)
		if err != nil {
			return nil, nil, err
		}
		add(waiting, true)
	}
	return newest, counts, nil
}

func effectItems(list []guard.Effect) []effectItem {
	items := make([]effectItem, len(list))
	for i := range list {
		e := &list[i]
		items[i] = effectItem{
			Effect: e.ID, Tool: e.Tool, About: cutVisible(aboutLength, e.About), State: e.State, Agent: e.Agent, Subject: e.Subject, Run: e.Run,
			Created: e.Created, Attempts: e.Attempts,
		}
		if e.Review != "" {
			items[i].Review = guard.ReviewID(e.ID)
		}
	}
	return items
}
