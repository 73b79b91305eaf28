package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// statuses is the only place where codes become status numbers.
var statuses = map[guard.ErrorCode]int{
	guard.CodeInvalid:     http.StatusBadRequest,
	guard.CodeForbidden:   http.StatusForbidden,
	guard.CodeSelfReview:  http.StatusForbidden,
	guard.CodeNotFound:    http.StatusNotFound,
	guard.CodeConflict:    http.StatusConflict,
	guard.CodeStaleFence:  http.StatusConflict,
	guard.CodeUnavailable: http.StatusServiceUnavailable,
	guard.CodeDraining:    http.StatusServiceUnavailable,
	guard.CodeBusy:        http.StatusServiceUnavailable,
	guard.CodeUncertain:   http.StatusServiceUnavailable, // to repeat the request is safe: every write of ours is idempotent
	guard.CodeCorrupt:     http.StatusInternalServerError,
	guard.CodeInternal:    http.StatusInternalServerError,
}

// sentences stand in where an error has none of its own for the caller.
var sentences = map[guard.ErrorCode]string{
	guard.CodeUnavailable: "the ledger does not answer, so nothing was sent; try again later",
	guard.CodeUncertain:   "the ledger did not confirm a write, so nothing more was sent; the same request may be repeated",
	guard.CodeCorrupt:     "a record does not verify, so nothing is answered from it; tell the operator the request's id",
	guard.CodeInternal:    "the guard failed; the same request may be repeated. Tell the operator the request's id",
	guard.CodeNotFound:    "there is no such thing, or this key may not see it",
}

// refusal is a request that never reached the guard.
type refusal struct {
	status int
	code   string
	field  string
	detail string
	header http.Header
	answer *client.Answer
	err    error // for the log only
}

func (r *refusal) Error() string { return r.code + ": " + r.detail }
func (r *refusal) Unwrap() error { return r.err }

// defaultRetry is the pause that a 503 asks for when the guard names none.
const defaultRetry = time.Second

// problemOf describes err. It never shows a cause, but for what is wrong with a policy that was sent.
func problemOf(err error) (client.Problem, http.Header) {
	if r, ok := errors.AsType[*refusal](err); ok {
		p := client.Problem{Status: r.status, Code: r.code, Field: r.field, Detail: r.detail, Answer: r.answer}
		if r.answer != nil {
			p.RetryAfterMS = r.answer.RetryAfterMS
			if r.answer.Effect != nil {
				p.EffectID = r.answer.Effect.ID
			}
		}
		return p, r.header
	}
	if e, ok := errors.AsType[*guard.Error](err); ok {
		return guardProblem(e), nil
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		return routeProblem(e.Code), nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return guardProblem(&guard.Error{Code: guard.CodeUnavailable}), nil
	}
	return guardProblem(&guard.Error{Code: guard.CodeInternal}), nil
}

func guardProblem(e *guard.Error) client.Problem {
	status, known := statuses[e.Code]
	if !known {
		status, e = http.StatusInternalServerError, &guard.Error{Code: guard.CodeInternal}
	}
	p := client.Problem{Status: status, Code: string(e.Code), Field: e.Field, Detail: e.Message}
	if e.Code == guard.CodeInvalid {
		p.Problems = defects(e.Err)
	}
	if p.Detail == "" {
		p.Detail = sentences[e.Code]
	}
	if e.Effect != nil {
		p.EffectID = e.Effect.ID
		p.Effect = new(briefly(e.Effect))
	}
	retry := e.Retry
	if retry <= 0 && status == http.StatusServiceUnavailable {
		retry = defaultRetry
	}
	p.RetryAfterMS = retry.Milliseconds()
	return p
}

func routeProblem(status int) client.Problem {
	switch status {
	case http.StatusNotFound:
		return client.Problem{Status: status, Code: string(guard.CodeNotFound), Detail: "there is no such route; /openapi.yaml lists them"}
	case http.StatusMethodNotAllowed:
		return client.Problem{Status: status, Code: "method", Detail: "this route does not know the method; the header Allow lists those it knows"}
	case http.StatusInternalServerError:
		return guardProblem(&guard.Error{Code: guard.CodeInternal})
	}
	return client.Problem{Status: status, Code: "http", Detail: http.StatusText(status)}
}

// fail answers with a problem document, or a browser with a page. It is the error handler of echo too, for what fails outside the routes.
func (a *API) fail(err error, c echo.Context) {
	p, extra := problemOf(err)
	r := recordOf(c)
	r.code, r.effect = p.Code, p.EffectID
	if p.Answer != nil {
		r.decision = p.Answer.Decision
	}
	if p.Status >= 500 {
		r.err = err
	}
	w := c.Response()
	if w.Committed {
		return
	}
	if a.showPage != nil && wantsPage(c.Request()) {
		if r.cut = a.showPage(c, p.Status, p.Code, p.Detail) != nil; !r.cut {
			return
		}
	}
	p.Type, p.Title, p.Instance = "about:blank", http.StatusText(p.Status), r.id
	text, err := json.Marshal(p, asItCame)
	if err != nil {
		text = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`)
		p.Status, r.err = http.StatusInternalServerError, err
	}
	h := w.Header()
	for name, values := range extra {
		h[name] = values
	}
	if p.RetryAfterMS > 0 {
		h.Set("Retry-After", seconds(time.Duration(p.RetryAfterMS)*time.Millisecond))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(p.Status)
	if c.Request().Method == http.MethodHead {
		return
	}
	if _, err := w.Write(text); err != nil {
		r.cut = true
	}
}

// wantsPage reports whether a person looks at the answer: a browser names HTML among what it takes, and no program has business with HTML
// from the API.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/v1/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// seconds renders a pause for Retry-After, which knows whole seconds only: rounded up, at least one.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
