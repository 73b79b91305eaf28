package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// underWay is a request that a simulated agent has out.
type underWay struct {
	intent   *intent // nil for a read
	call     recordedCall
	try      int // 1 for the first
	arrivals int
}

// simulation is the upstream of a replay: a real HTTP server that executes writes, by counting them, answers with what was recorded, and loses
// a share of its replies after it has done the work.
//
// Requests carry nothing but the tool and its arguments, as real ones do. The agents therefore announce what they have out, and equal requests
// of different runs are out one after the other. A request that nobody has out was made up by whatever stands between.
//
// It has no memory: a write that was recorded as successful is applied each time that it arrives, except for tools whose policy says that they
// honour idempotency keys.
type simulation struct {
	lose    float64
	seed    uint64
	honours map[string]bool // tools that honour idempotency keys
	tools   []string        // /tools/N
	server  *http.Server
	url     string

	mu    sync.Mutex
	out   map[string]*underWay
	freed map[string]chan struct{} // closed when the request under the key has come back
	count executions
}

// executions is what the upstream itself has counted.
type executions struct {
	Requests    int `json:"requests"`       // that arrived, reads included
	LostReplies int `json:"lost_replies"`   // the work was done or refused and the connection dropped
	Executions  int `json:"executions"`     // writes applied
	Effects     int `json:"effects"`        // different intents among them
	Doubles     int `json:"double_effects"` // executions of an intent that had been executed; the sum of what follows
	Repeated    int `json:"doubles_by_recorded_repeats"`
	Retried     int `json:"doubles_by_retries"`
	Resent      int `json:"doubles_by_resending"` // more than one request came of one
	Unasked     int `json:"doubles_unasked"`      // nobody had the request out
	KeysSeen    int `json:"repeats_by_key"`       // answered again because of an idempotency key
}

// startSimulation listens on a free loopback port.
func startSimulation(tools []string, lose float64, seed uint64) (*simulation, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the simulated upstream: %w", err)
	}
	s := &simulation{
		lose: lose, seed: seed, tools: tools, url: "http://" + l.Addr().String(), honours: map[string]bool{},
		out: map[string]*underWay{}, freed: map[string]chan struct{}{},
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		// Serve returns when the server is closed; a listener that fails before shows as calls that are not sent.
		_ = s.server.Serve(l)
	}()
	return s, nil
}

func (s *simulation) close() error { return s.server.Close() }

// address is where a tool's calls go. Tools have numbers there, because their names may hold anything.
func (s *simulation) address(number int) string { return fmt.Sprintf("%s/tools/%d", s.url, number) }

// begin announces a request with an argument text. earlier holds the texts of the run's earlier calls to the tool, because a guard
// that sends an effect again sends the bytes of the first time. It waits until nobody else has one of the texts out.
// The returned function must be called when the request has come back.
func (s *simulation) begin(ctx context.Context, text string, w underWay, earlier map[string]*intent) (func(), error) {
	mine := map[string]*underWay{}
	for other, in := range earlier {
		mine[w.call.Tool+"\x00"+other] = &underWay{intent: in, call: w.call, try: w.try}
		if in == w.intent {
			mine[w.call.Tool+"\x00"+other] = &w
		}
	}
	mine[w.call.Tool+"\x00"+text] = &w
	for {
		wait, free := s.take(mine)
		if free != nil {
			return free, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take announces all requests of mine, or returns what is closed when one that stands in the way has come back.
func (s *simulation) take(mine map[string]*underWay) (wait <-chan struct{}, free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range mine {
		if other, taken := s.freed[key]; taken {
			return other, nil
		}
	}
	back := make(chan struct{})
	for key, w := range mine {
		s.out[key], s.freed[key] = w, back
	}
	return nil, func() {
		s.mu.Lock()
		for key := range mine {
			delete(s.out, key)
			delete(s.freed, key)
		}
		s.mu.Unlock()
		close(back)
	}
}

// executed tells how often an intent was carried out.
func (s *simulation) executed(in *intent) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return in.executed
}

func (s *simulation) counted() executions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// ServeHTTP executes one request.
func (s *simulation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecordedLine))
	number, badPath := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/tools/"))
	if err != nil || badPath != nil || number < 0 || number >= len(s.tools) {
		http.Error(w, "no such tool", http.StatusNotFound)
		return
	}
	status, text, lost := s.execute(s.tools[number], body, r.Header.Get("Idempotency-Key"))
	if lost {
		// The server drops the connection without a byte of an answer.
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// Whether the answer arrives is the caller's to see.
	_, _ = io.WriteString(w, text)
}

func (s *simulation) execute(tool string, body []byte, key string) (status int, text string, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Requests++
	w := s.out[tool+"\x00"+string(body)]
	if w == nil {
		s.count.Executions++
		s.count.Doubles++
		s.count.Unasked++
		return http.StatusOK, "", false
	}
	w.arrivals++
	switch {
	case w.call.Error:
		status = http.StatusUnprocessableEntity
	default:
		status = http.StatusOK
		if w.intent != nil && w.call.Write {
			s.apply(w, s.honours[tool], key)
		}
	}
	if w.intent != nil && chance(s.lose, s.seed, uint64(w.call.line), uint64(w.try), uint64(w.arrivals)) {
		s.count.LostReplies++
		return status, "", true
	}
	return status, w.call.Result, false
}

// apply carries out a write, whether or not it was carried out before.
func (s *simulation) apply(w *underWay, honours bool, key string) {
	in := w.intent
	if honours && key != "" {
		if in.keys[key] {
			s.count.KeysSeen++
			return
		}
		if in.keys == nil {
			in.keys = map[string]bool{}
		}
		in.keys[key] = true
	}
	in.executed++
	s.count.Executions++
	if in.executed == 1 {
		s.count.Effects++
		return
	}
	s.count.Doubles++
	switch {
	case w.arrivals > 1:
		s.count.Resent++
	case w.try > 1:
		s.count.Retried++
	default:
		s.count.Repeated++
	}
}

// send makes one request to the upstream without a guard between.
func (s *simulation) send(ctx context.Context, h *http.Client, number int, text string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address(number), bytes.NewReader([]byte(text)))
	if err != nil {
		return 0, "", err
	}
	// A request without GetBody is never sent again by net/http itself.
	req.GetBody = nil
	resp, err := h.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRecordedLine))
	return resp.StatusCode, string(answer), err
}
