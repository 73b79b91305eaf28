package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
)

// intake answers the calls of a stream. Each is a request to POST /v1/calls that did not come over the network: what counts there, from
// the key to the access log, counts here. A nil intake has nothing to do.
type intake struct {
	requests context.Context // as of the server: when it ends, nobody waits for an outcome any more
	routes   http.Handler
	end      context.CancelFunc
	ended    chan error
}

// openIntake starts to answer calls.
func openIntake(requests context.Context, c *Config, routes http.Handler, log *slog.Logger) (*intake, error) {
	i := &intake{requests: requests, routes: routes, ended: make(chan error, 1)}
	source, err := redis.NewIntake(redis.IntakeOptions{Address: c.intakeRedis(), Stream: c.Intake, Log: log}, i.answer)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.WithoutCancel(requests))
	i.end = end
	go func() { i.ended <- source.Run(ctx) }()
	return i, nil
}

// stop ends the reading of calls.
func (i *intake) stop() {
	if i != nil {
		i.end()
	}
}

// wait ends it, too, and returns when the calls under way are answered.
func (i *intake) wait() error {
	if i == nil {
		return nil
	}
	i.end()
	return <-i.ended
}

// answer decides on one call. An answer that was given because the server shuts down is not one: another server gives it.
func (i *intake) answer(_ context.Context, e redis.Entry) ([]byte, error) {
	r, err := http.NewRequestWithContext(i.requests, http.MethodPost, "http://localhost/v1/calls", bytes.NewReader(e.Call))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", fmt.Sprintf("wait=%d", int(guard.MaxWait.Seconds())))
	if e.Key != "" {
		r.Header.Set("Authorization", "Bearer "+e.Key)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	i.routes.ServeHTTP(w, r)
	if i.requests.Err() != nil {
		return nil, &guard.Error{Code: guard.CodeDraining, Message: "this server is shutting down"}
	}
	switch {
	case w.status == http.StatusOK:
		return w.body.Bytes(), nil
	case w.status == http.StatusServiceUnavailable, w.status == http.StatusTooManyRequests:
		return nil, &guard.Error{Code: guard.CodeUnavailable, Message: w.problem()}
	case w.status >= http.StatusInternalServerError:
		return nil, errors.New(w.problem())
	}
	return nil, &redis.Refusal{Reason: w.problem()}
}

// recorder keeps a response.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// problem says what was wrong, in a sentence for the caller.
func (w *recorder) problem() string {
	var p struct{ Code, Detail string }
	if err := json.Unmarshal(w.body.Bytes(), &p); err != nil || p.Detail == "" {
		return fmt.Sprintf("the answer was %d %s", w.status, http.StatusText(w.status))
	}
	return p.Code + ": " + p.Detail
}
