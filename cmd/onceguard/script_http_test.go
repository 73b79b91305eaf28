package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience ends waits for something that should have happened long ago.
const patience = time.Minute

func limit(_ *testscript.TestScript) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// reply is the answer to one request.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// caller is a request under way.
type caller struct {
	leave context.CancelFunc
	done  chan reply
}

// httpClient gives every request a connection of its own, so that a restarted server is nobody's surprise.
var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	w.ask(ts, neg, args)
	if w.last.err != nil {
		ts.Fatalf("no answer: %v", w.last.err)
	}
}

// ask makes a request and keeps its answer as the last one.
func (w *world) ask(ts *testscript.TestScript, neg bool, args []string) {
	req := w.request(ts, neg, args)
	ctx, cancel := limit(ts)
	defer cancel()
	w.take(ts, do(req.WithContext(ctx)))
}

func (w *world) take(ts *testscript.TestScript, r reply) {
	w.last = r
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", r.status, r.body)
}

// request reads [-prefer PREFERENCE] KEY METHOD PATH [FILE|JSON]. $NAME in the body stands for a variable of the script.
func (w *world) request(ts *testscript.TestScript, neg bool, args []string) *http.Request {
	prefer := ""
	if len(args) > 1 && args[0] == "-prefer" {
		prefer, args = args[1], args[2:]
	}
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: http [-prefer PREFERENCE] KEY METHOD PATH [FILE|JSON]")
	}
	var body io.Reader
	if len(args) == 4 {
		text := args[3]
		if !strings.HasPrefix(text, "{") {
			text = ts.ReadFile(text)
		}
		body = strings.NewReader(os.Expand(text, ts.Getenv))
	}
	req, err := http.NewRequest(args[1], w.url+args[2], body)
	ts.Check(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if prefer != "" {
		req.Header.Set("Prefer", prefer)
	}
	if args[0] != "-" {
		req.Header.Set("Authorization", "Bearer "+args[0])
	}
	return req
}

func do(req *http.Request) reply {
	resp, err := httpClient.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, body, err}
}

func beginCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	name, args := word(ts, neg, args)
	ctx, leave := limit(ts)
	c := &caller{leave: leave, done: make(chan reply, 1)}
	w.callers[name] = c
	written := make(chan struct{})
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(written) }}
	req := w.request(ts, false, args).WithContext(httptrace.WithClientTrace(ctx, trace))
	go func() {
		defer leave()
		c.done <- do(req)
	}()
	select {
	case <-written:
	case <-ctx.Done():
		ts.Fatalf("the request could not be sent")
	}
}

func joinCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	name, _ := word(ts, neg, args)
	w.take(ts, <-w.callers[name].done)
	if w.last.err != nil {
		ts.Fatalf("no answer: %v", w.last.err)
	}
}

func leaveCommand(ts *testscript.TestScript, neg bool, args []string) {
	name, _ := word(ts, neg, args)
	c := worldOf(ts).callers[name]
	c.leave()
	if r := <-c.done; r.err == nil {
		ts.Fatalf("the caller had its answer already: %d %s", r.status, r.body)
	}
}

// untilCommand asks again and again, for what comes with time and tells nobody.
func untilCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	status, args := word(ts, neg, args)
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if w.ask(ts, false, args); strconv.Itoa(w.last.status) == status {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the status is still %d, want %s", w.last.status, status)
		}
		<-tick.C
	}
}

func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	status, _ := word(ts, neg, args)
	equal(ts, "status", worldOf(ts).last.status, status)
}

func headerCommand(ts *testscript.TestScript, neg bool, args []string) {
	name, args := word(ts, neg, args)
	equal(ts, "header "+name, worldOf(ts).last.header.Get(name), strings.Join(args, " "))
}

func answerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: [!] answer PATH [VALUE]")
	}
	got, ok := worldOf(ts).last.member(args[0])
	switch {
	case len(args) == 1 && ok == neg:
		ts.Fatalf("%s: there=%v", args[0], ok)
	case len(args) == 2 && (ok && got == args[1]) == neg:
		ts.Fatalf("%s is %q (there=%v), want %q, negated=%v", args[0], got, ok, args[1], neg)
	}
}

func keepCommand(ts *testscript.TestScript, neg bool, args []string) {
	name, args := word(ts, neg, args)
	path, _ := word(ts, false, args)
	got, ok := worldOf(ts).last.member(path)
	if !ok {
		ts.Fatalf("the answer has no %s", path)
	}
	ts.Setenv(name, got)
}

// member finds a value in a JSON answer: a text as it is, anything else as JSON text.
func (r reply) member(path string) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", false
	}
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			found, ok := in[step]
			if !ok {
				return "", false
			}
			v = found
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	text, err := json.Marshal(v)
	return string(text), err == nil
}
