package api

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onceguard/onceguard/guard"
)

// maxTools is the most names of tools that metrics tell apart; further ones are counted as "other". Agents choose the
// names, and each one costs memory for good.
const maxTools = 200

// Metrics observes a guard for Prometheus. No id, key or argument is ever a label.
type Metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	decision *prometheus.HistogramVec
	upstream *prometheus.HistogramVec
	swept    prometheus.Counter
	notices  *prometheus.HistogramVec

	answered sync.Map // answered to answeredMetrics: looking labels up by name costs more than counting

	mu    sync.RWMutex
	tools map[string]struct{}
}

var (
	_ guard.Observer       = (*Metrics)(nil)
	_ guard.NoticeObserver = (*Metrics)(nil)
)

// NewMetrics makes metrics with a registry of their own. version is the program's, for onceguard_build_info.
func NewMetrics(version string) *Metrics {
	buckets := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onceguard_calls_total", Help: "Calls that were decided."}, []string{"tool", "decision", "code"}),
		decision: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onceguard_decision_duration_seconds", Help: "From a call to its answer, with the time of the upstream and of waiting.",
			Buckets: buckets}, []string{"decision"}),
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onceguard_upstream_duration_seconds", Help: "Attempts at upstreams, by what they proved.",
			Buckets: buckets}, []string{"tool", "outcome"}),
		swept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "onceguard_swept_total", Help: "Effects whose lease or time was over."}),
		notices: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onceguard_notify_duration_seconds", Help: "Attempts to tell endpoints of reviews, by how they ended.",
			Buckets: buckets}, []string{"endpoint", "outcome"}),
		tools: map[string]struct{}{},
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "onceguard_build_info", Help: "Always 1; the labels tell the build."}, []string{"version", "go"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.calls, m.decision, m.upstream, m.swept, m.notices, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Answered counts a decision.
func (m *Metrics) Answered(tool string, kind guard.AnswerKind, code guard.Code, took time.Duration) {
	at := answered{m.tool(tool), kind, code}
	known, ok := m.answered.Load(at)
	if !ok {
		known, _ = m.answered.LoadOrStore(at, answeredMetrics{
			m.calls.WithLabelValues(at.tool, string(kind), string(code)), m.decision.WithLabelValues(string(kind)),
		})
	}
	found := known.(answeredMetrics)
	found.calls.Inc()
	found.decision.Observe(took.Seconds())
}

// answered names one series of calls; there are as many as tools that are told apart, times the answers that there are.
type answered struct {
	tool string
	kind guard.AnswerKind
	code guard.Code
}

type answeredMetrics struct {
	calls    prometheus.Counter
	decision prometheus.Observer
}

// Attempted counts an attempt at an upstream.
func (m *Metrics) Attempted(tool string, state guard.State, _ guard.Code, took time.Duration) {
	m.upstream.WithLabelValues(m.tool(tool), string(state)).Observe(took.Seconds())
}

// Swept counts effects that the sweeper changed.
func (m *Metrics) Swept(changed int) { m.swept.Add(float64(changed)) }

// Notified counts an attempt to tell an endpoint of the policies.
func (m *Metrics) Notified(endpoint string, code guard.Code, took time.Duration) {
	m.notices.WithLabelValues(endpoint, string(code)).Observe(took.Seconds())
}

// tool is the label for a tool.
func (m *Metrics) tool(name string) string {
	m.mu.RLock()
	_, ok := m.tools[name]
	m.mu.RUnlock()
	if ok {
		return name
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.tools[name]; !ok && len(m.tools) >= maxTools {
		return "other"
	}
	m.tools[name] = struct{}{}
	return name
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// scrape is GET /metrics.
func (a *API) scrape(c echo.Context) error {
	p, err := a.admit(c, a.scrapers)
	if err != nil {
		return err
	}
	if a.scrapers == admins && a.operators != "" && p.Tenant != a.operators {
		return &guard.Error{Code: guard.CodeForbidden, Message: "the metrics name the tools of all tenants; an admin of the operators' tenant may read them"}
	}
	a.metrics.Handler().ServeHTTP(c.Response(), c.Request())
	return nil
}
