package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// effectOf is the effect of a review, or an id that no effect has.
func effectOf(review string) string {
	effect, _ := guard.ReviewedEffect(review)
	return effect
}

// maxReviews is the most reviews on one page. It is small because each comes with its arguments.
const maxReviews = 50

// reviewsRequest is the query of GET /v1/reviews.
type reviewsRequest struct{ query guard.Query }

func (r *reviewsRequest) bind(c echo.Context) error {
	values := c.QueryParams()
	if err := known(values, "tool", "limit", "before"); err != nil {
		return err
	}
	size, err := pageSize(values, maxReviews, maxReviews)
	before := values.Get("before")
	if before != "" {
		if before = effectOf(before); before == "" {
			return invalid("before", "is not the id of a review")
		}
	}
	r.query = guard.Query{Review: true, Tool: values.Get("tool"), Before: before, Limit: size}
	return err
}

// reviews is GET /v1/reviews.
func (a *API) reviews(ctx context.Context, p guard.Principal, r reviewsRequest) (client.Queue, error) {
	list, next, err := a.page(ctx, p, r.query)
	if err != nil {
		return client.Queue{}, err
	}
	q := client.Queue{Reviews: make([]client.Review, 0, len(list))}
	if next != "" {
		q.Next = guard.ReviewID(next)
	}
	now := time.Now()
	for i := range list {
		e, err := a.guard.Effect(ctx, p, list[i].ID)
		switch guard.CodeOf(err) {
		case "":
		case guard.CodeCorrupt:
			// One record that does not verify must not hide the others. Nothing can be decided on it.
			broken := review(&list[i], now)
			broken.Code, broken.Choices = string(guard.CodeCorrupt), []string{}
			q.Reviews = append(q.Reviews, broken)
			continue
		default:
			return client.Queue{}, err
		}
		if e.Review != "" { // else it was decided since
			q.Reviews = append(q.Reviews, review(&e, now))
		}
	}
	return q, nil
}

// review is GET /v1/reviews/{id}.
func (a *API) review(ctx context.Context, p guard.Principal, r named) (client.Review, error) {
	e, err := a.reviewed(ctx, p, r.id)
	if err != nil {
		return client.Review{}, err
	}
	v := review(&e, time.Now())
	list, people, err := a.guard.Endorsements(ctx, p, e.ID)
	v.People = people
	for _, x := range list {
		if x.Choice == guard.DidNotHappen {
			v.DidNotHappenBy = x.By
		} else {
			v.ApprovedBy = x.By
		}
	}
	return v, err
}

func (a *API) reviewed(ctx context.Context, p guard.Principal, id string) (guard.Effect, error) {
	e, err := a.guard.Effect(ctx, p, effectOf(id))
	if err == nil && e.Review == "" {
		return e, &guard.Error{Code: guard.CodeNotFound, Message: "this effect waits for no person", Effect: &e}
	}
	return e, err
}

func review(g *guard.Effect, now time.Time) client.Review {
	digest := g.ArgumentsDigest()
	return client.Review{
		ID: guard.ReviewID(g.ID), Effect: g.ID, State: string(g.State), Code: string(g.Review), Reason: g.Reason, Tool: g.Tool,
		About: g.About, Related: g.Related, Subject: g.Subject, Agent: g.Agent, Run: g.Run, Arguments: orNull(rawOrNone(g.Arguments)),
		Digest: hex.EncodeToString(digest[:]), Fence: g.Fence, Choices: choicesOf(g), CreatedAt: g.Created,
		AgeMS: max(0, now.Sub(g.Since).Milliseconds()), ExpiresAt: g.ExpiresAt,
	}
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// choicesOf lists what may be decided on an effect.
func choicesOf(e *guard.Effect) []string {
	list := []string{}
	for _, c := range guard.Choices(e) {
		list = append(list, string(c))
	}
	return list
}

// decideRequest is a person's decision on a held effect.
type decideRequest struct {
	client.Verdict
	named `json:"-"`
}

// decide is POST /v1/reviews/{id}/decide.
func (a *API) decide(ctx context.Context, p guard.Principal, r decideRequest) (effectResponse, error) {
	choice := guard.Choice(r.Decision)
	switch choice {
	case guard.Approve, guard.Same, guard.Reject:
	default:
		return effectResponse{}, invalid("/decision", "must be approve, same or reject; unknown and partial effects are settled with POST /v1/effects/{id}/resolve")
	}
	return a.judge(ctx, p, guard.Judgement{Effect: effectOf(r.id), Choice: choice, Fence: r.Fence, Reason: r.Reason, Arguments: r.Arguments}, r.Digest)
}

// resolveRequest is what a person knows or orders about an unknown or partial effect.
type resolveRequest struct {
	client.Resolution
	named `json:"-"`
}

// resolve is POST /v1/effects/{id}/resolve.
func (a *API) resolve(ctx context.Context, p guard.Principal, r resolveRequest) (effectResponse, error) {
	choice := guard.Choice(r.Outcome)
	switch choice {
	case guard.Happened, guard.DidNotHappen, guard.SendAgain:
	default:
		return effectResponse{}, invalid("/outcome", "must be happened, did_not_happen or send_again")
	}
	return a.judge(ctx, p, guard.Judgement{Effect: r.id, Choice: choice, Fence: r.Fence, Reason: r.Reason, Result: r.Result}, r.Digest)
}

func (a *API) judge(ctx context.Context, p guard.Principal, j guard.Judgement, digest string) (effectResponse, error) {
	if err := checkFence(j.Fence); err != nil {
		return effectResponse{}, err
	}
	d, err := parseDigest(digest, j.Choice == guard.Approve || j.Choice == guard.SendAgain)
	if err != nil {
		return effectResponse{}, err
	}
	j.Digest = d
	e, err := a.guard.Decide(ctx, p, j)
	return effectResponse{inList(&e)}, err
}

func parseDigest(text string, needed bool) (d [32]byte, err error) {
	if text == "" && !needed {
		return d, nil
	}
	if len(text) != 2*len(d) {
		return d, invalid("/digest", "send the 64 hexadecimal digits that came with the arguments you saw")
	}
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return d, invalid("/digest", "is not hexadecimal")
	}
	return d, nil
}
