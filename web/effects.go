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
	q.Limit = effectsPage + 1
	list, err := w.guard.Effects(ctx, p, q)
	if err != nil {
		return nil, err
	}
	v := effectsView{Filter: w.filterView(r)}
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

func effectItems(list []guard.Effect) []effectItem {
	items := make([]effectItem, len(list))
	for i := range list {
		e := &list[i]
		items[i] = effectItem{
			Effect: e.ID, Tool: e.Tool, About: cutVisible(aboutLength, e.About), State: e.State, Agent: e.Agent, Subject: e.Subject, Run: e.Run,
			Created: e.Created, Attempts: e.Attempts,
		}
		if e.Review != "" {
			items[i].Review = reviewID(e.ID)
		}
	}
	return items
}
