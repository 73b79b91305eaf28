package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// refusal is a request that never reached the guard.
type refusal struct {
	status int
	title  string
	detail string
}

func (r *refusal) Error() string { return r.title + ": " + r.detail }

// errSignIn is a request of somebody who is not signed in.
var errSignIn = errors.New("sign in first")

// failureView is the page of an error.
type failureView struct {
	Title  string
	Detail string
	Again  string // where to go on
	Name   string // what to call that
}

// failures says what each error of the guard is for a reader: the only place where codes become status numbers.
var failures = map[guard.ErrorCode]struct {
	status        int
	title, detail string
}{
	guard.CodeInvalid:     {http.StatusBadRequest, "This cannot be used", "The request cannot be understood."},
	guard.CodeForbidden:   {http.StatusForbidden, "Not allowed", "Your role does not allow this."},
	guard.CodeSelfReview:  {http.StatusForbidden, "Not your own call", "Nobody decides on a call of their own; another person must."},
	guard.CodeNotFound:    {http.StatusNotFound, "Not here", "There is no such thing, or it belongs to another tenant."},
	guard.CodeConflict:    {http.StatusConflict, "Not possible now", "The effect is in another state than this needs."},
	guard.CodeStaleFence:  {http.StatusConflict, "Somebody was faster", "The effect has changed since it was shown."},
	guard.CodeUnavailable: {http.StatusServiceUnavailable, "The ledger does not answer", "Nothing was decided or sent. Try again in a moment."},
	guard.CodeDraining:    {http.StatusServiceUnavailable, "The server is shutting down", "Nothing was decided or sent. Try again in a moment."},
	guard.CodeBusy:        {http.StatusServiceUnavailable, "Too much at once", "Nothing was decided or sent. Try again in a moment."},
	guard.CodeUncertain:   {http.StatusServiceUnavailable, "Not confirmed", "The ledger did not confirm the decision. Look at the effect before you repeat it."},
	guard.CodeCorrupt:     {http.StatusInternalServerError, "A record does not verify", "Nothing is shown of it and nothing is decided on it. Tell the operator."},
	guard.CodeInternal:    {http.StatusInternalServerError, "The dashboard failed", "This is a defect of ours. Tell the operator; the log has the cause."},
}

// fail answers a request with the page of an error, or leads to the sign-in.
func (w *Web) fail(c echo.Context, v visitor, err error) error {
	if c.Response().Committed {
		return nil
	}
	if errors.Is(err, errSignIn) {
		return c.Redirect(http.StatusSeeOther, signInPath(c.Request()))
	}
	view, status := failureOf(err)
	if status >= 500 {
		w.log.Error("a page failed", "route", c.Path(), "error", err)
	}
	p := page{template: "failure", title: view.Title, view: view, status: status}
	if err := p.send(w, c, v); err != nil {
		w.log.Error("the page of an error failed", "route", c.Path(), "error", err)
		return c.String(http.StatusInternalServerError, view.Title+". "+view.Detail)
	}
	return nil
}

// failureOf describes an error. It never shows a cause.
func failureOf(err error) (view failureView, status int) {
	view = failureView{Again: "/review", Name: "To the reviews"}
	if _, ok := errors.AsType[*echo.BindingError](err); ok {
		err = &refusal{http.StatusBadRequest, "This address is broken", "A part of it is not what the page expects."}
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		view.Title, view.Detail = r.title, r.detail
		return view, r.status
	}
	f, known := failures[guard.CodeOf(err)]
	if !known {
		f = failures[guard.CodeInternal]
	}
	view.Title, view.Detail = f.title, f.detail
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Message != "" && f.status < 500 {
		view.Detail = capital(e.Message) + "."
	}
	return view, f.status
}

// signInPath leads to the sign-in and from there back to what was asked for.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/" {
		return "/signin"
	}
	return "/signin?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}
