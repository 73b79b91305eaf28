package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/forward/httpforward"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/web"
)

// ownGuard is a whole guard inside this process, with a ledger in a folder that does not outlive it: what demo and replay
// speak to over HTTP.
type ownGuard struct {
	url     string
	store   *sqlite.Store
	guard   *guard.Guard
	pages   *web.Web
	forward *httpforward.Forwarder
	server  *http.Server
	stop    context.CancelFunc
	stopped chan struct{} // closed when the guard's own rounds have ended
}

// newOwnKey makes an installation key that does not outlive the process.
func newOwnKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails: see crypto/rand
	return key
}

// startOwnGuard starts a guard on addr. With dev it needs no keys; otherwise they are added to its store.
func startOwnGuard(addr, folder string, key []byte, policies api.Policies, dev bool, log *slog.Logger) (_ *ownGuard, err error) {
	// Nobody ends the rounds but close, so that what was claimed gets its outcome.
	ctx, stop := context.WithCancel(context.Background())
	g := &ownGuard{stop: stop, stopped: make(chan struct{}), forward: httpforward.New(httpforward.Options{Log: log})}
	defer func() {
		if err != nil {
			stop()
			err = errors.Join(err, g.forward.Close())
			if g.store != nil {
				err = errors.Join(err, g.store.Close())
			}
		}
	}()
	if g.store, err = sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{Exclusive: true}); err != nil {
		return nil, err
	}
	g.guard, err = guard.New(guard.Config{Store: g.store, Policies: policies, Forward: g.forward, Key: key, Log: log, Operators: demoTenant})
	if err != nil {
		return nil, err
	}
	g.pages, err = web.New(web.Config{Guard: g.guard, Policies: g.guard.Policies(), Credentials: g.store, Key: key, Dev: dev, Log: log})
	if err != nil {
		return nil, err
	}
	face, err := api.New(api.Config{Guard: g.guard, Policies: g.guard.Policies(), Credentials: g.store, Page: g.pages.Refuse, Dev: dev, Log: log})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --addr", err)
	}
	g.url = "http://" + l.Addr().String()
	routes := echo.New()
	face.Register(routes)
	g.pages.Register(routes)
	g.server = api.Server(addr, routes)
	go func() {
		// Serve returns when the server is shut down; a listener that fails before shows as calls without an answer.
		_ = g.server.Serve(l)
	}()
	go func() {
		defer close(g.stopped)
		// Run returns nil when its context ends, and does nothing else.
		_ = g.guard.Run(ctx)
	}()
	return g, nil
}

// close ends the guard: calls under way get their outcome first.
func (g *ownGuard) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	drained := g.guard.Drain(ctx)
	shut := g.server.Shutdown(ctx)
	g.stop()
	<-g.stopped
	return errors.Join(drained, shut, g.forward.Close(), g.store.Close())
}
