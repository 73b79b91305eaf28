package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	liveBeat  = 20 * time.Second      // between signs of life, which keep proxies from closing the stream
	liveWrite = 10 * time.Second      // for one write
	liveRest  = 60 * time.Millisecond // between two hints, so that a burst of changes is told as few
	liveMost  = 100                   // ids in one hint; more are told as "everything"
)

// live is GET /live: a stream of hints (text/event-stream) that effects of the tenant have changed. A hint carries ids only;
// what a person may see of them is decided where the page is read again.
func (w *Web) live(c echo.Context) error {
	v, err := w.admit(c, reviewers)
	if errors.Is(err, errSignIn) {
		// A browser tries a stream again unless it is told that there is none.
		return c.NoContent(http.StatusNoContent)
	}
	if err != nil {
		return w.fail(c, v, err)
	}
	ctx := c.Request().Context()
	changes, err := w.guard.Changes(ctx, v.principal)
	if err != nil {
		return w.fail(c, v, err)
	}
	r := c.Response()
	r.Header().Set("Content-Type", "text/event-stream")
	r.Header().Set("X-Accel-Buffering", "no")
	r.WriteHeader(http.StatusOK)
	s := stream{c: c, out: http.NewResponseController(r)}
	// The server's limit for reading a request does not fit one that stays open.
	if err := s.out.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	if s.send("retry: 2000\nevent: ready\ndata:\n\n") != nil {
		return nil
	}
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	var told time.Time // when the last hint went out: one after a rest goes at once
	for {
		text := ": here\n\n"
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			// The session may have ended meanwhile, and so does its stream.
			if _, err := w.door.visitor(c.Request()); errors.Is(err, errSignIn) {
				return nil
			}
		case id, more := <-changes:
			if !more {
				return nil
			}
			text = "event: changed\ndata: " + gather(id, changes, liveRest-time.Since(told)) + "\n\n"
			told = time.Now()
		}
		if s.send(text) != nil {
			return nil
		}
	}
}

// gather waits some time for more hints and returns the ids in one line; "" stands for everything.
func gather(first string, changes <-chan string, wait time.Duration) string {
	ids, line := map[string]bool{first: true}, first
	rest := time.NewTimer(wait)
	defer rest.Stop()
	for {
		select {
		case <-rest.C:
			if ids[""] || len(ids) > liveMost {
				return ""
			}
			return line
		case id, more := <-changes:
			if !more {
				return line
			}
			if !ids[id] {
				ids[id] = true
				line += " " + id
			}
		}
	}
}

// stream writes events to a browser.
type stream struct {
	c   echo.Context
	out *http.ResponseController
}

func (s stream) send(text string) error {
	// The server's limit for a whole answer does not fit a stream.
	if err := s.out.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprint(s.c.Response(), text); err != nil {
		return err
	}
	return s.out.Flush()
}
