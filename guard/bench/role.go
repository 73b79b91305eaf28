package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard/bench/process"
)

// roleVariable makes this program one of its own helpers: processes beside the harness, so that what they cost is theirs.
const roleVariable = "ONCEGUARD_BENCH_ROLE"

// The helpers. The upstream answers every call and counts them. The echo handler is the least that an HTTP service of this
// kind does: it reads the whole request and returns bytes that it was given beforehand.
const (
	upstreamRole = "upstream"
	echoRole     = "echo"
)

const countPath = "/count"

// playRole is the whole life of a helper.
func playRole(role string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	if role == upstreamRole {
		return http.Serve(l, newUpstream())
	}
	e := echo.New()
	e.HideBanner, e.HidePort, e.Listener = true, true, l
	var answer atomic.Pointer[[]byte]
	answer.Store(&[]byte{})
	e.PUT("/", func(c echo.Context) error {
		text, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		answer.Store(&text)
		return c.NoContent(http.StatusOK)
	})
	e.POST("/v1/calls", func(c echo.Context) error {
		if _, err := io.ReadAll(c.Request().Body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "application/json", *answer.Load())
	})
	return e.Start("")
}

func newUpstream() http.Handler {
	var calls atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+countPath, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, calls.Load()) })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		calls.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(upstreamAnswer) // a caller that is gone is not our concern
	})
	return mux
}

// helper is a helper that runs.
type helper struct {
	*process.Process
	addr string // host:port
}

var listening = regexp.MustCompile(`^listening on http://(\S+)$`)

func startHelper(ctx context.Context, role string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(self, nil, process.Env(roleVariable+"="+role))
	if err != nil {
		return nil, err
	}
	found, err := p.Await(ctx, listening)
	if err != nil {
		p.Stop()
		return nil, err
	}
	return &helper{Process: p, addr: found[1]}, nil
}

// count asks the upstream how many calls it has had.
func (h *helper) count(ctx context.Context) (int64, error) {
	text, err := fetch(ctx, http.MethodGet, "http://"+h.addr+countPath, nil)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}

// say gives the echo handler what it shall answer.
func (h *helper) say(ctx context.Context, answer string) error {
	_, err := fetch(ctx, http.MethodPut, "http://"+h.addr+"/", strings.NewReader(answer))
	return err
}

func fetch(ctx context.Context, method, url string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.200s", method, url, resp.Status, text)
	}
	return text, err
}
