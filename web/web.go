package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// Guard is what the dashboard needs of a *guard.Guard.
type Guard interface {
	Effect(ctx context.Context, p guard.Principal, id string) (guard.Effect, error)
	Effects(context.Context, guard.Principal, guard.Query) ([]guard.Effect, error)
	Events(ctx context.Context, p guard.Principal, id string) ([]guard.Event, error)
	Fingerprint(ctx context.Context, p guard.Principal, c guard.Call, other *guard.Call) (guard.Explained, error)
	// FingerprintUnder judges by other policies than those in force.
	FingerprintUnder(ctx context.Context, p guard.Principal, set *policy.Set, c guard.Call, other *guard.Call) (guard.Explained, error)
	Decide(context.Context, guard.Principal, guard.Judgement) (guard.Effect, error)
	Preview(ctx context.Context, p guard.Principal, id string) ([]guard.Preview, error)
	Endorsements(ctx context.Context, p guard.Principal, id string) (list []guard.Endorsement, people int, err error)
	Changes(ctx context.Context, p guard.Principal) (<-chan string, error)
	// Tallies counts what happened to the tenant's calls, in the buckets that begin in [from, until).
	Tallies(ctx context.Context, p guard.Principal, from, until time.Time) ([]guard.Tally, error)
	Switches(context.Context, guard.Principal) ([]guard.Switched, error)
	Switch(context.Context, guard.Principal, guard.Switch) (guard.Switched, error)
	// The policies that the ledger keeps, for those who may edit them.
	MayEditPolicies(guard.Principal) bool
	PolicyChanged(tool string) (guard.PolicyChange, bool)
	PolicyVersions(ctx context.Context, p guard.Principal, tool string) ([]guard.PolicyVersion, error)
	EditPolicy(context.Context, guard.Principal, guard.PolicyEdit) (guard.PolicyVersion, error)
	// CheckPolicy returns the set that an edit would bring into force.
	CheckPolicy(context.Context, guard.PolicyEdit) (*policy.Set, error)
	// CheckFile returns the set that a text would bring into force as a policy file, in place of the tools that it names.
	CheckFile(ctx context.Context, text string) (*policy.Set, error)
	Ready(context.Context) error
}

// Policies is the present set of rules and why a newer one was refused. *guard.Rulebook implements it.
type Policies interface {
	Current() *policy.Set
	LastError() error
}

// Config is what a dashboard is made of. Guard and Policies are needed, and Credentials and Key unless Dev is set.
type Config struct {
	Guard       Guard
	Policies    Policies
	Credentials guard.Credentials
	Key         []byte       // the installation key, from which the key of sessions is derived
	Log         *slog.Logger // nil for none
	// URL is where people reach the server, such as "https://guard.example.com". With https, cookies are kept for encrypted
	// connections. "" means that the server is reached without encryption.
	URL string
	// Parts tells about parts of the server beside the ledger and the policies, such as a cache; nil for none.
	Parts func(context.Context) []Health
	// Provider vouches for people beside their keys; nil for none. It needs URL.
	Provider *Provider
	// Dev lets everybody in as the one principal of a developer's own machine, and only under a loopback name.
	Dev bool
}

// Web serves the dashboard.
type Web struct {
	guard    Guard
	policies Policies
	door     *door
	provider *provider // nil where none is configured
	parts    func(context.Context) []Health
	log      *slog.Logger
	origin   *http.CrossOriginProtection
	secure   bool // people come over TLS
	now      func() time.Time
	// backtests has an element for each backtest under way: they take processor time while somebody waits.
	backtests chan struct{}
}

// New makes a dashboard. It starts nothing.
func New(c Config) (*Web, error) {
	if c.Guard == nil || c.Policies == nil {
		return nil, errors.New("web: a guard and policies are needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	secure, err := encrypted(c.URL)
	if err != nil {
		return nil, err
	}
	origin, err := originOf(c.URL)
	if err != nil {
		return nil, err
	}
	d, err := newDoor(c, secure)
	if err != nil {
		return nil, err
	}
	p, err := newProvider(c)
	if err != nil {
		return nil, err
	}
	return &Web{
		guard: c.Guard, policies: c.Policies, parts: c.Parts, door: d, provider: p, log: c.Log, origin: origin,
		secure: secure, now: time.Now, backtests: make(chan struct{}, 2),
	}, nil
}

// Register adds the pages to e. An error of a page never leaves it: each is answered with a page.
func (w *Web) Register(e *echo.Echo) {
	get := func(path string, h echo.HandlerFunc) { e.GET(path, h, w.guarded) }
	post := func(path string, h echo.HandlerFunc) { e.POST(path, h, w.guarded) }

	get("/assets/:name", w.asset)
	get("/signin", adapt(w, anybody, w.signIn))
	post("/signin", w.enter)
	get("/signin/link", adapt(w, anybody, w.showLink))
	post("/signin/link", w.enterByLink)
	get("/signin/provider", w.leaveForProvider)
	get("/signin/callback", w.returnFromProvider)
	post("/signout", w.leave)

	get("/", adapt(w, reviewers, w.home))
	get("/live", w.live)
	get("/review", adapt(w, reviewers, w.queue))
	get("/review/:id", adapt(w, reviewers, w.review))
	get("/review/:id/value", adapt(w, reviewers, w.wholeValue))
	post("/review/:id", adapt(w, reviewers, w.decide))
	post("/review", adapt(w, reviewers, w.decideBatch))
	get("/effects", adapt(w, reviewers, w.effects))
	get("/effects/:id", adapt(w, reviewers, w.effect))
	get("/policies", adapt(w, reviewers, w.policiesList))
	get("/policies/:tool", adapt(w, reviewers, w.policy))
	post("/policies/:tool", adapt(w, reviewers, w.policy))
	get("/overview", adapt(w, reviewers, w.overview))
	post("/switches", adapt(w, admins, w.setSwitch))
}

// home leads to the queue of reviews.
func (w *Web) home(context.Context, guard.Principal, nothing) (reply, error) {
	return redirect("/review"), nil
}
