package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

func TestChangesAreStreamed(t *testing.T) {
	h := newHouse(t)
	h.guard.changed = []string{"ef_1", "", "ef_2"}
	// The contract's transport reads answers whole, which a stream has no end for.
	c := client.New(h.srv.URL, h.rev, h.srv.Client())
	var got []string
	for id, err := range c.Changes(t.Context()) {
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, id)
	}
	if strings.Join(got, ",") != "ef_1,,ef_2" {
		t.Errorf("got %q", got)
	}
	for id, err := range client.New(h.srv.URL, h.agent, h.srv.Client()).Changes(t.Context()) {
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusForbidden || id != "" {
			t.Errorf("an agent gets %q, %v", id, err)
		}
	}
}

func TestTheStreamSaysWhatWasLost(t *testing.T) {
	h := newHouse(t)
	h.guard.changed = []string{""}
	resp, text := h.send("GET", "/v1/events", h.rev, "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || !strings.Contains(string(text), "event: lost\n") {
		t.Errorf("%d %s: %q", resp.StatusCode, resp.Header.Get("Content-Type"), text)
	}
}

func TestAStreamEndsWithItsServer(t *testing.T) {
	h := newHouse(t)
	h.guard.changed, h.guard.stay = []string{"ef_1"}, true
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.srv.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.rev)
	resp, err := h.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for line := ""; !strings.HasPrefix(line, "event: effect"); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan struct{})
	go func() {
		h.srv.CloseClientConnections()
		close(closed)
	}()
	if _, err := io.ReadAll(lines); err == nil {
		t.Log("the stream ended in order")
	}
	<-closed
}

func TestTalliesOfASpan(t *testing.T) {
	h := newHouse(t)
	h.guard.counted = []guard.Tally{{Tenant: "acme", Start: born, Tool: "pay", Kind: "replayed", Code: "replayed", Count: 3}}
	from := born.Add(-time.Hour)
	got, err := h.client(h.rev).Tallies(t.Context(), from, born)
	if err != nil || len(got.Tallies) != 1 || got.Tallies[0].Count != 3 || !got.Tallies[0].Start.Equal(born) || got.BucketMS != 300_000 {
		t.Errorf("%+v, %v", got, err)
	}
	if !h.guard.span[0].Equal(from) || !h.guard.span[1].Equal(born) {
		t.Errorf("asked for %v", h.guard.span)
	}
	if _, err := h.client(h.rev).Tallies(t.Context(), from, time.Time{}); err != nil || !h.guard.span[1].Equal(from.Add(usualSpan)) {
		t.Errorf("without an end asked for %v, %v", h.guard.span, err)
	}
	h.problem(400, "invalid", "GET", "/v1/tallies?from=yesterday", h.rev, "")
	h.problem(400, "invalid", "GET", "/v1/tallies?from=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", h.rev, "")
	h.problem(403, "forbidden", "GET", "/v1/tallies", h.agent, "")
}

func TestSwitches(t *testing.T) {
	h := newHouse(t)
	s := client.Switch{Kind: "tool", Name: "pay.*", Off: true, Reason: "paid twice"}
	now, err := h.client(h.admin).Switch(t.Context(), s)
	if err != nil || now.Switch != s || now.By != "ada" {
		t.Errorf("%+v, %v", now, err)
	}
	all, err := h.client(h.rev).Switches(t.Context())
	if err != nil || len(all.Switches) != 1 || all.Switches[0] != now {
		t.Errorf("%+v, %v", all, err)
	}
	h.problem(403, "forbidden", "PUT", "/v1/switches", h.rev, `{"kind":"tool","name":"pay","off":true,"reason":"x"}`, "Content-Type", "application/json")
}

func TestEffectsAreFilteredByTextAndTime(t *testing.T) {
	h := newHouse(t)
	h.guard.list = []guard.Effect{*doneEffect()}
	h.guard.list[0].About, h.guard.list[0].Related = "order_id=A-17", "ef_0"
	page, err := h.client(h.rev).Effects(t.Context(), client.Filter{Text: "a-17", From: born, Until: born.Add(time.Hour)})
	if err != nil || len(page.Effects) != 1 || page.Effects[0].About != "order_id=A-17" || page.Effects[0].Related != "ef_0" {
		t.Fatalf("%+v, %v", page, err)
	}
	q := h.guard.queries[0]
	if q.Text != "a-17" || !q.From.Equal(born) || !q.Until.Equal(born.Add(time.Hour)) {
		t.Errorf("asked for %+v", q)
	}
	h.problem(400, "invalid", "GET", "/v1/effects?from=now", h.rev, "")
	h.problem(400, "invalid", "GET", "/v1/effects?text="+strings.Repeat("x", guard.MaxHandle+1), h.rev, "")
}

func TestADecisionCarriesEditedArguments(t *testing.T) {
	h := newHouse(t)
	h.guard.effect = *doneEffect()
	edited := `{"order_id":"A-17","amount":10.00}`
	if _, err := h.client(h.rev).Decide(t.Context(), "rv_1", client.Verdict{
		Decision: "approve", Fence: 1, Digest: strings.Repeat("0a", 32), Reason: "less", Arguments: json.RawMessage(edited),
	}); err != nil {
		t.Fatal(err)
	}
	if got := string(h.guard.judged[0].Arguments); got != edited {
		t.Errorf("the guard got %s", got)
	}
}

func TestAWarningIsInTheHeader(t *testing.T) {
	h := newHouse(t)
	h.guard.answer = guard.Answer{Kind: guard.AnswerForwarded, Effect: doneEffect(),
		Explanation: guard.Explanation{Code: guard.CodeForwarded, Warned: guard.CodeDenied}}
	resp, text := h.send("POST", "/v1/calls", h.agent, `{"tool":"t","arguments":{}}`)
	if resp.Header.Get("Onceguard-Warned") != "denied" || !strings.Contains(string(text), `"warned":"denied"`) {
		t.Errorf("%v: %s", resp.Header, text)
	}
}
