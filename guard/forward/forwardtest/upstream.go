package forwardtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Upstream is a tool that changes the world, for tests: it counts what it was asked and what it executed. Each
// request behaves as the script says; without a script it is executed and answered with 200.
type Upstream struct {
	URL string // such as "http://127.0.0.1:40123"

	key    func(*Request) string
	server *httptest.Server
	ended  chan struct{} // closed when the test is over

	mu       sync.Mutex
	script   []Behaviour
	requests []*Request
	arrived  chan struct{} // closed and replaced with each arrival
}

// Request is one request that arrived.
type Request struct {
	Method  string
	Path    string // path and query as they were sent
	Header  http.Header
	Body    []byte
	Key     string // which effect it asks for
	Applied bool   // it was executed
}

// Behaviour says what becomes of one request.
type Behaviour struct {
	Apply  bool            // execute the effect
	Status int             // answer with this status; 0 gives no answer
	Body   string          // of the answer; "" gives {"execution": n} where n counts the executions of the key
	Size   int64           // when not 0 the answer's body has this many bytes instead
	Cut    bool            // end the connection half way through the body
	Until  <-chan struct{} // answer, or drop, only when this is closed
	Hang   bool            // give no answer until the caller has gone
}

// The usual behaviours.
var (
	OK               = Behaviour{Apply: true, Status: http.StatusOK}
	CommitThenDrop   = Behaviour{Apply: true}
	DropBeforeCommit = Behaviour{}
	CommitThenHang   = Behaviour{Apply: true, Hang: true}
	HangBeforeCommit = Behaviour{Hang: true}
	CommitThenCut    = Behaviour{Apply: true, Status: http.StatusOK, Cut: true}
)

// Status answers with a status and executes the effect only if it is a 2xx.
func Status(code int) Behaviour { return Behaviour{Apply: code >= 200 && code < 300, Status: code} }

// Oversize executes the effect and answers 200 with a body of size bytes.
func Oversize(size int64) Behaviour {
	return Behaviour{Apply: true, Status: http.StatusOK, Size: size}
}

// NewUpstream starts an upstream that ends with the test. key says which effect a request asks for; nil takes requests with equal
// method, path and body for the same effect. It listens on loopback: policies and attempts must allow private addresses.
func NewUpstream(t testing.TB, key func(*Request) string) *Upstream {
	if key == nil {
		key = func(r *Request) string { return r.Method + " " + r.Path + " " + string(r.Body) }
	}
	u := &Upstream{key: key, ended: make(chan struct{}), arrived: make(chan struct{})}
	u.server = httptest.NewServer(u)
	u.URL = u.server.URL
	t.Cleanup(func() {
		close(u.ended)
		u.server.Close()
	})
	return u
}

// Field is a key function: the effect is what the field of the JSON body names, in whatever spelling the rest comes.
func Field(name string) func(*Request) string {
	return func(r *Request) string {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(r.Body, &fields); err != nil {
			return ""
		}
		var text string
		if err := json.Unmarshal(fields[name], &text); err != nil {
			return string(fields[name])
		}
		return text
	}
}

// Script gives the next requests these behaviours, one each, after those that are already scripted. Later ones are OK.
func (u *Upstream) Script(next ...Behaviour) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.script = append(u.script, next...)
}

// Requests returns all that arrived, in order.
func (u *Upstream) Requests() []Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]Request, len(u.requests))
	for i, r := range u.requests {
		all[i] = *r
	}
	return all
}

// Received counts the requests for key; "" counts all.
func (u *Upstream) Received(key string) int {
	return u.count(func(r *Request) bool { return key == "" || r.Key == key })
}

// Applied counts the executions of key; "" counts all.
func (u *Upstream) Applied(key string) int {
	return u.count(func(r *Request) bool { return r.Applied && (key == "" || r.Key == key) })
}

// Doubles returns the keys that were executed more than once, sorted.
func (u *Upstream) Doubles() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	times := make(map[string]int)
	for _, r := range u.requests {
		if r.Applied {
			times[r.Key]++
		}
	}
	var keys []string
	for k, n := range times {
		if n > 1 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// Await waits until n requests have arrived in all, and been executed if they are to be.
func (u *Upstream) Await(ctx context.Context, n int) error {
	for {
		u.mu.Lock()
		have, next := len(u.requests), u.arrived
		u.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests arrived: %w", have, n, ctx.Err())
		}
	}
}

func (u *Upstream) count(is func(*Request) bool) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, r := range u.requests {
		if is(r) {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request is none
	}
	req := &Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body}
	do, execution := u.execute(req)

	if do.Until != nil {
		select {
		case <-do.Until:
		case <-u.ended:
		}
	}
	if do.Hang {
		select {
		case <-r.Context().Done():
		case <-u.ended:
		}
	}
	if do.Hang || do.Status == 0 {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	u.answer(w, do, execution)
}

// execute records the request, and the effect if the script says so.
func (u *Upstream) execute(req *Request) (do Behaviour, execution int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	do = OK
	if len(u.script) > 0 {
		do, u.script = u.script[0], u.script[1:]
	}
	req.Key = u.key(req)
	req.Applied = do.Apply
	u.requests = append(u.requests, req)
	close(u.arrived)
	u.arrived = make(chan struct{})
	for _, r := range u.requests {
		if r.Applied && r.Key == req.Key {
			execution++
		}
	}
	return do, execution
}

func (u *Upstream) answer(w http.ResponseWriter, do Behaviour, execution int) {
	text := do.Body
	if text == "" {
		text = fmt.Sprintf(`{"execution":%d}`, execution)
	}
	var body io.Reader = strings.NewReader(text)
	size := int64(len(text))
	if do.Size != 0 {
		body, size = io.LimitReader(blanks{}, do.Size), do.Size
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(size))
	w.WriteHeader(do.Status)
	if do.Cut {
		io.CopyN(w, body, size/2)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	io.Copy(w, body)
}

// blanks is an endless text of blanks.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
