package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sampleTools is the world that the demo changes: a payment and a mail service that do as they are told, each time that
// they are told, and count it. They know nothing of the guard.
type sampleTools struct {
	addr   string // host:port
	server *http.Server

	mu    sync.Mutex
	count map[string]int // by kind and by what was acted on: "refund", "refund of A-1001"
}

// lossy begins the orders for which the payment service does its work and then loses the connection.
const lossy = "LOST-"

func startSampleTools() (*sampleTools, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the sample tools: %w", err)
	}
	t := &sampleTools{addr: l.Addr().String(), count: map[string]int{}}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /v1/refunds", t.refund)
	routes.HandleFunc("POST /v1/messages", t.send)
	routes.HandleFunc("GET /v1/messages", t.search)
	routes.HandleFunc("GET /{$}", t.counts)
	t.server = &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		// Serve returns when the server is closed; a listener that fails before shows as calls that are not sent.
		_ = t.server.Serve(l)
	}()
	return t, nil
}

func (t *sampleTools) close() error { return t.server.Close() }

func (t *sampleTools) refund(w http.ResponseWriter, r *http.Request) {
	var order struct {
		ID string `json:"order_id"`
	}
	if !t.read(w, r, &order) {
		return
	}
	id := strings.TrimSpace(order.ID)
	number := t.executed("refund", id)
	if strings.HasPrefix(id, lossy) {
		// The money has moved, and the connection ends without a byte of an answer.
		panic(http.ErrAbortHandler)
	}
	answer(w, map[string]any{"refund": fmt.Sprintf("rf_%d", number), "order_id": id, "state": "paid"})
}

func (t *sampleTools) send(w http.ResponseWriter, r *http.Request) {
	var message struct{ Subject string }
	if t.read(w, r, &message) {
		answer(w, map[string]any{"message": fmt.Sprintf("msg_%d", t.executed("message", message.Subject)), "state": "sent"})
	}
}

func (t *sampleTools) search(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"messages": []string{}})
}

// counts shows what was executed, for people with curl.
func (t *sampleTools) counts(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	counts := maps.Clone(t.count)
	t.mu.Unlock()
	answer(w, counts)
}

func (t *sampleTools) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		http.Error(w, "the request cannot be read", http.StatusBadRequest)
		return false
	}
	return true
}

// executed counts one execution and returns how many of its kind there have been.
func (t *sampleTools) executed(kind, of string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[kind+" of "+of]++
	t.count[kind]++
	return t.count[kind]
}

// times tells how often something was executed.
func (t *sampleTools) times(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[what]
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// Whether the answer arrives is the caller's to see.
	_ = json.NewEncoder(w).Encode(v)
}
