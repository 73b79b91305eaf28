package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/api"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/forward/httpforward"
	"github.com/onceguard/onceguard/guard/notify/httpnotify"
	"github.com/onceguard/onceguard/policy"
	"github.com/onceguard/onceguard/web"
)

func newServeCommand(environ []string) *cobra.Command {
	s := newSettings(environ)
	var printConfig, asJSON bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Decide on calls over HTTP",
		Long: "Decide on calls over HTTP, with an embedded ledger. Every flag below is also a variable (ONCEGUARD_LOG_FORMAT) and a key of\n" +
			"the configuration file (log_format). Flags win over the environment, and the environment over the file.\n\n" +
			"The first start on an empty data folder makes the ledger, the installation key and an admin's API key, which is\n" +
			"shown only then. SIGTERM ends the server when the calls under way have their outcome.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return err
			}
			if err := s.validate(); err != nil {
				return err
			}
			if printConfig {
				return s.print(c.OutOrStdout(), asJSON)
			}
			return serve(c.Context(), s.config, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().SortFlags = false
	c.Flags().AddFlagSet(s.flags)
	c.Flags().BoolVar(&printConfig, "print-config", false, "print the settings in force, with where each comes from, and exit")
	c.Flags().BoolVar(&asJSON, "json", false, "with --print-config: print one JSON document")
	return c
}

// server is all parts of a running server, in the order in which they are made.
type server struct {
	config   *Config
	log      *slog.Logger
	policies *policy.Source // of the files; Guard.Policies has those of the ledger as well
	folder   *installation
	forward  *httpforward.Forwarder
	guard    *guard.Guard
	pages    *web.Web
	http     *http.Server
	intake   *intake // nil for none
	listener net.Listener

	// background ends the sweeper and the watch over policies; sweeping waits for the sweeper.
	background context.CancelFunc
	sweeping   sync.WaitGroup
	hangUp     context.CancelFunc // ends the requests that still wait
	abandoned  bool               // calls were still under way when the time to drain was over
}

// serve runs a server until ctx ends. stdout gets what a person or a script needs to reach it, stderr the log.
func serve(ctx context.Context, c *Config, stdout, stderr io.Writer) error {
	s := &server{config: c, log: newLog(c, stderr)}
	if err := s.start(context.WithoutCancel(ctx), stdout); err != nil {
		return errors.Join(err, s.close())
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	fmt.Fprintf(stdout, "listening on http://%s\n", s.listener.Addr())
	s.log.Info("listening", "addr", s.listener.Addr().String(), "version", thisBuild().Version)

	var err error
	select {
	case <-ctx.Done():
		err = s.drain()
	case err = <-failed:
		err = errors.Join(fmt.Errorf("the server cannot accept connections any more: %w", err), s.drain())
	}
	return errors.Join(err, s.close())
}

// start makes the parts, each from those before it. On an error, close ends those that were made.
func (s *server) start(ctx context.Context, stdout io.Writer) (err error) {
	c := s.config
	background, end := context.WithCancel(ctx)
	s.background = end
	// Policies that cannot be used are told before a first start leaves anything behind.
	if s.policies, err = s.watchPolicies(background); err != nil {
		return err
	}
	if s.folder, err = c.openInstallation(ctx); err != nil {
		return err
	}
	if c.Redis != "" {
		if err := s.folder.useRedis(c.Redis, s.log); err != nil {
			return err
		}
	}
	if err := s.folder.seal(); err != nil {
		return err
	}
	s.forward = httpforward.New(httpforward.Options{MaxBody: c.MaxAnswer, Log: s.log})
	metrics := api.NewMetrics(thisBuild().Version)
	similarity, err := c.similarity(s.log)
	if err != nil {
		return err
	}
	s.guard, err = guard.New(guard.Config{
		Store: s.folder.ledger, Policies: s.policies, Forward: s.forward, Observe: metrics, Log: s.log,
		Key: s.folder.keys.first(), LaterKeys: s.folder.keys.all[1:], InUse: s.folder.keys.inUse,
		Similarity: similarity, Operators: c.operators(),
		Notify: httpnotify.New(httpnotify.Options{}), Credentials: s.folder.ledger, ReviewURL: c.reviewURL(),
		Times:     guard.Times{Wait: c.Wait, Sweep: c.Sweep, Settle: c.Settle, SendGrace: c.SendGrace},
		Flights:   c.Flights,
		Sole:      c.Ledger == "", // a ledger in the data folder is held by one server
		Retention: guard.Retention{Bodies: c.KeepBodies, Rows: c.KeepRows},
	})
	if err != nil {
		return err
	}
	s.pages, err = web.New(web.Config{
		Guard: s.guard, Policies: s.guard.Policies(), Credentials: s.folder.ledger, Key: s.folder.keys.current(), Log: s.log, URL: c.origin(),
		Provider: c.Identity.provider(), Parts: s.folder.health, Dev: c.Dev,
	})
	if err != nil {
		return err
	}
	a, err := api.New(api.Config{
		Guard: s.guard, Policies: s.guard.Policies(), Credentials: s.folder.ledger, Metrics: metrics, Log: s.log,
		URL: c.origin(), ReviewURL: c.origin() + "/review/", Page: s.pages.Refuse, Dev: c.Dev, OpenMetrics: c.OpenMetrics, Operators: c.operators(),
	})
	if err != nil {
		return err
	}
	if s.listener, err = net.Listen("tcp", c.Addr); err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with --addr", c.Addr, err)
	}
	// A key is shown once, so nothing that can fail comes after it.
	if err := s.welcome(ctx, stdout); err != nil {
		return err
	}
	routes := echo.New()
	a.Register(routes)
	s.pages.Register(routes)
	requests, hangUp := context.WithCancel(ctx)
	s.hangUp = hangUp
	s.http = api.Server(c.Addr, routes)
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	s.http.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	if c.Intake != "" {
		if s.intake, err = openIntake(requests, c, s.http.Handler, s.log); err != nil {
			return err
		}
	}
	s.sweeping.Go(func() { _ = s.guard.Run(background) }) // Run only ends with its context
	return nil
}

// watchPolicies loads the policies and keeps them up to date. Without a folder every tool is unknown, and
// guarded as such.
func (s *server) watchPolicies(ctx context.Context) (*policy.Source, error) {
	if s.config.Policies == "" {
		s.log.Warn("no policies: every tool is unknown and guarded, how its arguments are compared is inferred, and the callers run it")
		return policy.Fixed(policy.Empty()), nil
	}
	source, err := policy.Watch(ctx, s.config.Policies, func(set *policy.Set, err error) {
		if err != nil {
			s.log.Error("the new policies are refused and the previous ones stay in force", "problems", err.Error())
			return
		}
		s.log.Info("policies reloaded", "tools", len(set.Rules()))
	})
	if err != nil {
		return nil, fmt.Errorf("the policies cannot be used:\n%w", err)
	}
	if len(source.Current().Endpoints()) > 0 && s.config.URL == "" {
		s.log.Warn("endpoints are told of reviews without a link to them, because nobody said where people reach the server: set --url")
	}
	if len(source.Current().Rules()) == 0 {
		s.log.Warn("the policy folder holds no policy: every tool is unknown and guarded, and how its arguments are compared is inferred", "folder", s.config.Policies)
	}
	return source, nil
}

// welcome tells about a new data folder and makes the first key.
func (s *server) welcome(ctx context.Context, stdout io.Writer) error {
	if s.folder.first {
		fmt.Fprintf(stdout, "first start: made a ledger and an installation key in %s; back them up together\n", s.config.Data)
	}
	if s.config.Dev {
		s.log.Warn("--dev: everybody on this machine may do everything, without a key")
		return nil
	}
	if !loopback(s.config.Addr) {
		s.log.Warn("connections are not encrypted: put a server that ends TLS in front of this address", "addr", s.config.Addr)
	}
	known, err := s.folder.ledger.ListCredentials(ctx)
	if err != nil {
		return fmt.Errorf("the API keys cannot be read: %w", err)
	}
	if len(known) > 0 {
		return nil
	}
	token, err := addKey(ctx, s.folder.ledger, guard.Principal{Tenant: defaultTenant, Subject: "admin", Role: guard.RoleAdmin}, "made at the first start")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "admin key, shown only this once: %s\n", token)
	base := s.config.origin()
	if base == "" {
		base = "http://" + s.listener.Addr().String()
	}
	fmt.Fprintf(stdout, "sign in to the dashboard, once and within 15 minutes: %s\n", s.pages.SignInLink(base, guard.Credential{Hash: sha256.Sum256([]byte(token))}))
	return nil
}

// operators is the tenant whose admins write policies into the ledger.
func (c *Config) operators() string {
	if c.Dev {
		return guard.DevTenant
	}
	return c.Operators
}

// reviewURL is the address of a review's page, without its id; "" where nobody said how people reach the server.
func (c *Config) reviewURL() string {
	if c.URL == "" {
		return ""
	}
	return c.origin() + "/review/"
}

// origin is where people reach the server, without a slash at the end; "" where nobody said so.
func (c *Config) origin() string { return strings.TrimRight(c.URL, "/") }

func newLog(c *Config, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.logLevel()}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}
