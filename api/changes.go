package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	beat       = 15 * time.Second // between signs of life; at each of them the key is looked at again
	writeWait  = 10 * time.Second // for one event to be taken
	reconnects = "retry: 2000\n\n"
)

// changes is GET /v1/events, a stream of server-sent events. It ends when the caller leaves, when its key is no longer good,
// and when the server shuts down.
func (a *API) changes(c echo.Context) error {
	p, err := a.admit(c, reviewers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	ids, err := a.guard.Changes(ctx, p)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects would keep the news to itself
	c.Response().WriteHeader(http.StatusOK)
	out := stream{http.NewResponseController(c.Response())}
	out.send(c, reconnects)
	alive := time.NewTicker(beat)
	defer alive.Stop()
	for open := true; open; {
		select {
		case id, more := <-ids:
			open = more && out.send(c, changeEvent(id))
		case <-alive.C:
			_, err := a.admit(c, reviewers)
			open = err == nil && out.send(c, ": alive\n\n")
		}
	}
	return nil
}

// changeEvent is one event of the stream; an empty id tells that ids were lost.
func changeEvent(id string) string {
	if id == "" {
		return "event: lost\ndata: {}\n\n"
	}
	return "event: effect\ndata: {\"effect\":" + strconv.Quote(id) + "}\n\n"
}

// stream writes and flushes, each time with a deadline of its own: the server's is about whole answers.
type stream struct{ *http.ResponseController }

func (s stream) send(c echo.Context, text string) bool {
	if s.SetWriteDeadline(time.Now().Add(writeWait)) != nil {
		return false
	}
	if _, err := c.Response().Write([]byte(text)); err != nil {
		recordOf(c).cut = true
		return false
	}
	return s.Flush() == nil
}
