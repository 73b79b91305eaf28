package web

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// decideRequest is the form of one review. It says what was shown, so that a decision is about that and nothing else.
type decideRequest struct {
	judgement guard.Judgement
	seq       int // of the newest event that was shown
}

func (r *decideRequest) bind(c echo.Context) error {
	form, err := postForm(c)
	if err != nil {
		return err
	}
	r.judgement, err = judgementOf(effectID(c.Param("id")), form.Get("fence"), form.Get("digest"))
	if err != nil {
		return err
	}
	r.judgement.Choice = guard.Choice(form.Get("choice"))
	r.judgement.Reason = strings.TrimSpace(form.Get("reason"))
	r.judgement.Result = resultText(form.Get("result"), r.judgement.Choice)
	if r.judgement.Choice == editAndRun {
		r.judgement.Choice, r.judgement.Arguments = guard.Approve, json.RawMessage(form.Get("arguments"))
	}
	r.seq, err = strconv.Atoi(form.Get("seq"))
	if err != nil {
		return errForm
	}
	return nil
}

var errForm = &refusal{http.StatusBadRequest, "This form is broken", "It does not say what was shown. Open the review again and decide there."}

// editAndRun is an approval of other arguments than the agent's.
const editAndRun guard.Choice = "edit"

// postForm reads a form, of which only the body counts.
func postForm(c echo.Context) (url.Values, error) {
	err := c.Request().ParseForm()
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "Too long", "A form may have 4 MiB."}
	}
	if err != nil {
		return nil, errForm
	}
	return c.Request().PostForm, nil
}

// judgementOf reads what a decision is bound to.
func judgementOf(effect, fence, digest string) (guard.Judgement, error) {
	j := guard.Judgement{Effect: effect}
	var err error
	if j.Fence, err = strconv.ParseInt(fence, 10, 64); err != nil || j.Fence < 1 {
		return j, errForm
	}
	d, err := hex.DecodeString(digest)
	if err != nil || len(d) != len(j.Digest) {
		return j, errForm
	}
	copy(j.Digest[:], d)
	return j, nil
}

// resultText is what a person entered as the result of a tool: JSON as it is, and anything else as a text.
func resultText(entered string, c guard.Choice) json.RawMessage {
	entered = strings.TrimSpace(entered)
	if entered == "" || c != guard.Happened {
		return nil
	}
	if json.Valid([]byte(entered)) {
		return json.RawMessage(entered)
	}
	text, err := json.Marshal(entered)
	if err != nil {
		return nil // no string fails
	}
	return text
}

// decide is POST /review/{id}.
func (w *Web) decide(ctx context.Context, p guard.Principal, r decideRequest) (reply, error) {
	e, err := w.guard.Decide(ctx, p, r.judgement)
	switch guard.CodeOf(err) {
	case "":
		if e.Review != "" { // another person has to agree; the page says who has so far
			return redirect("/review/" + guard.ReviewID(e.ID)), nil
		}
		return redirect("/review?" + url.Values{"did": {string(r.judgement.Choice)}, "id": {e.ID}}.Encode()), nil
	case guard.CodeStaleFence, guard.CodeConflict:
		return w.stale(ctx, p, r, err)
	}
	return nil, err
}

// staleView tells what has changed since a review was shown.
type staleView struct {
	Review  string
	Tool    string
	State   guard.State
	Message string
	Since   []moment
}

// stale answers a decision that does not fit the effect any more.
func (w *Web) stale(ctx context.Context, p guard.Principal, r decideRequest, cause error) (reply, error) {
	e, events, err := w.history(ctx, p, r.judgement.Effect)
	if err != nil {
		return nil, err
	}
	v := staleView{Review: guard.ReviewID(e.ID), Tool: e.Tool, State: e.State}
	if g, ok := errors.AsType[*guard.Error](cause); ok {
		v.Message = g.Message
	}
	for _, m := range timeline(events, e.Execute) {
		if m.Seq > r.seq {
			v.Since = append(v.Since, m)
		}
	}
	return page{template: "stale", title: e.Tool, section: atReview, view: v, status: http.StatusConflict}, nil
}

// batchRequest is one decision on several alike reviews.
type batchRequest struct {
	judgements []guard.Judgement
	choice     guard.Choice
}

func (r *batchRequest) bind(c echo.Context) error {
	form, err := postForm(c)
	if err != nil {
		return err
	}
	r.choice = guard.Choice(form.Get("choice"))
	if len(form["item"]) == 0 {
		return &refusal{http.StatusBadRequest, "Nothing was chosen", "Mark the reviews that the decision is about. Nothing was done."}
	}
	if len(form["item"]) > queuePage {
		return errForm
	}
	for _, item := range form["item"] {
		parts := strings.Split(item, " ")
		if len(parts) != 3 {
			return errForm
		}
		j, err := judgementOf(parts[0], parts[1], parts[2])
		if err != nil {
			return err
		}
		j.Choice, j.Reason = r.choice, strings.TrimSpace(form.Get("reason"))
		r.judgements = append(r.judgements, j)
	}
	return nil
}

// decideBatch is POST /review. Each effect is decided by itself: what is stale is left out and counted.
func (w *Web) decideBatch(ctx context.Context, p guard.Principal, r batchRequest) (reply, error) {
	done, left := 0, 0
	for _, j := range r.judgements {
		_, err := w.guard.Decide(ctx, p, j)
		switch guard.CodeOf(err) {
		case "":
			done++
		case guard.CodeStaleFence, guard.CodeConflict, guard.CodeNotFound:
			left++
		default:
			if done == 0 {
				return nil, err
			}
			left++
		}
	}
	return redirect("/review?" + url.Values{"did": {string(r.choice)}, "n": {strconv.Itoa(done)}, "left": {strconv.Itoa(left)}}.Encode()), nil
}

// outcome is what a decision brought, told on the page that follows it.
type outcome struct {
	Choice guard.Choice
	Effect string // of a single decision
	Number int
	Left   int // decisions that were refused, because the effects had changed
}

func (o *outcome) bind(c echo.Context) error {
	o.Choice = guard.Choice(c.QueryParam("did"))
	o.Effect = c.QueryParam("id")
	return echo.QueryParamsBinder(c).Int("n", &o.Number).Int("left", &o.Left).BindError()
}

// Said is the decision in words; "" where there was none.
func (o outcome) Said() string {
	switch o.Choice {
	case guard.Approve:
		return "Approved."
	case guard.Same:
		return "Recorded as the same."
	case guard.Reject:
		return "Rejected."
	case guard.Happened:
		return "Recorded as happened."
	case guard.DidNotHappen:
		return "Recorded as not happened."
	case guard.SendAgain:
		return "Ordered to be sent again."
	}
	return ""
}
