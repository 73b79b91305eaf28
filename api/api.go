package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// Guard is what the API needs of a *guard.Guard.
type Guard interface {
	Do(context.Context, guard.Principal, guard.Call) (guard.Answer, error)
	Report(context.Context, guard.Principal, guard.Report) (guard.Effect, error)
	Heartbeat(ctx context.Context, p guard.Principal, effect string, fence int64) (guard.Lease, error)
	Decide(context.Context, guard.Principal, guard.Judgement) (guard.Effect, error)
	Effect(ctx context.Context, p guard.Principal, id string) (guard.Effect, error)
	Effects(context.Context, guard.Principal, guard.Query) ([]guard.Effect, error)
	Events(ctx context.Context, p guard.Principal, id string) ([]guard.Event, error)
	Endorsements(ctx context.Context, p guard.Principal, id string) (list []guard.Endorsement, people int, err error)
	Fingerprint(ctx context.Context, p guard.Principal, c guard.Call, other *guard.Call) (guard.Explained, error)
	Changes(context.Context, guard.Principal) (<-chan string, error)
	Tallies(ctx context.Context, p guard.Principal, from, until time.Time) ([]guard.Tally, error)
	Switch(context.Context, guard.Principal, guard.Switch) (guard.Switched, error)
	Switches(context.Context, guard.Principal) ([]guard.Switched, error)
	EditPolicy(context.Context, guard.Principal, guard.PolicyEdit) (guard.PolicyVersion, error)
	PolicyVersions(ctx context.Context, p guard.Principal, tool string) ([]guard.PolicyVersion, error)
	Ready(context.Context) error
}

// Policies is the present set of rules and why a newer one was refused. *guard.Rulebook implements it.
type Policies interface {
	Current() *policy.Set
	LastError() error
}

// Config is what an API is made of. Guard and Policies are needed, and Credentials unless Dev is set.
type Config struct {
	Guard       Guard
	Policies    Policies
	Credentials guard.Credentials
	Metrics     *Metrics     // nil for one of its own
	Log         *slog.Logger // nil for none
	// ReviewURL is put before a review's id to make the link that an answer carries; "" means "/v1/reviews/".
	ReviewURL string
	// URL is where people reach the server, such as "https://guard.example.com". Browsers that come from there are no strangers, even
	// where a proxy gives the server another name. "" where nobody said so.
	URL string
	// Page answers a browser that asked for a page outside /v1 and gets none, with a status, a code and what is wrong; nil where
	// everybody gets a problem document.
	Page func(c echo.Context, status int, code, detail string) error
	// Dev lets everybody in as the one principal of a developer's own machine, and only under a loopback name.
	Dev bool
	// Operators is the tenant whose admins may read /metrics, in which the tools of all tenants are named; "" for the admins of every
	// tenant.
	Operators string
	// OpenMetrics serves /metrics without a key, for servers whose network is closed. Else it needs an admin's key,
	// because names of tools are in it.
	OpenMetrics bool
}

// API serves the routes.
type API struct {
	guard     Guard
	policies  Policies
	auth      *authenticator
	recent    *recentCalls
	metrics   *Metrics
	shown     shownResults
	log       *slog.Logger
	origin    *http.CrossOriginProtection
	reviewURL string
	showPage  func(c echo.Context, status int, code, detail string) error
	dev       bool
	scrapers  right // who may read /metrics
	operators string
}

// New makes an API. It starts nothing.
func New(c Config) (*API, error) {
	if c.Guard == nil || c.Policies == nil {
		return nil, errors.New("api: a guard and policies are needed")
	}
	if c.Credentials == nil && !c.Dev {
		return nil, errors.New("api: credentials are needed; only a development server runs without keys")
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics("")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ReviewURL == "" {
		c.ReviewURL = "/v1/reviews/"
	}
	origin := http.NewCrossOriginProtection()
	if c.URL != "" {
		if err := origin.AddTrustedOrigin(c.URL); err != nil {
			return nil, fmt.Errorf("api: the address of the server: %w", err)
		}
	}
	scrapers := admins
	if c.OpenMetrics {
		scrapers = anybody
	}
	return &API{
		guard: c.Guard, policies: c.Policies, auth: &authenticator{guard.NewCredentialCache(c.Credentials), c.Dev}, recent: newRecentCalls(), metrics: c.Metrics, log: c.Log,
		origin: origin, reviewURL: c.ReviewURL, showPage: c.Page, dev: c.Dev, scrapers: scrapers, operators: c.Operators,
	}, nil
}

// Register adds the routes to e, and to all of e the error handler and what happens around a request.
func (a *API) Register(e *echo.Echo) {
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = a.fail
	// Forwarded headers can be written by anybody; who needs them behind a proxy sets an extractor that trusts it.
	e.IPExtractor = echo.ExtractIPDirect()
	e.Use(a.around)

	e.POST("/v1/calls", adapt(a, callers, a.call))
	e.GET("/v1/effects", adapt(a, callers, a.effects))
	e.GET("/v1/effects/:id", adapt(a, callers, a.effect))
	e.GET("/v1/effects/:id/events", adapt(a, callers, a.events))
	e.POST("/v1/effects/:id/outcome", adapt(a, callers, a.outcome))
	e.POST("/v1/effects/:id/heartbeat", adapt(a, callers, a.heartbeat))
	e.POST("/v1/effects/:id/resolve", adapt(a, reviewers, a.resolve))
	e.GET("/v1/reviews", adapt(a, reviewers, a.reviews))
	e.GET("/v1/reviews/:id", adapt(a, reviewers, a.review))
	e.POST("/v1/reviews/:id/decide", adapt(a, reviewers, a.decide))
	e.POST("/v1/fingerprint", adapt(a, callers, a.fingerprint))
	e.POST("/v1/backtest", adapt(a, reviewers, a.backtest))
	e.GET("/v1/policies", adapt(a, reviewers, a.listPolicies))
	e.GET("/v1/policies/:tool/versions", adapt(a, admins, a.policyVersions))
	e.PUT("/v1/policies/:tool", adapt(a, admins, a.editPolicy))
	e.DELETE("/v1/policies/:tool", adapt(a, admins, a.deletePolicy))
	e.GET("/v1/events", a.changes)
	e.GET("/v1/tallies", adapt(a, reviewers, a.tallies))
	e.GET("/v1/switches", adapt(a, reviewers, a.switches))
	e.PUT("/v1/switches", adapt(a, admins, a.setSwitch))
	e.GET("/v1/me", adapt(a, callers, a.me))
	e.GET("/healthz", adapt(a, anybody, a.alive))
	e.GET("/readyz", adapt(a, anybody, a.ready))
	e.HEAD("/healthz", adapt(a, anybody, a.alive))
	e.HEAD("/readyz", adapt(a, anybody, a.ready))
	e.GET("/metrics", a.scrape)
	e.GET("/openapi.yaml", a.serve(anybody, contract))
	e.GET("/schemas/policy.json", a.serve(anybody, language))
}
