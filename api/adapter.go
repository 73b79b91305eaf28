package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// handler answers one kind of request. Nothing but adapt calls it.
type handler[Req, Resp any] func(context.Context, guard.Principal, Req) (Resp, error)

// binder is a request that takes something from outside its body: path, query or headers.
type binder interface{ bind(echo.Context) error }

// reader is a request that can read a good body faster than reflection can. read reports false, and keeps nothing, for one that it leaves to that.
type reader interface {
	read(recent *recentCalls, p *guard.Principal, body []byte) bool
}

// header is a response that says something in its header.
type header interface{ head(http.Header) }

// noted is a response that says something in the access log.
type noted interface{ note(*record) }

// statused is a response whose status is not always 200.
type statused interface{ status() int }

// adapt makes a handler into a route: it authenticates, decodes, calls and encodes, in this order. A GET, a HEAD and a DELETE have no body.
func adapt[Req, Resp any](a *API, need right, h handler[Req, Resp]) echo.HandlerFunc {
	return func(c echo.Context) error {
		p, err := a.admit(c, need)
		if err != nil {
			return err
		}
		var req Req
		if m := c.Request().Method; m != http.MethodGet && m != http.MethodHead && m != http.MethodDelete {
			if err := a.readBody(c, &p, &req); err != nil {
				return err
			}
		}
		if b, ok := any(&req).(binder); ok {
			if err := b.bind(c); err != nil {
				return err
			}
		}
		resp, err := h(c.Request().Context(), p, req)
		if n, ok := any(resp).(noted); ok && err == nil {
			n.note(recordOf(c))
		}
		if err != nil {
			return err
		}
		return write(c, resp)
	}
}

// serve makes a plain handler into a route.
func (a *API) serve(need right, h http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := a.admit(c, need); err != nil {
			return err
		}
		h.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// buffers holds the memory of bodies. What grew above keepBuffer is left to the collector, so that a few large bodies
// do not stay in memory.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keepBuffer = 64 << 10

func getBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= keepBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// asItCame keeps the text of raw JSON: an upstream's answer is its own matter, even where we would not accept it as a request.
var asItCame = json.JoinOptions(jsontext.PreserveRawStrings(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
	json.Deterministic(true))

func write(c echo.Context, resp any) error {
	b := getBuffer()
	defer putBuffer(b)
	if r, ok := resp.(*callResponse); ok {
		t := answerText(b.AvailableBuffer())
		t.answer(&r.Answer)
		b.Write(t)
	} else if err := json.MarshalWrite(b, resp, asItCame); err != nil {
		return &guard.Error{Code: guard.CodeInternal, Op: "encode", Message: "the answer could not be written", Err: err}
	}
	w := c.Response()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	if r, ok := resp.(header); ok {
		r.head(h)
	}
	status := http.StatusOK
	if s, ok := resp.(statused); ok {
		status = s.status()
	}
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil {
		recordOf(c).cut = true
	}
	return nil
}
