package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestTheOverviewTellsWhatHappened(t *testing.T) {
	waits := held("ef_1", `{}`)
	waits.Since = time.Now().Add(-3 * time.Hour)
	f := newFake(waits)
	f.tallies = []guard.Tally{
		{Start: time.Now().Add(-time.Hour), Tool: "mail.send", Kind: string(guard.AnswerReplayed), Code: guard.CodeReplayed, Count: 1234},
		{Start: time.Now().Add(-48 * time.Hour), Tool: "old.tool", Kind: string(guard.AnswerForwarded), Code: guard.CodeForwarded, Count: 3},
	}
	h := newHouse(t, f, func(c *Config) {
		c.Parts = func(context.Context) []Health { return []Health{{Name: "Redis", Detail: "It does not answer."}} }
	}).signIn(ritasKey)
	body := h.page("/overview")
	contains(t, body, "1\u202f234", "mail.send", "repeats not sent in the last 24 hours", "Redis", "It does not answer.", "1 to 8 hours", "Only an admin sets switches")
	lacks(t, body, "old.tool", `name="reason"`)
	contains(t, h.page("/overview?over=7d"), "old.tool")
	contains(t, h.page("/overview?over=nonsense"), "last 24 hours")
}

func TestTheOverviewSaysThatTheLedgerFails(t *testing.T) {
	f := newFake()
	f.err = &guard.Error{Code: guard.CodeUnavailable, Err: errors.New("disk on fire")}
	resp, body := newHouse(t, f).signIn(ritasKey).get("/overview")
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the overview answers %d", resp.StatusCode)
	}
	lacks(t, body, "disk on fire")
}

func TestOnlyAdminsSetSwitches(t *testing.T) {
	f := newFake()
	form := url.Values{"kind": {"tool"}, "name": {"mail.send"}, "reason": {"It sends to the wrong people."}, "do": {"stop"}}
	if resp, _ := newHouse(t, f).signIn(ritasKey).post("/switches", form); resp.StatusCode != http.StatusForbidden || len(f.stops) != 0 {
		t.Errorf("a reviewer got %d, and %v is stopped", resp.StatusCode, f.stops)
	}
	h := newHouse(t, f).signIn(adasKey)
	if resp, _ := h.post("/switches", form); resp.StatusCode != http.StatusSeeOther || len(f.stops) != 1 || !f.stops[0].Off {
		t.Fatalf("an admin got %d, and %v is stopped", resp.StatusCode, f.stops)
	}
	contains(t, h.page("/overview"), "It sends to the wrong people.", "Allow again")
	form.Set("do", "allow")
	if resp, _ := h.post("/switches", form); resp.StatusCode != http.StatusSeeOther || f.stops[0].Off {
		t.Errorf("allowing answers %d", resp.StatusCode)
	}
	form.Set("do", "nonsense")
	if resp, _ := h.post("/switches", form); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a broken form answers %d", resp.StatusCode)
	}
	contains(t, h.page("/overview?kind=agent&name=%22bot%3E"), `<option value="agent" selected>`, `value="&#34;bot&gt;"`)
}
