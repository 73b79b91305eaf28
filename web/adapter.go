package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// handler answers one kind of request. Nothing but adapt calls it.
type handler[Req any] func(context.Context, guard.Principal, Req) (reply, error)

// binder is a request that takes something from path, query or form.
type binder interface{ bind(echo.Context) error }

// reply is what a handler gives: a page or a redirect.
type reply interface {
	send(*Web, echo.Context, visitor) error
}

// nothing is a request that says nothing.
type nothing struct{}

// maxForm bounds a posted form, in bytes: a call's arguments, percent-encoded at worst, and some words.
const maxForm = 4 << 20

// adapt makes a handler into a route: it admits, binds, calls and sends, in this order.
func adapt[Req any](w *Web, need right, h handler[Req]) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := w.admit(c, need)
		if err != nil {
			return w.fail(c, v, err)
		}
		var req Req
		if b, ok := any(&req).(binder); ok {
			c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxForm)
			if err := b.bind(c); err != nil {
				return w.fail(c, v, err)
			}
		}
		r, err := h(c.Request().Context(), v.principal, req)
		if err != nil {
			return w.fail(c, v, err)
		}
		if err := r.send(w, c, v); err != nil {
			return w.fail(c, v, err)
		}
		return nil
	}
}

// redirect is a reply that leads to a path of our own, after a post or from an old address.
type redirect string

func (r redirect) send(_ *Web, c echo.Context, _ visitor) error {
	return c.Redirect(http.StatusSeeOther, string(r))
}
