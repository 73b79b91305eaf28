package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onceguard/onceguard/guard/bench/load"
	"github.com/onceguard/onceguard/guard/bench/peer"
	"github.com/onceguard/onceguard/guard/bench/process"
)

// world is everything that runs in one run of the bench.
type world struct {
	plan     plan
	say      func(format string, args ...any) // progress
	dir      string                           // of this run; removed with the world
	program  string                           // the guard
	policies string
	upstream *helper
	echo     *helper
	echoCall message // what the echo handler is asked, and
	echoed   []byte  // what it answers: what the guard is asked and answers in a replay
	postgres *postgres
	redis    *redis
	peers    peer.Programs
	traffic  map[string]*traffic // by the name of the guard's subject
	subjects []*subject
	notes    []string // what could not be measured, and why
	ends     []func()
}

func (w *world) closing(end func()) { w.ends = append(w.ends, end) }

// close ends what runs, the last first.
func (w *world) close() {
	for i := len(w.ends) - 1; i >= 0; i-- {
		w.ends[i]()
	}
}

func (w *world) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	w.notes = append(w.notes, note)
	w.say("%s", note)
}

// newWorld builds the guard and starts the helpers, the databases, the guards and the peers. But for the guard on its embedded ledger, what
// is not on this machine is noted and left out.
func newWorld(ctx context.Context, p plan, say func(string, ...any)) (*world, error) {
	w := &world{plan: p, say: say, traffic: map[string]*traffic{}}
	for _, start := range []func(context.Context) error{w.makeFolder, w.startBase, w.startGuards} {
		if err := start(ctx); err != nil {
			w.close()
			return nil, err
		}
	}
	w.subjects = append(w.subjects, limitSubjects(w)...)
	w.startPeers(ctx)
	return w, nil
}

// startPeers installs and starts the peers, if they are wanted.
func (w *world) startPeers(ctx context.Context) {
	switch {
	case !w.plan.peers:
		w.note("peers: left out")
		return
	case w.plan.quick:
		w.peers = peer.Installed(w.plan.cache)
	default:
		w.peers = peer.Install(ctx, w.plan.cache, w.say)
	}
	if w.peers.Missing != nil {
		w.note("peers: %v", w.peers.Missing)
	}
	peers, err := peerSubjects(ctx, w)
	if err != nil {
		w.note("peers: %v", err)
	}
	w.subjects = append(w.subjects, peers...)
}

// makeFolder makes the folder of the run.
func (w *world) makeFolder(context.Context) (err error) {
	if err := os.MkdirAll(w.plan.cache, 0o755); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp(w.plan.cache, "run-"); err != nil {
		return err
	}
	w.closing(func() { os.RemoveAll(w.dir) })
	return os.Chmod(w.dir, 0o755) // PostgreSQL may run as another user
}

// startBase starts all that guards and peers need.
func (w *world) startBase(ctx context.Context) (err error) {
	if w.program = w.plan.program; w.program == "" {
		w.say("building the guard")
		if w.program, err = buildGuard(ctx, w.dir); err != nil {
			return err
		}
	}
	if w.upstream, err = startHelper(ctx, upstreamRole); err != nil {
		return err
	}
	w.closing(w.upstream.Stop)
	if w.echo, err = startHelper(ctx, echoRole); err != nil {
		return err
	}
	w.closing(w.echo.Stop)
	w.policies = filepath.Join(w.dir, "policy.yaml")
	if err := os.WriteFile(w.policies, fmt.Appendf(nil, policy, "http://"+w.upstream.addr), 0o644); err != nil {
		return err
	}
	if w.plan.wants("postgres") {
		if err := w.startDatabase(ctx); err != nil {
			w.note("postgres: %v", err)
		}
	}
	if w.plan.wants("redis") {
		if w.redis, err = startRedis(ctx, filepath.Join(w.dir, "redis")); err != nil {
			w.note("redis: %v", err)
		} else {
			w.closing(w.redis.Stop)
		}
	}
	return nil
}

func (w *world) startDatabase(ctx context.Context) error {
	s, err := startPostgres(ctx, w.dir)
	if err != nil {
		return err
	}
	w.closing(s.stop)
	for _, name := range []string{"limits", "dbos"} {
		if _, err := s.database(ctx, name); err != nil {
			return err
		}
	}
	if err := s.exec(ctx, "limits", rowsTable); err != nil {
		return err
	}
	w.postgres = s
	return nil
}

// startGuards starts a guard on each ledger, and has the echo handler learn from the first.
func (w *world) startGuards(ctx context.Context) error {
	if err := w.addGuard(ctx, onSQLite, "the claim (WAL, synchronous FULL)", guardOptions{replicas: 1}); err != nil {
		return err
	}
	if err := w.teachEcho(ctx); err != nil {
		return err
	}
	withRedis, err := hasRedis(ctx, w.program)
	if err != nil {
		return err
	}
	if w.redis != nil && !withRedis {
		w.note("postgres + redis: not in this build of the guard, whose serve has no --redis")
	}
	if w.postgres == nil {
		return nil
	}
	for i, replicas := range w.plan.replicas {
		for j, redis := range []bool{false, true} {
			if redis && (!withRedis || w.redis == nil) {
				continue
			}
			o := guardOptions{replicas: replicas}
			name := onPostgres
			if redis {
				name += " + redis"
				o.redis = w.redis.url(guardDatabase + i)
			}
			if replicas > 1 {
				name += fmt.Sprintf(" × %d", replicas)
			}
			if o.ledger, err = w.postgres.database(ctx, fmt.Sprintf("guard_%d_%d", i, j)); err != nil {
				return err
			}
			if err := w.addGuard(ctx, name, "the claim ("+postgresSetting+")", o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) addGuard(ctx context.Context, name, durable string, o guardOptions) error {
	o.program, o.policies = w.program, w.policies
	o.dir = filepath.Join(w.dir, strings.NewReplacer(" ", "", "+", "-", "×", "x").Replace(name))
	g, err := startGuard(ctx, o)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.closing(g.stop)
	w.say("%s: filling the ledger to %d effects", name, w.plan.base)
	t := newTraffic(g)
	if err := t.prime(ctx, w.plan.base); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var stores []*process.Process
	if o.ledger != "" {
		stores = append(stores, w.postgres.Process)
	}
	if o.redis != "" {
		stores = append(stores, w.redis.Process)
	}
	w.traffic[name] = t
	w.subjects = append(w.subjects, guardSubject(name, durable, t, stores...))
	return nil
}

// teachEcho gives the echo handler the bytes of a replay, and the calls to it those of a call to the guard.
func (w *world) teachEcho(ctx context.Context) error {
	t := w.traffic[onSQLite]
	conn, err := load.Dial(t.addrs[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	status, body, err := conn.Do(t.refund.with(nil, t.primed.at(0)))
	if err == nil && status != 200 {
		err = errors.New(string(body))
	}
	if err != nil {
		return fmt.Errorf("a replay for the echo handler: %w", err)
	}
	w.echoed = []byte(strings.TrimSpace(string(body)))
	w.echoCall = t.refund
	return w.echo.say(ctx, string(w.echoed))
}
