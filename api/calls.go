package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// callRequest is the body of POST /v1/calls and what its headers add.
type callRequest struct {
	client.Call
	reading *guard.Reading // of Arguments; nil where they were not decoded yet
	prefer  preferences
	trace   string
}

func (r *callRequest) bind(c echo.Context) error {
	key, err := idempotencyKey(c.Request().Header)
	if err != nil {
		return err
	}
	if key != "" && r.IdempotencyKey != "" && key != r.IdempotencyKey {
		return invalid("/idempotency_key", "differs from the header Idempotency-Key: send one of them, or the same in both")
	}
	if key != "" {
		r.IdempotencyKey = key
	}
	r.prefer = parsePrefer(c.Request().Header)
	r.trace = traceParent(c.Request().Header)
	return nil
}

// callResponse is an answer and what goes into its header.
type callResponse struct {
	client.Answer
	applied string
}

func (r *callResponse) head(h http.Header) {
	if r.Decision == client.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if r.RetryAfterMS > 0 {
		h.Set("Retry-After", seconds(time.Duration(r.RetryAfterMS)*time.Millisecond))
	}
	if r.Explanation.Warned != "" {
		h.Set("Onceguard-Warned", r.Explanation.Warned)
	}
	if r.applied != "" {
		h.Set("Preference-Applied", r.applied)
	}
}

func (r *callResponse) note(n *record) { noteAnswer(n, &r.Answer) }

func noteAnswer(n *record, a *client.Answer) {
	n.decision, n.code = a.Decision, a.Explanation.Code
	if a.Effect != nil {
		n.effect = a.Effect.ID
	}
}

// call is POST /v1/calls.
func (a *API) call(ctx context.Context, p guard.Principal, r callRequest) (*callResponse, error) {
	var confirm guard.Confirm
	if r.Confirm != nil {
		confirm = guard.Confirm(*r.Confirm)
	}
	answer, err := a.guard.Do(ctx, p, guard.Call{
		Tool: r.Tool, Arguments: r.Arguments, Reading: r.reading, CallID: r.CallID, Run: r.Run, Agent: r.Agent, Labels: r.Labels,
		IdempotencyKey: r.IdempotencyKey, Occurrence: r.Occurrence, Confirm: confirm, TraceParent: r.trace, Execute: guard.Execute(r.Execute), Wait: r.prefer.budget(),
	})
	if err != nil {
		return nil, err
	}
	resp := &callResponse{Answer: a.answer(&answer), applied: r.prefer.applied()}
	if r.prefer.strict {
		return resp, strictly(resp)
	}
	return resp, nil
}

// strictly gives the decisions that the Idempotency-Key draft has a status for that status: 409 while an equal call is
// under way, 422 for a key that was used for another call. All other decisions are not an error of HTTP.
func strictly(r *callResponse) error {
	status := 0
	switch {
	case r.Decision == client.Pending:
		status = http.StatusConflict
	case r.Explanation.Code == string(guard.CodeKeyConflict):
		status = http.StatusUnprocessableEntity
	default:
		return nil
	}
	return &refusal{status: status, code: r.Explanation.Code, detail: r.Explanation.Message, answer: &r.Answer,
		header: http.Header{"Preference-Applied": {r.applied}}}
}

func (a *API) answer(g *guard.Answer) client.Answer {
	w := client.Answer{
		Decision: string(g.Kind), IsError: g.IsError(), Explanation: explanation(&g.Explanation, g.Result),
		RetryAfterMS: g.RetryAfter.Milliseconds(),
	}
	if g.RetryAfter > 0 && w.RetryAfterMS == 0 {
		w.RetryAfterMS = 1
	}
	if g.Result != nil {
		w.Result, w.ResultEncoding = a.shown.of(g.Result)
	}
	if g.Lease != nil {
		w.Lease = &client.Lease{Fence: g.Lease.Fence, ExpiresAt: g.Lease.Expires}
	}
	if g.Effect != nil {
		w.Effect = new(briefly(g.Effect))
		if g.Effect.Review != "" || g.Effect.State == guard.Held {
			w.ReviewURL = a.reviewURL + guard.ReviewID(g.Effect.ID)
		}
	}
	return w
}

// explanation leaves the result of the earlier effect out where the answer has it already.
func explanation(g *guard.Explanation, answered *guard.Result) client.Explanation {
	w := client.Explanation{
		Code: string(g.Code), Message: g.Message, SameBecause: g.SameBecause, Retry: string(g.Retry), Next: g.Next, Warned: string(g.Warned),
		Differs: make([]client.Difference, len(g.Differs)),
	}
	for i, d := range g.Differs {
		w.Differs[i] = client.Difference{Argument: d.Argument, Role: d.Role, Earlier: d.Earlier, Now: d.Now}
	}
	if o := g.Confirm; o != nil {
		w.Confirm = &client.Offer{Token: o.Token, ExpiresAt: o.Expires}
	}
	if m := g.Matched; m != nil {
		w.Matched = &client.Matched{
			Effect: m.Effect, Tool: m.Tool, State: string(m.State), Code: string(m.Code), CreatedAt: m.Created,
			AgeMS: max(0, m.Age.Milliseconds()), Agent: m.Agent, Run: m.Run,
		}
		if m.Result != answered {
			w.Matched.Result = result(m.Result)
		}
	}
	return w
}
