package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// overviewRequest is the query of GET /overview.
type overviewRequest struct {
	over string // one of ranges
	form switchForm
}

// timeRange is a period that the overview tells about.
type timeRange struct {
	Value string
	Name  string
	span  time.Duration
	step  time.Duration
}

var ranges = []timeRange{
	{"24h", "24 hours", 24 * time.Hour, time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour, 6 * time.Hour}, {"30d", "30 days", 30 * 24 * time.Hour, 24 * time.Hour},
}

func (r *overviewRequest) bind(c echo.Context) error {
	r.over = ranges[0].Value
	if over := c.QueryParam("over"); slices.ContainsFunc(ranges, func(t timeRange) bool { return t.Value == over }) {
		r.over = over
	}
	r.form = switchForm{Kind: guard.SwitchKind(c.QueryParam("kind")), Name: c.QueryParam("name")}
	return nil
}

// overviewView is what happened, what waits and what is broken.
type overviewView struct {
	Ranges    []rangeLink
	Period    string
	Prevented string
	Because   []preventedLine
	Any       bool // something happened
	Charts    []chart
	Tools     []toolLine
	MoreTools int
	Warned    string
	Waiting   waitingView
	Health    []Health
	Switches  []switchLine
	Form      switchForm
	Admin     bool
}

type rangeLink struct {
	timeRange
	Chosen bool
}

type preventedLine struct{ Name, Count string }

// toolLine is one tool in the table of tools.
type toolLine struct {
	Tool                             string
	Sent, Replayed, Blocked, Unknown string
	Shares                           []share
	Label                            string
	Stopped                          bool
	Stop                             string // the address at which it can be stopped
}

// mostTools is how many tools the table has.
const mostTools = 20

// overview is GET /overview.
func (w *Web) overview(ctx context.Context, p guard.Principal, r overviewRequest) (reply, error) {
	chosen := ranges[slices.IndexFunc(ranges, func(t timeRange) bool { return t.Value == r.over })]
	v := overviewView{Period: chosen.Name, Form: r.form, Admin: p.Role == guard.RoleAdmin, Health: w.health(ctx)}
	for _, t := range ranges {
		v.Ranges = append(v.Ranges, rangeLink{t, t.Value == r.over})
	}
	// Whole steps, so that a bar does not shrink while its time runs; the last one is under way.
	until := w.now().UTC().Truncate(chosen.step).Add(chosen.step)
	from := until.Add(-chosen.span)
	list, err := w.guard.Tallies(ctx, p, from, until)
	if err != nil {
		return nil, err
	}
	switches, err := w.guard.Switches(ctx, p)
	if err != nil {
		return nil, err
	}
	v.setAccount(accountOf(list, from, until, chosen.step), switches)
	v.Switches = switchLines(switches)
	if v.Waiting, err = w.waitingView(ctx, p); err != nil {
		return nil, err
	}
	return page{template: "overview", title: "Overview", section: atOverview, view: v}, nil
}

func (v *overviewView) setAccount(a account, switches []guard.Switched) {
	v.Prevented, v.Any = grouped(a.prevented), len(a.tools) > 0
	for _, b := range a.because {
		v.Because = append(v.Because, preventedLine{b.Name, grouped(b.Count)})
	}
	if a.warned > 0 {
		v.Warned = grouped(a.warned)
	}
	v.Charts = []chart{
		chartOf(a, sent, "sent", "Sent", "calls that were new, and went to the tool"),
		chartOf(a, replayed, "replayed", "Replayed", "equal calls that got the recorded result"),
		chartOf(a, blocked, "blocked", "Blocked", "calls that were not sent, with a reason"),
		chartOf(a, unknown, "unknown", "Outcome not known", "sends of which nobody can tell whether they were applied"),
	}
	if len(a.tools) > mostTools {
		v.MoreTools = len(a.tools) - mostTools
		a.tools = a.tools[:mostTools]
	}
	for _, t := range a.tools {
		c := t.Counts
		v.Tools = append(v.Tools, toolLine{
			Tool: t.Tool, Sent: grouped(c[sent]), Replayed: grouped(c[replayed]), Blocked: grouped(c[blocked]), Unknown: grouped(c[unknown]),
			Shares: sharesOf(c, a.tools[0].total()), Stop: stopAddress(guard.SwitchTool, t.Tool),
			Label:   grouped(c[sent]) + " sent, " + grouped(c[replayed]) + " replayed, " + grouped(c[blocked]) + " blocked",
			Stopped: slices.ContainsFunc(switches, func(s guard.Switched) bool { return s.Off && s.Kind == guard.SwitchTool && s.Name == t.Tool }),
		})
	}
}

// waitingView is what waits for a person, by how long it does.
type waitingView struct {
	Count  string // "" for nothing
	Oldest time.Time
	Ages   []ageLine
}

type ageLine struct {
	Name  string
	Count string
	Width string // in hundredths of the longest
}

// mostAged is how many reviews are looked at for their age.
const mostAged = 500

// ages are the classes of age, the youngest first. The last has no end.
var ages = []struct {
	name  string
	below time.Duration
}{{"under an hour", time.Hour}, {"1 to 8 hours", 8 * time.Hour}, {"8 to 24 hours", 24 * time.Hour}, {"over a day", 1 << 62}}

func (w *Web) waitingView(ctx context.Context, p guard.Principal) (waitingView, error) {
	list, err := w.guard.Effects(ctx, p, guard.Query{Review: true, Limit: mostAged})
	if err != nil || len(list) == 0 {
		return waitingView{}, err
	}
	v := waitingView{Count: grouped(int64(len(list)))}
	if len(list) == mostAged {
		v.Count += " or more"
	}
	by, most := make([]int64, len(ages)), int64(0)
	for i := range list {
		since := list[i].Since
		if v.Oldest.IsZero() || since.Before(v.Oldest) {
			v.Oldest = since
		}
		age := w.now().Sub(since)
		class := 0
		for age >= ages[class].below {
			class++
		}
		by[class]++
		most = max(most, by[class])
	}
	for i, a := range ages {
		v.Ages = append(v.Ages, ageLine{a.name, grouped(by[i]), drawn(float64(by[i]) / float64(most) * 100)})
	}
	return v, nil
}

// Health is whether one part of the server works.
type Health struct {
	Name   string
	Well   bool
	Detail string    // sentences; "" where there is nothing to say
	Since  time.Time // when it became so; zero where that is not known
}

// health tells about the ledger, the policies, and the parts that the server adds.
func (w *Web) health(ctx context.Context) []Health {
	ledger := Health{Name: "Ledger", Well: true, Detail: "Calls can be decided."}
	if err := w.guard.Ready(ctx); err != nil {
		ledger.Well, ledger.Detail = false, "No call is decided and nothing is sent: "+strings.TrimSuffix(err.Error(), ".")+"."
	}
	policies := Health{Name: "Policies", Well: true, Detail: "The newest are in force."}
	if w.policies.LastError() != nil {
		policies.Well, policies.Detail = false, "The newest are refused, so earlier ones are in force."
	}
	list := []Health{ledger, policies}
	if w.parts != nil {
		list = append(list, w.parts(ctx)...)
	}
	return list
}
