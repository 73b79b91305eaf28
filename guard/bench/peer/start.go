package peer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"

	"github.com/onceguard/onceguard/guard/bench/process"
)

// The names of the peers.
const (
	FiberMemory = "Fiber, memory"
	FiberRedis  = "Fiber, Redis"
	DBOS        = "DBOS, PostgreSQL"
	Restate     = "Restate"
)

// Peer is one peer that runs.
type Peer struct {
	Name      string // one of those above
	Durable   string // what is on the disk when the upstream is called, in a few words
	Ahead     bool   // it is durable before it calls the upstream, as the guard is
	Addr      string // host:port that callers turn to
	Path      string // that they post to
	KeyHeader string // names the key of a call
	Processes []*process.Process
}

// Stop ends the peer's processes.
func (p *Peer) Stop() {
	for _, s := range p.Processes {
		s.Stop()
	}
}

var listening = regexp.MustCompile(`^listening on http://(\S+)$`)

// Fiber starts Fiber's idempotency middleware on the memory of its process, or on a Redis.
func (p Programs) Fiber(ctx context.Context, upstream, redisURL, redisSetting string) (*Peer, error) {
	peer := &Peer{Name: FiberMemory, Durable: "nothing", Path: "/", KeyHeader: "X-Idempotency-Key"}
	if redisURL != "" {
		peer.Name, peer.Durable = FiberRedis, "nothing; the result afterwards ("+redisSetting+")"
	}
	return peer, p.start(ctx, peer, "fiber", upstream, redisURL)
}

// DBOS starts a workflow of one step on a PostgreSQL database.
func (p Programs) DBOS(ctx context.Context, upstream, database, setting string) (*Peer, error) {
	peer := &Peer{Name: DBOS, Durable: "the workflow (" + setting + ")", Ahead: true, Path: "/", KeyHeader: "X-Idempotency-Key"}
	return peer, p.start(ctx, peer, "dbos", upstream, database)
}

// start starts the peers' program as one of them.
func (p Programs) start(ctx context.Context, peer *Peer, name, upstream, store string) error {
	s, err := process.Start(p.Program, []string{name}, process.Env("UPSTREAM="+upstream, "ADDRESS=127.0.0.1:0", "STORE="+store))
	if err != nil {
		return err
	}
	peer.Processes = append(peer.Processes, s)
	found, err := s.Await(ctx, listening)
	if err != nil {
		peer.Stop()
		return err
	}
	peer.Addr = found[1]
	return nil
}

// Restate starts Restate's server with its data in dir, and a service of one journaled step behind it. All settings are its
// defaults but for addresses and telemetry.
func (p Programs) Restate(ctx context.Context, upstream, dir string) (*Peer, error) {
	var ports [4]string
	for i := range ports {
		addr, err := freeAddress()
		if err != nil {
			return nil, err
		}
		ports[i] = addr
	}
	node, ingress, admin, service := ports[0], ports[1], ports[2], ports[3]
	peer := &Peer{Name: Restate, Durable: "the invocation (flushed log, default 24 partitions)", Ahead: true, Addr: ingress,
		Path: "/Peer/refund", KeyHeader: "Idempotency-Key"}
	handler, err := process.Start(p.Program, []string{"restate"}, process.Env("UPSTREAM="+upstream, "ADDRESS="+service))
	if err != nil {
		return nil, err
	}
	peer.Processes = append(peer.Processes, handler)
	server, err := process.Start(p.RestateServer, []string{"--no-logo", "--listen-mode", "tcp", "--base-dir", filepath.Join(dir, "data"), "--node-name", "bench"},
		process.In(dir), process.Env("RESTATE_BIND_ADDRESS="+node, "RESTATE_INGRESS__BIND_ADDRESS="+ingress,
			"RESTATE_ADMIN__BIND_ADDRESS="+admin, "RESTATE_DISABLE_TELEMETRY=true", "RESTATE_LOG_FILTER=warn"))
	if err != nil {
		peer.Stop()
		return nil, err
	}
	peer.Processes = append(peer.Processes, server)
	err = server.Until(ctx, func(ctx context.Context) error {
		return post(ctx, "http://"+admin+"/deployments", fmt.Appendf(nil, `{"uri": "http://%s"}`, service))
	})
	if err != nil {
		peer.Stop()
		return nil, err
	}
	return peer, nil
}

func post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s answered %s: %s", url, resp.Status, text)
	}
	return err
}

// freeAddress returns an address of this machine that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
