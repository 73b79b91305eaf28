package web

import (
	"context"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// reviewRequest is GET /review/{id}.
type reviewRequest struct {
	id  string
	all bool // show every argument
}

func (r *reviewRequest) bind(c echo.Context) error {
	r.id = effectID(c.Param("id"))
	r.all = c.QueryParam("all") != ""
	return nil
}

// reviewView is one review on one screen.
type reviewView struct {
	Review   string
	Effect   string
	Tool     string
	State    guard.State
	Code     guard.Code
	Open     bool // it waits for a person
	Own      bool
	Why      string
	Sentence string // what the call is to the earlier one
	Agent    string
	Subject  string
	Run      string
	Created  time.Time
	Since    time.Time
	Expires  time.Time
	Attempts int

	Arguments comparison
	Earlier   *earlierView
	Result    *resultView
	Timeline  []moment
	Policy    policyView

	Choices []choice
	// People is how many have to agree to what leads to a send; Agreed is who has so far.
	People  int
	Agreed  []agreement
	Edit    string // the arguments as they came, to be edited; "" where that cannot be done
	Digest  string
	Fence   int64
	Seq     int // of the newest event that is shown
	Suggest string
}

// earlierView is the effect that stood in the way.
type earlierView struct {
	Effect  string
	Tool    string
	State   guard.State
	Agent   string
	Subject string
	Run     string
	Created time.Time
	Result  *resultView
}

// review is GET /review/{id}.
func (w *Web) review(ctx context.Context, p guard.Principal, r reviewRequest) (reply, error) {
	e, events, err := w.history(ctx, p, r.id)
	if err != nil {
		return nil, err
	}
	digest := e.ArgumentsDigest()
	v := reviewView{
		Review: guard.ReviewID(e.ID), Effect: e.ID, Tool: e.Tool, State: e.State, Code: e.Review, Open: e.Review != "", Why: why(&e),
		Own:   e.Subject == p.Subject && !p.SelfReview,
		Agent: e.Agent, Subject: e.Subject, Run: e.Run, Created: e.Created, Since: e.Since, Expires: e.ExpiresAt, Attempts: e.Attempts,
		Result: resultOf(e.Result), Timeline: timeline(events, e.Execute), Policy: policyOf(rule(w.policies, e.Tool), e.Review),
		Digest: hex.EncodeToString(digest[:]), Fence: e.Fence, Seq: e.Events,
		Suggest: policyPath(e.Tool) + "?suggest=" + url.QueryEscape(e.ID) + "#h-draft",
	}
	if err := w.setSideBySide(ctx, p, &v, &e, r.all); err != nil {
		return nil, err
	}
	if v.Open && !v.Own {
		if err := w.setChoices(ctx, p, &v, &e); err != nil {
			return nil, err
		}
	}
	return page{template: "review", title: e.Tool, section: atReview, view: v}, nil
}

// setSideBySide compares the call with the effect that stood in its way, if there is one.
func (w *Web) setSideBySide(ctx context.Context, p guard.Principal, v *reviewView, e *guard.Effect, all bool) error {
	now, err := terms(w.policies, e)
	if err != nil {
		v.Arguments.Broken = err.Error()
		return nil
	}
	earlier, err := w.related(ctx, p, e)
	if err != nil {
		return err
	}
	var before []fingerprint.Term
	if earlier != nil {
		v.Earlier = &earlierView{
			Effect: earlier.ID, Tool: earlier.Tool, State: earlier.State, Agent: earlier.Agent, Subject: earlier.Subject, Run: earlier.Run,
			Created: earlier.Created, Result: resultOf(earlier.Result),
		}
		if before, err = terms(w.policies, earlier); err != nil {
			before = nil
		} else {
			v.Sentence = w.sentence(ctx, p, earlier, e, before, now)
		}
	}
	v.Arguments = compare(v.Review, before, now, all)
	return nil
}

// sentence says what a call is to an earlier one. The guard's own comparison knows how alike wordings are; where it cannot be made,
// because a part of the scope is not on record, the arguments alone are compared.
func (w *Web) sentence(ctx context.Context, p guard.Principal, earlier, e *guard.Effect, before, now []fingerprint.Term) string {
	x, err := w.guard.Fingerprint(ctx, p, callOf(e), new(callOf(earlier)))
	if err == nil && x.Verdict.Sentence != "" {
		return x.Verdict.Sentence
	}
	return fingerprint.Sentence(rule(w.policies, e.Tool).Effect, before, now, fingerprint.Nearness{})
}

func callOf(e *guard.Effect) guard.Call {
	return guard.Call{Tool: e.Tool, Arguments: e.Arguments, Run: e.Run, Agent: e.Agent}
}

// valueRequest is GET /review/{id}/value: a part of a value that is too long for the page of its review.
type valueRequest struct {
	id       string
	of       string // "now", "earlier" or "result"
	argument string
	from     int // character
}

func (r *valueRequest) bind(c echo.Context) error {
	r.id = effectID(c.Param("id"))
	r.of, r.argument = c.QueryParam("of"), c.QueryParam("argument")
	return echo.QueryParamsBinder(c).Int("from", &r.from).BindError()
}

// valuePart is how many characters of a long value are on one page.
const valuePart = 100_000

// valueView is a part of a long value.
type valueView struct {
	Review   string
	Tool     string
	Argument string
	Of       string
	From     int
	To       int
	Pieces   []piece
	Rest     int
}

// wholeValue is GET /review/{id}/value.
func (w *Web) wholeValue(ctx context.Context, p guard.Principal, r valueRequest) (reply, error) {
	e, err := w.guard.Effect(ctx, p, r.id)
	if err != nil {
		return nil, err
	}
	text, err := w.valueOf(ctx, p, &e, r)
	if err != nil {
		return nil, err
	}
	_, n := cutText(text, 0)
	from := min(max(r.from, 0), n)
	head, _ := cutText(text, from)
	part, rest := cutText(strings.TrimPrefix(text, head), valuePart)
	v := valueView{Review: guard.ReviewID(e.ID), Tool: e.Tool, Argument: r.argument, Of: r.of, From: from, To: n - rest, Pieces: visible(part), Rest: rest}
	return page{template: "value", title: e.Tool, section: atReview, view: v}, nil
}

func (w *Web) valueOf(ctx context.Context, p guard.Principal, e *guard.Effect, r valueRequest) (string, error) {
	gone := &guard.Error{Code: guard.CodeNotFound, Message: "there is no such value"}
	if r.of == "earlier" {
		earlier, err := w.related(ctx, p, e)
		if err != nil {
			return "", err
		}
		if earlier == nil {
			return "", gone
		}
		e = earlier
	}
	if r.of == "result" {
		if e.Result == nil {
			return "", gone
		}
		return string(e.Result.Body), nil
	}
	list, err := terms(w.policies, e)
	if err != nil {
		return "", gone
	}
	i := slices.IndexFunc(list, func(t fingerprint.Term) bool { return t.Argument == r.argument })
	if i < 0 {
		return "", gone
	}
	text, _ := plain(list[i].Raw)
	return text, nil
}
