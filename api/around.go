package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// record is what the access log says of one request. Nothing in it can hold an argument, a header or a query.
type record struct {
	id       string
	trace    string
	tenant   string
	subject  string
	decision string
	code     string
	effect   string
	err      error // of a 5xx
	cut      bool  // the answer could not be written completely
}

// recorded is the context of a request with its record.
type recorded struct {
	echo.Context
	record record
}

func recordOf(c echo.Context) *record {
	if r, ok := c.(*recorded); ok {
		return &r.record
	}
	return &record{id: requestID(c.Request())} // nobody logs what is outside the routes
}

// The header of every answer. Nothing ever changes these lists.
var (
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

// around is what happens before and after every route, known or not.
func (a *API) around(next echo.HandlerFunc) echo.HandlerFunc {
	return func(plain echo.Context) error {
		start := time.Now()
		c := &recorded{Context: plain, record: record{id: requestID(plain.Request()), trace: traceID(plain.Request().Header)}}
		r := &c.record
		h := c.Response().Header()
		h["X-Request-Id"], h["X-Content-Type-Options"], h["Cache-Control"] = []string{r.id}, noSniff, noStore
		if err := a.run(next, c); err != nil {
			a.fail(err, c)
		}
		a.logAccess(c, r, time.Since(start))
		return nil
	}
}

// run calls next unless a browser was led here from elsewhere, and turns a panic into an error.
func (a *API) run(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler { // a handler's own way to drop the connection
				panic(v)
			}
			a.log.Error("a handler panicked", "request", recordOf(c).id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = &guard.Error{Code: guard.CodeInternal, Op: "panic"}
		}
	}()
	if err := a.origin.Check(c.Request()); err != nil {
		return &refusal{status: http.StatusForbidden, code: "cross_origin", field: "Origin", detail: "a web page of another origin may not use this API", err: err}
	}
	if a.dev && !guard.LoopbackHost(c.Request().Host) {
		return &refusal{status: http.StatusMisdirectedRequest, code: "host", field: "Host",
			detail: "a development server answers only to localhost and loopback addresses"}
	}
	return next(c)
}

func (a *API) logAccess(c echo.Context, r *record, took time.Duration) {
	status, level := c.Response().Status, slog.LevelInfo
	route := c.Path()
	switch {
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case status >= 500:
		level = slog.LevelError
	case route == "/healthz" || route == "/readyz" || route == "/metrics":
		level = slog.LevelDebug
	}
	ctx := context.WithoutCancel(c.Request().Context())
	if !a.log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs, slog.String("method", knownMethod(c.Request().Method)), slog.String("route", route),
		slog.Int("status", status), slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("request", r.id))
	for _, f := range [...]struct{ name, value string }{
		{"trace", r.trace}, {"tenant", r.tenant}, {"subject", r.subject},
		{"decision", r.decision}, {"code", r.code}, {"effect", r.effect},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, f.value))
		}
	}
	if errors.Is(c.Request().Context().Err(), context.Canceled) || r.cut {
		attrs = append(attrs, slog.Bool("caller_left", true))
	}
	if r.err != nil {
		attrs = append(attrs, slog.String("error", r.err.Error()))
	}
	// Where in the program the line was written says nothing, and would have to be looked up each time.
	line := slog.NewRecord(time.Now(), level, "request", 0)
	line.AddAttrs(attrs...)
	_ = a.log.Handler().Handle(ctx, line) // a log that cannot be written to has nobody to tell
}

// knownMethod keeps what callers invent out of the log.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodPatch, http.MethodOptions:
		return m
	}
	return "other"
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID is the caller's, where it is harmless, so that logs of several services can be read together.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && requestIDForm.MatchString(id) {
		return id
	}
	var b [12]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

var traceparentForm = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}`)

// traceParentLength is the length of the fields that version 00 knows, which later versions may only extend.
const traceParentLength = 55

// traceParent is the W3C traceparent header; "" for one that is not valid, which the standard says to ignore. A later version is passed on as the
// version that we speak.
func traceParent(header http.Header) string {
	h := header.Get("Traceparent")
	if len(h) < traceParentLength || len(h) > 256 {
		return ""
	}
	m := traceparentForm.FindStringSubmatch(h)
	if m == nil || strings.HasPrefix(h, "ff") || m[1] == strings.Repeat("0", 32) || h[36:52] == strings.Repeat("0", 16) {
		return ""
	}
	return "00" + h[2:traceParentLength]
}

// traceID is the id of the trace that a request belongs to, "" for none.
func traceID(header http.Header) string {
	if p := traceParent(header); p != "" {
		return p[3:35]
	}
	return ""
}
