package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// Sizes of a page of effects.
const (
	defaultPage = 50
	maxPage     = 200
)

// effectsRequest is the query of GET /v1/effects.
type effectsRequest struct{ query guard.Query }

func (r *effectsRequest) bind(c echo.Context) (err error) {
	values := c.QueryParams()
	if err := known(values, "state", "tool", "run", "agent", "text", "from", "until", "review", "limit", "before"); err != nil {
		return err
	}
	q := guard.Query{Tool: values.Get("tool"), Run: values.Get("run"), Agent: values.Get("agent"), Before: values.Get("before")}
	for _, name := range values["state"] {
		s := guard.State(name)
		if !slices.Contains(guard.States, s) {
			return invalid("state", "is not a state of an effect")
		}
		q.States = append(q.States, s)
	}
	if text := values.Get("review"); text != "" {
		if q.Review, err = strconv.ParseBool(text); err != nil {
			return invalid("review", "must be true or false")
		}
	}
	if q.Text = values.Get("text"); len(q.Text) > guard.MaxHandle {
		return invalid("text", "is longer than "+strconv.Itoa(guard.MaxHandle)+" bytes")
	}
	if q.From, err = instant(values, "from"); err != nil {
		return err
	}
	if q.Until, err = instant(values, "until"); err != nil {
		return err
	}
	q.Limit, err = pageSize(values, defaultPage, maxPage)
	r.query = q
	return err
}

// known refuses a parameter that no one reads: a filter with a slip in its name would show everything.
func known(values url.Values, names ...string) error {
	for name := range values {
		if !slices.Contains(names, name) {
			return invalid("", "the query has a parameter that this route does not know; it knows "+strings.Join(names, ", "))
		}
		if name != "state" && len(values[name]) > 1 {
			return invalid(name, "stands more than once in the query")
		}
	}
	return nil
}

func pageSize(values url.Values, usual, most int) (int, error) {
	text := values.Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, invalid("limit", "must be a number from 1 to "+strconv.Itoa(most))
	}
	return n, nil
}

// page lists one page and asks for one effect more, which tells whether there is a next page.
func (a *API) page(ctx context.Context, p guard.Principal, q guard.Query) (list []guard.Effect, next string, err error) {
	size := q.Limit
	q.Limit++
	list, err = a.guard.Effects(ctx, p, q)
	if err == nil && len(list) > size {
		list = list[:size]
		next = list[size-1].ID
	}
	return list, next, err
}

// effects is GET /v1/effects.
func (a *API) effects(ctx context.Context, p guard.Principal, r effectsRequest) (client.Page, error) {
	list, next, err := a.page(ctx, p, r.query)
	if err != nil {
		return client.Page{}, err
	}
	page := client.Page{Effects: make([]client.Effect, len(list)), Next: next}
	for i := range list {
		page.Effects[i] = inList(&list[i])
	}
	return page, nil
}

// named is a request whose path names an effect.
type named struct{ id string }

func (r *named) bind(c echo.Context) error {
	r.id = c.Param("id")
	return nil
}

// effectResponse is an effect as an answer.
type effectResponse struct{ client.Effect }

func (r effectResponse) note(n *record) { n.effect, n.code = r.ID, r.Code }

// effect is GET /v1/effects/{id}.
func (a *API) effect(ctx context.Context, p guard.Principal, r named) (effectResponse, error) {
	e, err := a.guard.Effect(ctx, p, r.id)
	if err != nil {
		return effectResponse{}, err
	}
	return effectResponse{inFull(&e)}, nil
}

// events is GET /v1/effects/{id}/events.
func (a *API) events(ctx context.Context, p guard.Principal, r named) (client.History, error) {
	list, err := a.guard.Events(ctx, p, r.id)
	if err != nil {
		return client.History{}, err
	}
	h := client.History{Events: make([]client.Event, len(list))}
	for i := range list {
		h.Events[i] = event(&list[i])
	}
	return h, nil
}

func event(g *guard.Event) client.Event {
	return client.Event{
		Seq: g.Seq, At: g.At, Kind: string(g.Kind), From: string(g.From), To: string(g.To), Fence: g.Fence,
		Actor: client.Actor{Kind: g.Actor.Kind, Name: g.Actor.Name}, Code: string(g.Code), Note: g.Note, Count: g.Count,
		Arguments: rawOrNone(g.Arguments), Result: result(g.Result), Hash: hex.EncodeToString(g.Hash[:]),
	}
}

// outcomeRequest is what a caller who ran the tool reports.
type outcomeRequest struct {
	client.Outcome
	named `json:"-"`
}

// outcome is POST /v1/effects/{id}/outcome.
func (a *API) outcome(ctx context.Context, p guard.Principal, r outcomeRequest) (effectResponse, error) {
	state := guard.State(r.Status)
	switch state {
	case guard.Done, guard.Failed, guard.Partial, guard.Unknown:
	default:
		return effectResponse{}, invalid("/status", "must be done, failed, partial or unknown; say failed only if nothing was applied for certain")
	}
	if err := checkFence(r.Fence); err != nil {
		return effectResponse{}, err
	}
	e, err := a.guard.Report(ctx, p, guard.Report{
		Effect: r.id, Fence: r.Fence, State: state, Result: r.Result, IsError: r.IsError, Reason: r.Error,
	})
	return effectResponse{inList(&e)}, err
}

// heartbeatRequest renews a lease.
type heartbeatRequest struct {
	client.Heartbeat
	named `json:"-"`
}

// heartbeat is POST /v1/effects/{id}/heartbeat.
func (a *API) heartbeat(ctx context.Context, p guard.Principal, r heartbeatRequest) (client.Lease, error) {
	if err := checkFence(r.Fence); err != nil {
		return client.Lease{}, err
	}
	l, err := a.guard.Heartbeat(ctx, p, r.id, r.Fence)
	return client.Lease{Fence: l.Fence, ExpiresAt: l.Expires}, err
}

func checkFence(f int64) error {
	if f < 1 {
		return invalid("/fence", "is missing: send the number that came with the lease or the effect")
	}
	return nil
}

// briefly shows an effect to the caller of a call, which may be an agent of another subject: who else called is left out.
func briefly(g *guard.Effect) client.Effect {
	return client.Effect{
		ID: g.ID, State: string(g.State), Code: string(g.Code), Tool: g.Tool, Type: g.Type, Generation: g.Generation,
		Attempts: g.Attempts, Fence: g.Fence, CreatedAt: g.Created, UpdatedAt: g.Updated, LeaseUntil: g.LeaseUntil,
		ExpiresAt: g.ExpiresAt, WindowUntil: g.WindowUntil,
	}
}

func inList(g *guard.Effect) client.Effect {
	e := briefly(g)
	e.Reason, e.Failures, e.Execute, e.Subject, e.Agent = g.Reason, g.Failures, string(g.Execute), g.Subject, g.Agent
	e.About, e.Related = g.About, g.Related
	e.Run, e.CallID, e.Review, e.Policy, e.Events = g.Run, g.CallID, string(g.Review), g.Policy, g.Events
	if !g.Key.IsZero() {
		e.Fingerprint = hex.EncodeToString(g.Key[:])
	}
	return e
}

func inFull(g *guard.Effect) client.Effect {
	e := inList(g)
	digest := g.ArgumentsDigest()
	e.Arguments, e.ArgumentsDigest, e.Result = rawOrNone(g.Arguments), hex.EncodeToString(digest[:]), result(g.Result)
	return e
}

func result(g *guard.Result) *client.Result {
	if g == nil {
		return nil
	}
	w := &client.Result{Status: g.Status, ContentType: g.ContentType, IsError: g.IsError, Source: string(g.Source)}
	w.Body, w.Encoding = rawOrText(g.Body)
	return w
}

func rawOrNone(b []byte) json.RawMessage {
	raw, _ := rawOrText(b)
	return raw
}
