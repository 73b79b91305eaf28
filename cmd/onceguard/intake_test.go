package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

const intakePolicy = `
version: 1
tools:
  - name: refund
    arguments: {order: {role: identity}}
    upstream: {http: {url: "%s", method: POST, timeout: 1s, network: private}}
`

// streamed is a server whose calls come from a stream of Redis.
type streamed struct {
	*testing.T
	program, dir string
	redis        *servertest.RedisServer
	client       *redis.Client
	server       *process
	key          string
}

func newStreamed(t *testing.T, program string, upstream http.Handler) *streamed {
	s := &streamed{T: t, program: program, dir: t.TempDir(), redis: servertest.StartRedis(t)}
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	if err := os.WriteFile(filepath.Join(s.dir, "policy.yaml"), fmt.Appendf(nil, intakePolicy, up.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	s.client = redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(s.redis.Address(), "redis://")})
	t.Cleanup(func() { s.client.Close() })
	s.start()
	t.Cleanup(func() { s.server.kill() })
	found, err := s.server.stdout.await(t.Context(), shownKey)
	if err != nil {
		t.Fatal(err)
	}
	s.key = found[1]
	return s
}

func (s *streamed) start() {
	s.Helper()
	p, err := startProcess(s.program, s.dir, []string{"ONCEGUARD_REDIS=" + s.redis.Address()}, "serve", "--addr", "127.0.0.1:0", "--data", "data",
		"--policies", "policy.yaml", "--intake", "calls", "--send-grace", "200ms", "--sweep", "50ms")
	if err != nil {
		s.Fatal(err)
	}
	s.server = p
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if _, err := p.url(ctx); err != nil {
		s.Fatal(err)
	}
}

func (s *streamed) put(key, call string) string {
	s.Helper()
	id, err := s.client.XAdd(s.Context(), &redis.XAddArgs{Stream: "calls", Values: []any{"key", key, "call", call}}).Result()
	if err != nil {
		s.Fatal(err)
	}
	return id
}

// next returns the field of the first entry after another one, which must be about the entry with an id.
func (s *streamed) next(stream string, after *string, id, field string) string {
	s.Helper()
	got, err := s.client.XRead(s.Context(), &redis.XReadArgs{Streams: []string{stream, *after}, Count: 1, Block: patience}).Result()
	if err != nil {
		s.Fatalf("no entry in %s: %v\n%s", stream, err, s.server.stderr)
	}
	m := got[0].Messages[0]
	*after = m.ID
	if m.Values["entry"] != id {
		s.Fatalf("%v is not about %s", m.Values, id)
	}
	return m.Values[field].(string)
}

// decision of an answer, and the code of its explanation.
func decisionOf(t *testing.T, answer string) string {
	t.Helper()
	var a struct {
		Decision    string
		Explanation struct{ Code string }
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return a.Decision + " " + a.Explanation.Code
}

// TestIntake gives calls to a real server by a stream.
func TestIntake(t *testing.T) {
	program := filepath.Join(t.TempDir(), "onceguard")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("answers, and what is given up", func(t *testing.T) { intakeAnswers(t, program) })
	t.Run("a crash while a call is under way", func(t *testing.T) { intakeCrash(t, program) })
}

func intakeAnswers(t *testing.T, program string) {
	var sent atomic.Int64
	s := newStreamed(t, program, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"n":%d}`, sent.Add(1)) }))
	const call = `{"tool":"refund","run":"r","arguments":{"order":"A-1"}}`
	reply, dead := "0", "0"
	if got := decisionOf(t, s.next("calls:replies", &reply, s.put(s.key, call), "answer")); got != "forwarded forwarded" {
		t.Errorf("the first call: %s", got)
	}
	if got := decisionOf(t, s.next("calls:replies", &reply, s.put(s.key, call), "answer")); got != "replayed replayed" {
		t.Errorf("an equal call: %s", got)
	}
	for _, c := range []struct{ key, call, reason string }{
		{"og_agent_nobody", call, "unauthorized"},
		{s.key, `{"tool":`, "invalid"},
		{s.key, `{"tool":"refund","arguments":{},"surprise":1}`, "invalid"},
	} {
		if got := s.next("calls:dead", &dead, s.put(c.key, c.call), "reason"); !strings.HasPrefix(got, c.reason+": ") {
			t.Errorf("%s: given up because %q", c.call, got)
		}
	}
	if n := sent.Load(); n != 1 {
		t.Errorf("%d were sent", n)
	}
	if err := s.server.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.server.wait(ctx); err != nil {
		t.Errorf("the shutdown: %v\n%s", err, s.server.stderr)
	}
}

// intakeCrash kills the server while a call of the stream is under way. The next server answers it, and nothing is sent again.
func intakeCrash(t *testing.T, program string) {
	var sent atomic.Int64
	begun, leave := make(chan struct{}, 10), make(chan struct{})
	s := newStreamed(t, program, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		sent.Add(1)
		begun <- struct{}{}
		<-leave
	}))
	defer close(leave)
	id := s.put(s.key, `{"tool":"refund","run":"r","arguments":{"order":"A-1"}}`)
	<-begun
	s.server.kill()
	// As if the dead server had been silent for an hour.
	if err := s.client.Do(t.Context(), "XCLAIM", "calls", "onceguard", "dead", 0, id, "IDLE", 3_600_000).Err(); err != nil {
		t.Fatal(err)
	}
	s.start()
	reply := "0"
	if got := decisionOf(t, s.next("calls:replies", &reply, id, "answer")); got != "blocked unknown" {
		t.Errorf("after the crash: %s", got)
	}
	if n := sent.Load(); n != 1 {
		t.Errorf("%d were sent", n)
	}
}

func TestRedisSettings(t *testing.T) {
	for want, environ := range map[string][]string{
		"ONCEGUARD_REDIS: the address of a Redis is redis://host": {"ONCEGUARD_REDIS=http://app:hunter2@cache"},
		"ONCEGUARD_INTAKE: calls are read from a Redis":           {"ONCEGUARD_INTAKE=calls"},
		"ONCEGUARD_INTAKE_REDIS: the address of a Redis is":       {"ONCEGUARD_INTAKE_REDIS=redis://app:hunter2@host/x", "ONCEGUARD_INTAKE=calls"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"serve"}, strings.NewReader(""), &out, &errs, append(environ, "HOME="+t.TempDir()))
		if code != exitUsage || !strings.Contains(errs.String(), want) || strings.Contains(errs.String(), "hunter2") {
			t.Errorf("%v: exit code %d: %s", environ, code, errs.String())
		}
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"serve", "--print-config"}, strings.NewReader(""), &out, &errs,
		[]string{"HOME=/home/u", "ONCEGUARD_REDIS=rediss://app:hunter2@cache.internal", "ONCEGUARD_INTAKE_REDIS=redis://:hunter2@queue.internal/2"})
	if code != exitOK || strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "cache.internal") || !strings.Contains(out.String(), "queue.internal/2") {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}
