package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// slowHouse is a server whose limits are shrunk, so that a test can outwait them.
func slowHouse(t *testing.T, f *fake, shrink func(*http.Server)) *httptest.Server {
	t.Helper()
	a, err := New(Config{Guard: f, Policies: rules{set: policy.Empty()}, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	a.Register(e)
	srv := httptest.NewUnstartedServer(e)
	srv.Config = Server("", e)
	shrink(srv.Config)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// The deadline for reading a request does not end a call that waits after its body was read.
func TestReadTimeoutDoesNotEndAWaitingCall(t *testing.T) {
	const limit = 50 * time.Millisecond
	ended := make(chan error, 1)
	f := &fake{answer: guard.Answer{Kind: guard.AnswerBlocked}, before: func(ctx context.Context) {
		select {
		case <-ctx.Done():
			ended <- ctx.Err()
		case <-time.After(6 * limit):
			ended <- nil
		}
	}}
	srv := slowHouse(t, f, func(s *http.Server) { s.ReadTimeout = limit })
	resp, err := http.Post(srv.URL+"/v1/calls", "application/json", strings.NewReader(smallCall))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-ended; err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the call's context ended with %v, status %d", err, resp.StatusCode)
	}
}

// A caller who hangs up ends the context of the call, which is how the guard learns of it.
func TestHangUpEndsTheContext(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	f := &fake{answer: guard.Answer{Kind: guard.AnswerBlocked}, before: func(ctx context.Context) {
		close(entered)
		<-ctx.Done()
		close(ended)
	}}
	srv := slowHouse(t, f, func(*http.Server) {})
	ctx, hangUp := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+"/v1/calls", strings.NewReader(smallCall))
	req.Header.Set("Content-Type", "application/json")
	go func() {
		<-entered
		hangUp()
	}()
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Fatal("the request was answered")
	}
	select {
	case <-ended:
	case <-t.Context().Done():
		t.Error("the guard did not learn that the caller left")
	}
}

// A caller who sends slowly, or not at all, is cut off; nothing reaches the guard.
func TestSlowCallersAreCutOff(t *testing.T) {
	f := &fake{}
	srv := slowHouse(t, f, func(s *http.Server) { s.ReadHeaderTimeout, s.ReadTimeout = 50*time.Millisecond, 100*time.Millisecond })
	for name, start := range map[string]string{
		"no byte":     "",
		"half header": "POST /v1/calls HTTP/1.1\r\nHost: localhost\r\n",
		"half body":   "POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{\"tool\":",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, start)
		text, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("%s: not cut off: %v", name, err)
		}
		if name == "half body" && !strings.Contains(string(text), "HTTP/1.1 408 ") {
			t.Errorf("%s: got %q", name, text)
		}
	}
	if n := len(f.asked()); n != 0 {
		t.Errorf("%d calls reached the guard", n)
	}
}

// A header over the limit is refused.
func TestHugeHeader(t *testing.T) {
	srv := slowHouse(t, &fake{}, func(*http.Server) {})
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v %v", resp, err)
	}
}

func TestServerOutwaitsTheLongestWait(t *testing.T) {
	if s := Server("127.0.0.1:1", nil); s.WriteTimeout < guard.MaxWait+10*time.Second || s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("%+v", s)
	}
}
