package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// signInRequest asks for the form.
type signInRequest struct{ next string }

func (r *signInRequest) bind(c echo.Context) error {
	r.next = ownPath(c.QueryParam("next"))
	return nil
}

// signInView is the form in which a person gives a key.
type signInView struct {
	Next     string
	Problem  string
	Provider string // the name of an identity provider; "" where none is configured
}

// signIn is GET /signin.
func (w *Web) signIn(_ context.Context, p guard.Principal, r signInRequest) (reply, error) {
	if p.Reviews() {
		return redirect(r.next), nil
	}
	return w.signInPage(r.next, "", http.StatusOK), nil
}

func (w *Web) signInPage(next, problem string, status int) page {
	return page{template: "signin", title: "Sign in", view: signInView{Next: next, Problem: problem, Provider: w.provider.name()}, status: status}
}

// enter is POST /signin.
func (w *Web) enter(c echo.Context) error {
	next := ownPath(formValue(c, "next"))
	if w.door.dev {
		return c.Redirect(http.StatusSeeOther, next)
	}
	s, err := w.door.open(c.Request().Context(), formValue(c, "key"))
	if r, ok := errors.AsType[*refusal](err); ok {
		return w.sendOrFail(c, w.signInPage(next, r.detail, r.status))
	}
	if err != nil {
		return w.fail(c, visitor{}, err)
	}
	return w.welcome(c, s, next)
}

// welcome gives a browser a session and leads on.
func (w *Web) welcome(c echo.Context, s session, next string) error {
	if err := w.door.cookie.write(c.Response(), sessionCookie, s, sessionIdle); err != nil {
		return w.fail(c, visitor{}, err)
	}
	return c.Redirect(http.StatusSeeOther, next)
}

func (w *Web) sendOrFail(c echo.Context, p page) error {
	if err := p.send(w, c, visitor{}); err != nil {
		return w.fail(c, visitor{}, err)
	}
	return nil
}

// linkView asks whether a one-time link shall be used: programs that look at links in messages must not use them up.
type linkView struct {
	Token string
	Who   guard.Principal
}

// linkRequest is the visit of a one-time link.
type linkRequest struct{ token string }

func (r *linkRequest) bind(c echo.Context) error {
	r.token = c.QueryParam("token")
	return nil
}

// showLink is GET /signin/link.
func (w *Web) showLink(ctx context.Context, _ guard.Principal, r linkRequest) (reply, error) {
	hash, ok := w.door.links.look(r.token, w.door.now())
	if !ok {
		return nil, errOldLink
	}
	p, err := w.door.find(ctx, hash)
	if errors.Is(err, errSignIn) {
		return nil, errOldLink
	}
	if err != nil {
		return nil, err
	}
	return page{template: "link", title: "Sign in", view: linkView{r.token, p}}, nil
}

// enterByLink is POST /signin/link.
func (w *Web) enterByLink(c echo.Context) error {
	hash, ok := w.door.links.use(formValue(c, "token"), w.door.now())
	if !ok {
		return w.fail(c, visitor{}, errOldLink)
	}
	s, err := w.door.begin(c.Request().Context(), hash)
	if err != nil {
		return w.fail(c, visitor{}, err)
	}
	return w.welcome(c, s, "/review")
}

// leave is POST /signout.
func (w *Web) leave(c echo.Context) error {
	if v, err := w.door.visitor(c.Request()); err == nil && !v.dev {
		w.door.end(v.session)
		w.door.cookie.clear(c.Response(), sessionCookie)
	}
	return c.Redirect(http.StatusSeeOther, "/signin")
}

// formValue reads a field of a small posted form.
func formValue(c echo.Context, name string) string {
	const most = 16 << 10
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, most)
	return c.Request().PostFormValue(name)
}

// ownPath is where a person goes on after the sign-in. What could lead to another site leads to the reviews.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/review"
	}
	return next
}
