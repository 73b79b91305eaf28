package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 15, "how often TestKillCampaign kills the server")
	seed  = flag.Uint64("seed", 0, "seed of the kill campaigns; 0 takes a new one")
)

// TestKillCampaign kills the real program at random points under load and restarts it on the same data, again
// and again. At the end everything that was acknowledged has to be there, and the upstream must not have
// executed any effect twice.
//
// The second part shows that the first one can fail: a policy that trusts an upstream to honour our key, in
// front of one that does not, has it execute effects twice.
func TestKillCampaign(t *testing.T) {
	program := filepath.Join(t.TempDir(), "onceguard")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("no effect twice", func(t *testing.T) {
		c := newCampaign(t, program, "", "")
		c.run(*kills)
		c.finish()
		if doubles := c.upstream.doubles(); len(doubles) > 0 {
			t.Errorf("executed more than once: %v", doubles)
		}
		c.verify()
	})
	t.Run("a double effect is seen", func(t *testing.T) {
		c := newCampaign(t, program, ", idempotency_header: Idempotency-Key", "    idempotent: true\n    on: {unknown: retry}\n")
		c.run(1)
		c.finish()
		if len(c.upstream.doubles()) == 0 {
			t.Error("no double effect was seen, so the campaign could not see one either")
		}
	})
}

// campaign is one server that dies many times, its upstream, and the callers that put it under load.
type campaign struct {
	t        *testing.T
	program  string
	dir      string
	key      string
	upstream *countingUpstream
	random   *rand.Rand // of the controller

	// fuse counts down the events of callers and upstream until the server is killed.
	fuse   atomic.Int64
	mu     sync.Mutex
	server *process
	url    string
	up     chan struct{} // closed while a server is up
	over   atomic.Bool   // the callers are to stop

	orders  orderBook
	figures figures
}

// newCampaign starts the server. upstream and policy are added to the text of the policy.
func newCampaign(t *testing.T, program, upstream, policy string) *campaign {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d", s)
	c := &campaign{t: t, program: program, dir: t.TempDir(), random: rand.New(rand.NewPCG(s, 0)), up: make(chan struct{})}
	c.upstream = newCountingUpstream(t, s, c.event)
	c.orders.seed = s
	if err := os.WriteFile(filepath.Join(c.dir, "policy.yaml"), []byte(fmt.Sprintf(campaignPolicy, c.upstream.URL, upstream)+policy), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.server != nil {
			c.server.kill()
		}
	})
	c.fuse.Store(-1)
	c.start()
	out, err := exec.Command(c.program, "keys", "create", "--data", c.data(), "--role", "agent", "--subject", "bot").Output()
	if err != nil {
		t.Fatalf("keys create: %v", err)
	}
	c.key = strings.TrimSpace(string(out))
	return c
}

const campaignPolicy = `version: 1
tools:
  - name: refund
    upstream: {http: {url: "%s/refunds", method: POST, network: private, timeout: 1s%s}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {kind: money, currency: EUR}
      reason: {role: commentary}
    scope: [run]
`

func (c *campaign) data() string { return filepath.Join(c.dir, "data") }

// launch starts the program without waiting for it.
func (c *campaign) launch() *process {
	p, err := startProcess(c.program, c.dir, nil, "serve", "--addr", "127.0.0.1:0", "--data", c.data(),
		"--policies", "policy.yaml", "--send-grace", "1s", "--sweep", "20ms", "--log-level", "warn")
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// start starts the server and lets the callers know where it is.
func (c *campaign) start() {
	c.t.Helper()
	p := c.launch()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	url, err := p.url(ctx)
	if err != nil {
		p.kill()
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.url = p, url
	close(c.up)
}

// event is one step of a caller or the upstream. The last one before the fuse is burnt kills the server right
// there.
func (c *campaign) event() {
	if c.fuse.Add(-1) != 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.server.signal(syscall.SIGKILL)
	c.up = make(chan struct{})
}

// run puts the server under load and kills it n times.
func (c *campaign) run(n int) {
	began := time.Now()
	var load sync.WaitGroup
	for i := range callers {
		load.Go(func() { c.load(rand.New(rand.NewPCG(c.orders.seed, uint64(i)+1))) })
	}
	for i := range n {
		c.fuse.Store(1 + c.random.Int64N(40*callers/8))
		<-c.server.ended
		if i%10 == 9 {
			// A server can also die while it starts, wherever it then is.
			c.launch().kill()
			c.figures.add("kills at start", 1)
		}
		c.start()
		c.figures.add("kills", 1)
	}
	c.over.Store(true)
	load.Wait()
	c.figures.took = time.Since(began)
}

// finish asks for every order once more, of an upstream that is well now: what was done is replayed, what
// failed is sent, and what nobody can tell stays blocked. The answers wait for the leases of the dead.
func (c *campaign) finish() {
	c.askAll(c.call)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.server.signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := c.server.wait(ctx); err != nil {
		c.t.Errorf("the server's end: %v\n%s", err, c.server.stderr)
	}
	c.figures.add("orders", len(c.orders.all()))
	c.figures.add("executions", c.upstream.executions())
	c.t.Log(&c.figures)
}
