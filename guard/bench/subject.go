package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/onceguard/onceguard/guard/bench/load"
	"github.com/onceguard/onceguard/guard/bench/peer"
	"github.com/onceguard/onceguard/guard/bench/process"
)

// kind tells what a subject is measured for.
type kind string

const (
	guardKind kind = "guard"
	limitKind kind = "limit"
	peerKind  kind = "peer"
)

// subject is one row of the tables: a guard on one of its ledgers, a limit of the machine, or a peer.
type subject struct {
	name    string
	kind    kind
	durable string // what is on the disk when the upstream is called
	ahead   bool   // that includes the call
	does    []scenario
	alone   bool // is only measured with one caller
	servers []*process.Process
	stores  []*process.Process
	work    func(ctx context.Context, s scenario, callers int) (w work, end func(), err error)
}

func nothing() {}

// The names of subjects, beside those of the peers.
const (
	onSQLite        = "sqlite"
	onPostgres      = "postgres"
	bareUpstream    = "bare upstream"
	bareEcho        = "bare echo handler"
	appendAndFlush  = "append + fdatasync"
	insertAndUpdate = "INSERT + UPDATE, pgx"
	redisGet        = "Redis GET"
)

func guardSubject(name, durable string, t *traffic, stores ...*process.Process) *subject {
	return &subject{
		name: name, kind: guardKind, durable: durable, ahead: true, does: scenarios, servers: t.replicas, stores: stores,
		work: func(_ context.Context, s scenario, _ int) (work, func(), error) { return t.work(s), nothing, nil },
	}
}

// prime makes the effects that replays and near calls repeat, and fills the ledger up to size effects.
func (t *traffic) prime(ctx context.Context, size int) error {
	var letters, refunds atomic.Int64
	fillers := []struct {
		m     message
		next  func() string
		calls int
	}{
		{t.refund, func() string { return t.primed.at(refunds.Add(1) - 1) }, primedCalls},
		{t.letter, func() string { return t.primed.at(letters.Add(1) - 1) }, primedCalls},
		{t.refund, t.fresh.next, max(0, size-2*primedCalls)},
	}
	for _, f := range fillers {
		if f.calls == 0 {
			continue
		}
		if err := all(load.Load{Callers: 64, Calls: f.calls}.Run(ctx, t.fill(f.m, f.next).open)); err != nil {
			return err
		}
	}
	return nil
}

// all is the error of a load of which no call may fail.
func all(r load.Result, err error) error {
	if err == nil && r.Failed > 0 {
		err = fmt.Errorf("%d calls failed: %w", r.Failed, r.First)
	}
	return err
}

// limitSubjects are the limits that the world has the servers for.
func limitSubjects(w *world) []*subject {
	refund := newMessage(w.upstream.addr, "/", nil, []byte(refundArguments))
	fresh := newIDs()
	limits := []*subject{
		{name: bareUpstream, durable: "nothing", does: []scenario{newEffects}, servers: []*process.Process{w.upstream.Process},
			work: func(context.Context, scenario, int) (work, func(), error) {
				return plain(w.upstream.addr, refund, fresh.next, upstreamAnswer, nil), nothing, nil
			}},
		{name: appendAndFlush, durable: "1 KiB", does: []scenario{newEffects}, alone: true,
			work: func(context.Context, scenario, int) (work, func(), error) { return appendLimit(w.dir), nothing, nil }},
		{name: bareEcho, durable: "nothing", does: []scenario{replays}, servers: []*process.Process{w.echo.Process},
			work: func(context.Context, scenario, int) (work, func(), error) {
				return plain(w.echo.addr, w.echoCall, fresh.next, w.echoed, nil), nothing, nil
			}},
	}
	if w.postgres != nil {
		limits = append(limits, &subject{name: insertAndUpdate, durable: postgresSetting, does: []scenario{newEffects},
			stores: []*process.Process{w.postgres.Process},
			work: func(ctx context.Context, _ scenario, callers int) (work, func(), error) {
				return rowsLimit(ctx, w.postgres.dsn("limits"), callers)
			}})
	}
	if w.redis != nil {
		limits = append(limits, &subject{name: redisGet, durable: redisSetting, does: []scenario{replays}, stores: []*process.Process{w.redis.Process},
			work: func(ctx context.Context, _ scenario, _ int) (work, func(), error) { return getLimit(ctx, w.redis) }})
	}
	for _, l := range limits {
		l.kind = limitKind
	}
	return limits
}

// peerSubject primes a peer that runs with the calls that replays repeat.
func peerSubject(ctx context.Context, p *peer.Peer, stores ...*process.Process) (*subject, error) {
	m := newMessage(p.Addr, p.Path, map[string][]string{p.KeyHeader: {placeholder}}, []byte(refundArguments))
	fresh, primed := newIDs(), newIDs()
	var n atomic.Int64
	first := plain(p.Addr, m, func() string { return primed.at(n.Add(1) - 1) }, upstreamAnswer, nil)
	if err := all(load.Load{Callers: 16, Calls: primedCalls}.Run(ctx, first.open)); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return &subject{
		name: p.Name, kind: peerKind, durable: p.Durable, ahead: p.Ahead, does: []scenario{newEffects, replays},
		servers: p.Processes, stores: stores,
		work: func(_ context.Context, s scenario, _ int) (work, func(), error) {
			if s == replays {
				return plain(p.Addr, m, func() string { return primed.at(again()) }, upstreamAnswer, func() int64 { return 0 }), nothing, nil
			}
			var sent atomic.Int64
			next := func() string { sent.Add(1); return fresh.next() }
			return plain(p.Addr, m, next, upstreamAnswer, sent.Load), nothing, nil
		},
	}, nil
}

// peerSubjects starts the peers. One that does not start is left out, and the error says why.
func peerSubjects(ctx context.Context, w *world) (subjects []*subject, err error) {
	type started struct {
		peer   *peer.Peer
		stores []*process.Process
		err    error
	}
	upstream := "http://" + w.upstream.addr + "/"
	var peers []started
	start := func(p *peer.Peer, err error, stores ...*process.Process) {
		peers = append(peers, started{p, stores, err})
	}
	if w.peers.Program != "" {
		p, err := w.peers.Fiber(ctx, upstream, "", "")
		start(p, err)
		if w.redis != nil {
			p, err := w.peers.Fiber(ctx, upstream, w.redis.url(fiberDatabase), redisSetting)
			start(p, err, w.redis.Process)
		}
		if w.postgres != nil {
			p, err := w.peers.DBOS(ctx, upstream, w.postgres.dsn("dbos"), postgresSetting)
			start(p, err, w.postgres.Process)
		}
		if w.peers.RestateServer != "" {
			p, err := w.peers.Restate(ctx, upstream, w.dir)
			start(p, err)
		}
	}
	for _, s := range peers {
		if s.err != nil {
			err = errors.Join(err, s.err)
			continue
		}
		w.closing(s.peer.Stop)
		subject, primeErr := peerSubject(ctx, s.peer, s.stores...)
		if primeErr != nil {
			err = errors.Join(err, primeErr)
			continue
		}
		subjects = append(subjects, subject)
	}
	return subjects, err
}
