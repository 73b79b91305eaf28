package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onceguard/onceguard/api/client"
)

// callers is how many agents call at the same time.
const callers = 32

// orderBook is what the agents know: which orders they want refunded, and what they were told about each.
type orderBook struct {
	seed uint64

	mu   sync.Mutex
	told map[string][]acknowledgement
	list []string
}

// acknowledgement is what one answer of the guard promised.
type acknowledgement struct {
	decision, effect, state string
	result                  string
}

// pick chooses an order: often one that is new or was asked for lately, by this agent or another.
func (b *orderBook) pick(r *rand.Rand) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.list); n > 0 && r.IntN(100) < 60 {
		return b.list[n-1-r.IntN(min(n, 2*callers))]
	}
	order := fmt.Sprintf("A-%d", len(b.list)+1)
	b.list = append(b.list, order)
	return order
}

func (b *orderBook) note(order string, a acknowledgement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told == nil {
		b.told = make(map[string][]acknowledgement)
	}
	b.told[order] = append(b.told[order], a)
}

// all returns every order with what was told about it.
func (b *orderBook) all() map[string][]acknowledgement {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.told)
	if all == nil {
		all = make(map[string][]acknowledgement)
	}
	for _, order := range b.list {
		all[order] = slices.Clone(all[order])
	}
	return all
}

// writtenSomehow writes the arguments of a refund in one of the ways in which models write them.
func writtenSomehow(r *rand.Rand, order string) json.RawMessage {
	amount := []string{"25", "25.0", "2.5e1", `"25.00"`, `"EUR 25"`}[r.IntN(3+r.IntN(2))]
	id := []string{order, " " + order, order + " "}[r.IntN(3)]
	fields := []string{fmt.Sprintf(`"order_id":%q`, id), `"amount":` + amount}
	if r.IntN(2) == 0 {
		fields = append(fields, fmt.Sprintf(`"reason":"reason %d"`, r.IntN(1000)))
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return json.RawMessage("{" + strings.Join(fields, []string{",", ", ", " ,\n"}[r.IntN(3)]) + "}")
}

// load is one agent: it asks for refunds, and asks again when it gets no answer.
func (c *campaign) load(r *rand.Rand) {
	for !c.over.Load() {
		order := c.orders.pick(r)
		for c.call(r, order) != nil && r.IntN(4) > 0 {
		}
	}
}

// askAll asks for every order until there is an answer, of an upstream that is well now.
func (c *campaign) askAll(ask func(*rand.Rand, string) error) {
	c.upstream.heal()
	var group sync.WaitGroup
	rest := make(chan string)
	for i := range callers {
		r := rand.New(rand.NewPCG(c.orders.seed, uint64(i)+1000))
		group.Go(func() {
			for order := range rest {
				for ask(r, order) != nil {
				}
			}
		})
	}
	for _, order := range slices.Sorted(maps.Keys(c.orders.all())) {
		rest <- order
	}
	close(rest)
	group.Wait()
}

// call asks for one refund in some spelling. The error is that there was no answer.
func (c *campaign) call(r *rand.Rand, order string) error { return c.callAt(c.address(), r, order) }

func (c *campaign) callAt(url string, r *rand.Rand, order string) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	c.figures.add("calls", 1)
	a, err := client.New(url, c.key, httpClient).Call(ctx, client.Call{Tool: "refund", Run: "run", Arguments: writtenSomehow(r, order)})
	c.event()
	if err != nil {
		c.figures.add("calls without an answer", 1)
		return err
	}
	state := ""
	if a.Effect != nil {
		state = a.Effect.State
		c.orders.note(order, acknowledgement{a.Decision, a.Effect.ID, state, string(a.Result)})
	}
	c.figures.add("answers: "+a.Decision+" "+state, 1)
	return nil
}

// address waits until a server is up.
func (c *campaign) address() string {
	for {
		c.mu.Lock()
		up := c.up
		c.mu.Unlock()
		select {
		case <-up:
		case <-c.t.Context().Done():
		}
		c.mu.Lock()
		url, same := c.url, up == c.up
		c.mu.Unlock()
		if same {
			return url
		}
	}
}

// countingUpstream executes refunds, counts them by order in whatever spelling, and often does not answer. It
// does not look at idempotency keys.
type countingUpstream struct {
	URL   string
	event func()

	mu       sync.Mutex
	random   *rand.Rand
	well     bool
	executed map[string]int
	left     int // executions until reached is closed
	reached  chan struct{}
}

func newCountingUpstream(t *testing.T, seed uint64, event func()) *countingUpstream {
	u := &countingUpstream{event: event, random: rand.New(rand.NewPCG(seed, 1<<32)), executed: make(map[string]int)}
	s := httptest.NewServer(u)
	u.URL = s.URL
	t.Cleanup(s.Close)
	return u
}

func (u *countingUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.event()
	var body struct {
		OrderID string `json:"order_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return // cut off on the way: nothing was asked
	}
	fate := u.draw()
	if fate < 10 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	if fate < 15 {
		panic(http.ErrAbortHandler) // dropped before anything was done
	}
	n := u.execute(strings.TrimSpace(body.OrderID))
	u.event()
	if fate < 25 {
		panic(http.ErrAbortHandler) // done, and the answer is lost
	}
	if fate < 28 {
		<-r.Context().Done() // done, and the answer comes too late
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"execution":%d}`, n)
}

func (u *countingUpstream) draw() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.well {
		return 99
	}
	return u.random.IntN(100)
}

func (u *countingUpstream) execute(order string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.executed[order]++
	if u.left--; u.left == 0 {
		close(u.reached)
	}
	return u.executed[order]
}

func (u *countingUpstream) heal() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.well = true
}

// await waits until so many more executions were made.
func (u *countingUpstream) await(n int) {
	u.mu.Lock()
	done := make(chan struct{})
	u.left, u.reached = n, done
	u.mu.Unlock()
	<-done
}

// count returns how often an order was executed.
func (u *countingUpstream) count(order string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.executed[order]
}

func (u *countingUpstream) executions() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, times := range u.executed {
		n += times
	}
	return n
}

// doubles returns the orders that were executed more than once.
func (u *countingUpstream) doubles() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var orders []string
	for order, n := range u.executed {
		if n > 1 {
			orders = append(orders, order)
		}
	}
	slices.Sort(orders)
	return orders
}

// figures count what happened, for the report at the end.
type figures struct {
	mu   sync.Mutex
	n    map[string]int
	took time.Duration
}

func (f *figures) add(what string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == nil {
		f.n = make(map[string]int)
	}
	f.n[what] += n
}

func (f *figures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%s under load", f.took.Round(time.Millisecond))
	for _, what := range slices.Sorted(maps.Keys(f.n)) {
		fmt.Fprintf(&b, "\n%8d %s", f.n[what], what)
	}
	return b.String()
}
