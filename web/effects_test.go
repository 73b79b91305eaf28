package web

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestEffectsAreFoundByWhatTheAddressSays(t *testing.T) {
	old, recent := held("ef_1", `{}`), sentOff("ef_2", `{}`)
	old.About, recent.About = "order_id=A-1", "order_id=B-2"
	recent.Tool, recent.Agent, recent.Run = "mail.send", "mailer", "nightly"
	recent.Created = time.Now().Add(-2 * time.Hour)
	h := newHouse(t, newFake(recent, old)).signIn(ritasKey)
	for query, want := range map[string]string{
		"": "A-1 B-2", "?q=A-1": "A-1", "?tool=mail.send": "B-2", "?state=held": "A-1", "?state=held&state=unknown": "A-1 B-2", "?agent=mailer": "B-2",
		"?run=nightly": "B-2", "?within=24h": "B-2", "?within=1h": "", "?until=2026-03-05T00:00": "A-1", "?from=2026-03-04&until=2026-03-04T15:06:07": "",
		"?from=2026-03-04&until=2026-03-04T15:06:08": "A-1", "?before=ef_2": "A-1", "?q=nothing": "",
	} {
		body := h.page("/effects" + query)
		for _, about := range []string{"A-1", "B-2"} {
			if shown := strings.Contains(body, "order_id="+about); shown != strings.Contains(want, about) {
				t.Errorf("/effects%s shows %s: %v", query, about, shown)
			}
		}
	}
}

func TestASearchThatCannotBeUsedSaysSo(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	for _, query := range []string{"state=happy", "within=1y", "from=yesterday", "until=2026-13-01T00:00", "q=" + strings.Repeat("x", guard.MaxHandle+1)} {
		if resp, body := h.get("/effects?" + query); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "This search cannot be used") {
			t.Errorf("?%.30s answers %d", query, resp.StatusCode)
		}
	}
}

func TestTheAddressOfASearchSaysOnlyWhatIsSearchedFor(t *testing.T) {
	h := newHouse(t, newFake()).signIn(ritasKey)
	resp, _ := h.get("/effects?q=A+1&tool=&within=&state=held&agent=&run=&from=2026-03-04T15:06&until=&before=")
	if got, want := resp.Header.Get("Location"), "/effects?from=2026-03-04T15%3A06%3A00&q=A+1&state=held"; resp.StatusCode != http.StatusSeeOther || got != want {
		t.Errorf("it answers %d and leads to %q, want %q", resp.StatusCode, got, want)
	}
}

func TestPagesOfEffectsKeepTheSearch(t *testing.T) {
	f := newFake()
	for i := range 2*effectsPage + 1 {
		f.effects = append(f.effects, held(fmt.Sprintf("ef_%03d", 999-i), `{}`))
	}
	h := newHouse(t, f).signIn(ritasKey)
	body := h.page("/effects?state=held&tool=payments.refund")
	contains(t, body, `href="/effects?before=ef_950&amp;state=held&amp;tool=payments.refund" rel="next"`)
	lacks(t, body, ">Newest<")
	contains(t, h.page("/effects?state=held&before=ef_950"), `href="/effects?state=held">Newest<`, "ef_949", "ef_900", `before=ef_900`)
	body = h.page("/effects?state=held&before=ef_900")
	contains(t, body, "ef_899")
	lacks(t, body, `rel="next"`)
}

func TestStatesAreCounted(t *testing.T) {
	count := func(body, state string) string {
		t.Helper()
		_, rest, ok := strings.Cut(body, `id="n-`+state+`" data-live>`)
		if !ok {
			t.Fatalf("no count of %s in %s", state, body)
		}
		n, _, _ := strings.Cut(rest, "<")
		return html.UnescapeString(n)
	}
	f := newFake()
	for i := range mostCounted - 1 {
		e := held(fmt.Sprintf("ef_%04d", 9999-i), `{}`)
		e.State, e.Review = guard.Done, ""
		f.effects = append(f.effects, e)
	}
	h := newHouse(t, f).signIn(ritasKey)
	for _, query := range []string{"", "?state=held", "?before=ef_9990"} {
		if body := h.page("/effects" + query); count(body, "done") != "499" || count(body, "held") != "0" {
			t.Errorf("%q counts %s done and %s held", query, count(body, "done"), count(body, "held"))
		}
	}
	f.effects = append(f.effects, held("ef_0002", `{}`), sentOff("ef_0001", `{}`)) // older than all that are counted
	body := h.page("/effects")
	if count(body, "done") != "499+" || count(body, "held") != "1+" || count(body, "unknown") != "1+" || count(body, "failed") != "" {
		t.Errorf("of many: %s done, %s held, %s unknown, %s failed", count(body, "done"), count(body, "held"), count(body, "unknown"), count(body, "failed"))
	}
}

func TestOneEffectTellsItsStory(t *testing.T) {
	e := sentOff("ef_2", `{"order_id":"A-1","amount":900}`)
	e.Related, e.About, e.Policy = "ef_1", "order_id=A-1", "another"
	first, alike, later := held("ef_1", `{}`), held("ef_3", `{}`), held("ef_4", `{}`)
	alike.About, later.Generation = e.About, 2
	f := newFake(later, alike, e, first)
	f.shown = guard.Explained{Recorded: &later}
	at := e.Created
	claimed := guard.Event{Kind: guard.EventClaimed, To: guard.Pending, Fence: 1, At: at, Actor: guard.Actor{Kind: "agent", Name: "support"}}
	again := claimed
	again.Fence, again.From, again.At = 3, guard.Approved, at.Add(time.Minute)
	f.events["ef_2"] = []guard.Event{
		claimed,
		{Kind: guard.EventLapsed, From: guard.Pending, To: guard.Unknown, Fence: 1, At: at.Add(20 * time.Second), Code: guard.CodeLapsed},
		again,
		{Kind: guard.EventSettled, From: guard.Pending, To: guard.Unknown, Fence: 3, At: at.Add(61 * time.Second), Code: guard.CodeUpstreamTimeout},
		{Kind: guard.EventNoted, From: guard.Unknown, To: guard.Unknown, Fence: 3, Code: guard.CodeLate, Count: 1, Note: "it says done", Result: &guard.Result{Status: 201, Body: []byte("rf_77")}},
	}
	body := newHouse(t, f).signIn(ritasKey).page("/effects/ef_2")
	contains(t, body, "A-1", `href="/review/rv_2"`, `"No.">1</td>`, "20s", "lease_over", `"No.">2</td>`, "1s", "upstream_timeout", "Evidence that came late", "rf_77",
		`href="/effects/ef_1"`, `href="/effects/ef_3"`, `href="/effects/ef_4"`, "which has changed since this call", "No policy names this tool")
}

func TestAnEffectThatIsForgottenOrElsewhereIsNotFound(t *testing.T) {
	foreign := held("ef_1", `{}`)
	foreign.Tenant = "other"
	h := newHouse(t, newFake(foreign)).signIn(ritasKey)
	for _, id := range []string{"ef_1", "ef_2", "%00", "..%2f..%2fetc"} {
		if resp, _ := h.get("/effects/" + id); resp.StatusCode != http.StatusNotFound {
			t.Errorf("/effects/%s answers %d", id, resp.StatusCode)
		}
	}
}

func TestAnEffectWithoutItsBytesIsShown(t *testing.T) {
	e := held("ef_1", ``)
	e.Arguments, e.State = nil, guard.Done
	contains(t, newHouse(t, newFake(e)).signIn(ritasKey).page("/effects/ef_1"), "no longer kept")
}
