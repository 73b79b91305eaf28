package web

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// effectID is the effect of a review; an effect's own id is taken too.
func effectID(id string) string {
	if effect, ok := guard.ReviewedEffect(id); ok {
		return effect
	}
	return id
}

// queuePage is the most reviews on one page, each of which is read with its arguments.
const queuePage = 100

// groupFrom is how many alike reviews make a group.
const groupFrom = 3

// The orders of the queue.
const (
	newestFirst = "newest"
	costlyFirst = "costly"
)

// queueRequest is the query of GET /review.
type queueRequest struct {
	order  string
	before string
	done   outcome
}

func (r *queueRequest) bind(c echo.Context) error {
	r.order = newestFirst
	if c.QueryParam("order") == costlyFirst {
		r.order = costlyFirst
	}
	if before := c.QueryParam("before"); before != "" {
		r.before = effectID(before)
	}
	return r.done.bind(c)
}

// queueView is what waits for a person.
type queueView struct {
	Order  string
	Groups []queueGroup
	Next   string // the id before which the next page begins
	First  bool   // it is the first page
	Done   outcome
}

// queueGroup is one review, or several that are alike.
type queueGroup struct {
	queueItem // the newest, or the most costly
	Items     []queueItem
	Choices   []choice // for all of them at once; none for a single one
}

// queueItem is one review in the queue.
type queueItem struct {
	Review  string
	Effect  string
	Tool    string
	State   guard.State
	Code    guard.Code
	Why     string
	About   []brief
	Agent   string
	Run     string
	Subject string
	Created time.Time
	Since   time.Time
	Expires time.Time
	Digest  string
	Fence   int64
	Own     bool // the person's own call, which another must decide
	Broken  bool // its record does not verify
	Cost    price

	choices []choice
}

// Lately reports that it came to wait some time after it was made, such as an effect whose outcome got lost.
func (i queueItem) Lately() bool { return i.Since.Sub(i.Created) > time.Minute }

// queue is GET /review.
func (w *Web) queue(ctx context.Context, p guard.Principal, r queueRequest) (reply, error) {
	list, err := w.guard.Effects(ctx, p, guard.Query{Review: true, Before: r.before, Limit: queuePage + 1})
	if err != nil {
		return nil, err
	}
	v := queueView{Order: r.order, First: r.before == "", Done: r.done}
	if len(list) > queuePage {
		list = list[:queuePage]
		v.Next = guard.ReviewID(list[queuePage-1].ID)
	}
	items := make([]queueItem, 0, len(list))
	for i := range list {
		e, err := w.guard.Effect(ctx, p, list[i].ID)
		switch guard.CodeOf(err) {
		case "":
			if e.Review != "" { // else it was decided since
				items = append(items, w.queueItem(p, &e))
			}
		case guard.CodeCorrupt:
			// One record that does not verify must not hide the others.
			items = append(items, queueItem{Review: guard.ReviewID(list[i].ID), Effect: list[i].ID, Tool: list[i].Tool, State: list[i].State, Created: list[i].Created,
				Since: list[i].Since, Why: "This record does not verify; nothing can be decided on it.", Broken: true})
		default:
			return nil, err
		}
	}
	if r.order == costlyFirst {
		slices.SortStableFunc(items, moreCostly)
	}
	v.Groups = groupAlike(items)
	return page{template: "queue", title: "Review", section: atReview, view: v}, nil
}

func (w *Web) queueItem(p guard.Principal, e *guard.Effect) queueItem {
	digest := e.ArgumentsDigest()
	i := queueItem{
		Review: guard.ReviewID(e.ID), Effect: e.ID, Tool: e.Tool, State: e.State, Code: e.Review, Why: why(e), Agent: e.Agent, Run: e.Run, Subject: e.Subject,
		Created: e.Created, Since: e.Since, Expires: e.ExpiresAt, Digest: hex.EncodeToString(digest[:]), Fence: e.Fence,
		Own: e.Subject == p.Subject && !p.SelfReview, choices: choicesOf(e),
	}
	if list, err := terms(w.policies, e); err == nil {
		i.About, i.Cost = about(list), cost(list)
	}
	return i
}

// moreCostly puts the greater amount first, whatever its currency, and what costs nothing last.
func moreCostly(a, b queueItem) int {
	switch {
	case a.Cost.Text != "" && b.Cost.Text != "":
		return b.Cost.amount.Compare(a.Cost.amount)
	case a.Cost.Text != "":
		return -1
	case b.Cost.Text != "":
		return 1
	}
	return 0
}

// groupAlike gathers reviews of one tool that wait for the same reason and came from one agent, where they are many. Their order is that
// of the first of each.
func groupAlike(items []queueItem) []queueGroup {
	type kind struct {
		tool, agent, why string
		state            guard.State
		code             guard.Code
		own              bool
	}
	of := func(i queueItem) kind { return kind{i.Tool, i.Agent, i.Why, i.State, i.Code, i.Own} }
	count := map[kind]int{}
	for _, i := range items {
		count[of(i)]++
	}
	var groups []queueGroup
	at := map[kind]int{}
	for _, i := range items {
		k := of(i)
		if n, begun := at[k]; begun {
			groups[n].Items = append(groups[n].Items, i)
			continue
		}
		g := queueGroup{queueItem: i, Items: []queueItem{i}}
		if count[k] >= groupFrom && !i.Broken && !i.Own {
			at[k] = len(groups)
			g.Choices = forMany(i.choices)
		}
		groups = append(groups, g)
	}
	return groups
}
