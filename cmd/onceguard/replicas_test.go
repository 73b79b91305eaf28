package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
)

// TestReplicas runs three real servers on one PostgreSQL ledger with Redis beside it: equal calls come to all of them at once; then,
// under load, replicas are killed, the database is stopped, Redis is flushed and killed, and a primary fails over to its standby.
func TestReplicas(t *testing.T) {
	database := servertest.StartPostgres(t)
	program := filepath.Join(t.TempDir(), "onceguard")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	redis := servertest.StartRedis(t)
	t.Run("equal calls to all at once", func(t *testing.T) {
		c := newCluster(t, program, database.Database(t), redis.Address())
		c.upstream.heal()
		for round := range 50 {
			c.storm(fmt.Sprintf("S-%d", round))
		}
		c.finish()
	})
	t.Run("replicas, the database and Redis die", func(t *testing.T) {
		c := newCluster(t, program, database.Database(t), redis.Address())
		c.suffer(12, func(i int) string {
			switch i % 6 {
			case 2:
				database.StopImmediate(t)
				database.Start(t)
				return "stops of the database"
			case 3:
				redis.Do(t, "FLUSHALL")
				return "flushes of Redis"
			case 5:
				redis.Kill(t)
				redis.Start(t)
				return "kills of Redis"
			}
			c.replicas[i%len(c.replicas)].restart(c)
			return "kills of a replica"
		})
		c.finish()
	})
	t.Run("the primary fails over", func(t *testing.T) {
		primary := servertest.StartPostgres(t)
		standby := primary.Standby(t)
		dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres", primary.Port(), standby.Port())
		c := newCluster(t, program, dsn, "")
		c.suffer(2, func(i int) string {
			if i == 1 {
				return "looks at the new primary" // it must have executed more before this one
			}
			primary.StopImmediate(t)
			standby.Promote(t)
			return "failovers"
		})
		c.finish()
	})
}

// suffer puts the cluster under load and lets n disasters happen in it, each after some more executions.
func (c *cluster) suffer(n int, disaster func(i int) string) {
	var load sync.WaitGroup
	for i := range callers {
		load.Go(func() { c.load(rand.New(rand.NewPCG(c.orders.seed, uint64(i)+1))) })
	}
	for i := range n {
		c.upstream.await(60)
		c.figures.add(disaster(i), 1)
	}
	c.over.Store(true)
	load.Wait()
}

// cluster is three servers of one ledger. What it knows of callers and of the upstream is as in a campaign of kills.
type cluster struct {
	campaign
	dsn      string
	redis    string // its address; "" for none
	replicas []*replica
}

type replica struct {
	data string

	mu     sync.Mutex
	server *process
	url    string
}

func newCluster(t *testing.T, program, dsn, redis string) *cluster {
	t.Helper()
	c := &cluster{dsn: dsn, redis: redis}
	c.t, c.program, c.dir = t, program, t.TempDir()
	if c.orders.seed = *seed; *seed == 0 {
		c.orders.seed = rand.Uint64()
	}
	t.Logf("seed %d", c.orders.seed)
	c.upstream = newCountingUpstream(t, c.orders.seed, func() {})
	if err := os.WriteFile(filepath.Join(c.dir, "policy.yaml"), fmt.Appendf(nil, campaignPolicy, c.upstream.URL, ""), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r := &replica{data: filepath.Join(c.dir, fmt.Sprint("data", i))}
		c.replicas = append(c.replicas, r)
		if i > 0 {
			c.bringKey(c.replicas[0], r)
		}
		r.start(c)
		t.Cleanup(func() { r.server.kill() })
	}
	out, err := exec.Command(program, "keys", "create", "--ledger", dsn, "--role", "agent", "--subject", "bot").Output()
	if err != nil {
		t.Fatalf("keys create: %v", err)
	}
	c.key = strings.TrimSpace(string(out))
	return c
}

// bringKey copies the installation key to a replica, after that has refused to serve without it.
func (c *cluster) bringKey(from, to *replica) {
	c.t.Helper()
	p := to.launch(c)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if p.wait(ctx) == nil || !strings.Contains(p.stderr.String(), "copy the file from the data folder of the server that made it") {
		c.t.Fatalf("a replica without the key was not refused: %s", p.stderr)
	}
	key, err := os.ReadFile(filepath.Join(from.data, "installation.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(to.data, "installation.key"), key, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (r *replica) launch(c *cluster) *process {
	p, err := startProcess(c.program, c.dir, []string{"ONCEGUARD_LEDGER=" + c.dsn, "ONCEGUARD_REDIS=" + c.redis}, "serve", "--addr", "127.0.0.1:0", "--data", r.data,
		"--policies", "policy.yaml", "--send-grace", "1s", "--sweep", "50ms", "--log-level", "warn")
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (r *replica) start(c *cluster) {
	c.t.Helper()
	p := r.launch(c)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	url, err := p.url(ctx)
	if err != nil {
		p.kill()
		c.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server, r.url = p, url
}

// restart kills the replica and starts it anew.
func (r *replica) restart(c *cluster) {
	r.server.kill()
	r.start(c)
}

func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// storm sends equal calls in many spellings to all replicas at once: one is forwarded, and all others get its result.
func (c *cluster) storm(order string) {
	decisions := make([]string, 4*len(c.replicas))
	var all sync.WaitGroup
	for i := range decisions {
		all.Go(func() {
			r := rand.New(rand.NewPCG(c.orders.seed, uint64(i)))
			ctx, cancel := context.WithTimeout(c.t.Context(), patience)
			defer cancel()
			url := c.replicas[i%len(c.replicas)].address()
			a, err := client.New(url, c.key, httpClient).Call(ctx, client.Call{Tool: "refund", Run: "run", Arguments: writtenSomehow(r, order)})
			if err != nil {
				c.t.Errorf("%s: %v", order, err)
				return
			}
			var result struct{ Execution int }
			if err := json.Unmarshal(a.Result, &result); err != nil || result.Execution != 1 {
				c.t.Errorf("%s: %s with the result %s", order, a.Decision, a.Result)
			}
			decisions[i] = a.Decision
			c.orders.note(order, acknowledgement{a.Decision, a.Effect.ID, a.Effect.State, string(a.Result)})
		})
	}
	all.Wait()
	forwarded := len(decisions) - len(slices.DeleteFunc(slices.Clone(decisions), func(d string) bool { return d == client.Forwarded }))
	if forwarded != 1 || c.upstream.count(order) != 1 {
		c.t.Errorf("%s: forwarded %d times, executed %d times", order, forwarded, c.upstream.count(order))
	}
}

// load is one agent, which turns to any of the replicas.
func (c *cluster) load(r *rand.Rand) {
	for !c.over.Load() {
		order := c.orders.pick(r)
		for c.ask(r, order) != nil && r.IntN(4) > 0 {
		}
	}
}

func (c *cluster) ask(r *rand.Rand, order string) error {
	return c.callAt(c.replicas[r.IntN(len(c.replicas))].address(), r, order)
}

// finish asks for every order once more, ends the servers and holds the ledger against what was told and what was done.
func (c *cluster) finish() {
	c.askAll(c.ask)
	for _, r := range c.replicas {
		r.server.kill()
	}
	c.figures.add("orders", len(c.orders.all()))
	c.figures.add("executions", c.upstream.executions())
	c.t.Log(&c.figures)
	if doubles := c.upstream.doubles(); len(doubles) > 0 {
		c.t.Errorf("executed more than once: %v", doubles)
	}
	ledger, err := postgres.Open(c.t.Context(), c.dsn, postgres.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer ledger.Close()
	c.verifyLedger(ledger)
	c.fsck("--ledger", c.dsn)
}
