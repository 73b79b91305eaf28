package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// effectsRequest is the query of GET /effects. All of it is in the address, so that a search can be kept and sent to somebody.
type effectsRequest struct {
	text   string
	tool   string
	agent  string
	run    string
	states []guard.State
	within string    // one of periods; "" for any time
	from   time.Time // in place of within
	until  time.Time
	before string // the last effect of the page before
	untidy bool   // the address has fields that say nothing, as a form sends them
}

// period is a span of time that ends now.
type period struct {
	Value string
	Name  string
	span  time.Duration
}

// periods are what a list of effects can be limited to.
var periods = []period{
	{"1h", "the last hour", time.Hour}, {"24h", "the last 24 hours", 24 * time.Hour},
	{"7d", "the last 7 days", 7 * 24 * time.Hour}, {"30d", "the last 30 days", 30 * 24 * time.Hour},
}

func (r *effectsRequest) bind(c echo.Context) (err error) {
	q := c.QueryParams()
	for name, field := range map[string]*string{"q": &r.text, "tool": &r.tool, "agent": &r.agent, "run": &r.run, "before": &r.before, "within": &r.within} {
		*field = strings.TrimSpace(q.Get(name))
		if len(*field) > guard.MaxHandle {
			return badSearch("The field %q is longer than %d bytes.", name, guard.MaxHandle)
		}
	}
	for _, s := range q["state"] {
		if !slices.Contains(guard.States, guard.State(s)) {
			return badSearch("There is no such state. Choose from the list.")
		}
		r.states = append(r.states, guard.State(s))
	}
	if r.within != "" && !slices.ContainsFunc(periods, func(p period) bool { return p.Value == r.within }) {
		return badSearch("There is no such period. Choose from the list.")
	}
	if r.from, err = timeField(q.Get("from")); err != nil {
		return err
	}
	r.until, err = timeField(q.Get("until"))
	for _, values := range q {
		r.untidy = r.untidy || slices.Contains(values, "")
	}
	return err
}

func badSearch(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, "This search cannot be used", fmt.Sprintf(format, args...)}
}

// timeForms are how a browser's field for times writes one, with and without seconds.
var timeForms = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, time.DateOnly}

// timeField reads a time, in UTC where it names no zone, because the server cannot know the reader's. "" is the zero time.
func timeField(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badSearch("A time is written like 2026-03-04T15:06, in UTC.")
}

// query is what the guard is asked.
func (r *effectsRequest) query(now time.Time) guard.Query {
	q := guard.Query{
		Text: r.text, Tool: r.tool, Agent: r.agent, Run: r.run, States: r.states, From: r.from, Until: r.until, Before: r.before,
	}
	if r.from.IsZero() && r.until.IsZero() {
		if i := slices.IndexFunc(periods, func(p period) bool { return p.Value == r.within }); i >= 0 {
			q.From = now.Add(-periods[i].span)
		}
	}
	return q
}

// address is that of the page of the search that begins after an effect.
func (r *effectsRequest) address(before string) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("q", r.text)
	set("tool", r.tool)
	set("agent", r.agent)
	set("run", r.run)
	for _, s := range r.states {
		q.Add("state", string(s))
	}
	set("within", r.within)
	set("from", fieldTime(r.from))
	set("until", fieldTime(r.until))
	set("before", before)
	if len(q) == 0 {
		return "/effects"
	}
	return "/effects?" + q.Encode()
}

// fieldTime is a time as a field for times has it.
func fieldTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}

// filterView is the search as the page shows it, to be changed.
type filterView struct {
	Text    string
	Tool    string
	Agent   string
	Run     string
	From    string
	Until   string
	States  []stateBox
	Periods []periodBox
	Tools   []string // names that policies have, to choose from
	Any     bool     // something is searched for
	More    bool     // the fields that are folded are in use
}

type stateBox struct {
	State   guard.State
	Checked bool
	Count   string // how many fit the rest of the search; "" where nothing is known
}

type periodBox struct {
	period
	Chosen bool
}

func (w *Web) filterView(r effectsRequest, counts map[guard.State]stateCount) filterView {
	v := filterView{
		Text: r.text, Tool: r.tool, Agent: r.agent, Run: r.run, From: fieldTime(r.from), Until: fieldTime(r.until),
		Any: r.address("") != "/effects", More: !r.from.IsZero() || !r.until.IsZero() || r.agent != "" || r.run != "",
	}
	for _, s := range guard.States {
		v.States = append(v.States, stateBox{s, slices.Contains(r.states, s), counts[s].Text()})
	}
	for _, p := range periods {
		v.Periods = append(v.Periods, periodBox{p, p.Value == r.within})
	}
	for _, rule := range w.policies.Current().Rules() {
		if !strings.Contains(rule.Pattern, "*") {
			v.Tools = append(v.Tools, rule.Pattern)
		}
	}
	return v
}
