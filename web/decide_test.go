package web

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// decision is the form of ef_1 as it is shown.
func decision(c guard.Choice, more ...string) url.Values {
	e := held("ef_1", `{}`)
	d := e.ArgumentsDigest()
	v := url.Values{"choice": {string(c)}, "fence": {"1"}, "digest": {hex.EncodeToString(d[:])}, "seq": {"1"}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestDecisionIsBoundToWhatWasShown(t *testing.T) {
	e := held("ef_1", `{}`)
	h := newHouse(t, newFake(e)).signIn(ritasKey)
	d := e.ArgumentsDigest()
	contains(t, h.page("/review/rv_1"), `name="fence" value="1"`, `name="digest" value="`+hex.EncodeToString(d[:])+`"`, `name="seq" value="1"`)
	resp, _ := h.post("/review/rv_1", decision(guard.Approve, "reason", " seen it "))
	if got := resp.Header.Get("Location"); got != "/review?did=approve&id=ef_1" {
		t.Errorf("leads to %q", got)
	}
	if len(h.guard.judged) != 1 {
		t.Fatalf("%d decisions", len(h.guard.judged))
	}
	j := h.guard.judged[0]
	if j.Effect != "ef_1" || j.Choice != guard.Approve || j.Fence != 1 || j.Digest != d || j.Reason != "seen it" || j.Result != nil || j.Arguments != nil {
		t.Errorf("decided %+v", j)
	}
	if p := h.guard.by[0]; p.Subject != "rita" || p.Tenant != "acme" || p.SelfReview {
		t.Errorf("decided by %+v", p)
	}
}

func TestResultAndEditedArguments(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`))).signIn(ritasKey)
	for entered, want := range map[string]string{`{"id": 1}`: `{"id": 1}`, "paid by hand": `"paid by hand"`, "  ": ""} {
		h.post("/review/rv_1", decision(guard.Happened, "result", entered))
		if got := string(h.guard.judged[len(h.guard.judged)-1].Result); got != want {
			t.Errorf("%q is recorded as %q", entered, got)
		}
	}
	h.post("/review/rv_1", decision(guard.Approve, "result", `{}`, "arguments", `{"a":1}`))
	if j := h.guard.judged[len(h.guard.judged)-1]; j.Result != nil || j.Arguments != nil {
		t.Errorf("fields of other choices are taken: %+v", j)
	}
	h.post("/review/rv_1", decision(editAndRun, "arguments", `{"a":1}`))
	if j := h.guard.judged[len(h.guard.judged)-1]; j.Choice != guard.Approve || string(j.Arguments) != `{"a":1}` {
		t.Errorf("edit and run decides %+v", j)
	}
}

func TestBrokenFormsDecideNothing(t *testing.T) {
	h := newHouse(t, newFake(held("ef_1", `{}`))).signIn(ritasKey)
	for _, broken := range [][2]string{{"fence", ""}, {"fence", "0"}, {"fence", "1e3"}, {"digest", ""}, {"digest", "00"}, {"digest", strings.Repeat("zz", 32)},
		{"digest", strings.Repeat("00", 64)}, {"seq", ""}, {"seq", "x"}} {
		resp, _ := h.post("/review/rv_1", decision(guard.Approve, broken[:]...))
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%v answers %d", broken, resp.StatusCode)
		}
	}
	// What stands in the address does not count.
	if resp, _ := h.post("/review/rv_1?"+decision(guard.Approve).Encode(), nil); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a decision in the address answers %d", resp.StatusCode)
	}
	if resp, _ := h.post("/review/rv_1", decision(guard.Approve, "reason", strings.Repeat("x", maxForm))); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form that is too long answers %d", resp.StatusCode)
	}
	if len(h.guard.judged) > 0 {
		t.Errorf("decided %v", h.guard.judged)
	}
}

func TestStaleDecisionTellsWhatHappenedSince(t *testing.T) {
	e := held("ef_1", `{}`)
	h := newHouse(t, newFake(e)).signIn(ritasKey)
	for _, code := range []guard.ErrorCode{guard.CodeStaleFence, guard.CodeConflict} {
		h.guard.decide = func(guard.Judgement) (guard.Effect, error) {
			return guard.Effect{}, &guard.Error{Code: code, Op: "decide", Message: "the effect has changed"}
		}
		h.guard.effects[0].State = guard.Refused
		h.guard.events["ef_1"] = []guard.Event{
			{Seq: 1, Kind: guard.EventHeld, To: guard.Held, Actor: guard.Actor{Kind: "agent", Name: "support"}},
			{Seq: 2, Kind: guard.EventRejected, From: guard.Held, To: guard.Refused, Actor: guard.Actor{Kind: "reviewer", Name: "ada"}, Note: "twice <b>"},
		}
		resp, body := h.post("/review/rv_1", decision(guard.Approve))
		if resp.StatusCode != http.StatusConflict {
			t.Errorf("answers %d", resp.StatusCode)
		}
		contains(t, body, "Nothing was decided", "The effect has changed.", "Rejected.", "reviewer <bdi>ada</bdi>", "twice &lt;b&gt;")
		lacks(t, body, "It was held for a person.")
	}
}

func TestNobodyDecidesOnTheirOwnCall(t *testing.T) {
	own := held("ef_1", `{}`)
	own.Subject = "rita"
	h := newHouse(t, newFake(own)).signIn(ritasKey)
	body := h.page("/review/rv_1")
	contains(t, body, "Another person must decide")
	lacks(t, body, `name="choice"`)
	contains(t, h.page("/review"), "your own call")
	h.guard.decide = func(guard.Judgement) (guard.Effect, error) {
		return guard.Effect{}, &guard.Error{Code: guard.CodeSelfReview, Message: "nobody decides on a call of their own subject; another person must"}
	}
	resp, body := h.post("/review/rv_1", decision(guard.Approve))
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("answers %d", resp.StatusCode)
	}
	contains(t, body, "Nobody decides on a call of their own subject; another person must.")
}

func TestBatch(t *testing.T) {
	var alike []guard.Effect
	for i := range 4 {
		alike = append(alike, held(fmt.Sprintf("ef_%d", 4-i), fmt.Sprintf(`{"order_id":"A-%d"}`, i)))
	}
	h := newHouse(t, newFake(alike...)).signIn(ritasKey)
	body := h.page("/review")
	contains(t, body, "4 alike")
	var items []string
	for _, e := range alike {
		d := e.ArgumentsDigest()
		item := e.ID + " 1 " + hex.EncodeToString(d[:])
		contains(t, body, `value="`+item+`"`)
		items = append(items, item)
	}
	h.guard.decide = func(j guard.Judgement) (guard.Effect, error) {
		if j.Effect == "ef_2" {
			return guard.Effect{}, &guard.Error{Code: guard.CodeStaleFence}
		}
		return guard.Effect{ID: j.Effect}, nil
	}
	resp, _ := h.post("/review", url.Values{"choice": {"reject"}, "reason": {"no"}, "item": items[:3]})
	if got := resp.Header.Get("Location"); got != "/review?did=reject&left=1&n=2" {
		t.Errorf("leads to %q", got)
	}
	contains(t, h.page("/review?did=reject&left=1&n=2"), "Rejected.", "2 reviews", "1 had changed meanwhile and was left as it is")
	if len(h.guard.judged) != 3 || h.guard.judged[0].Reason != "no" {
		t.Errorf("decided %+v", h.guard.judged)
	}
	if resp, _ := h.post("/review", url.Values{"choice": {"reject"}}); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an empty batch answers %d", resp.StatusCode)
	}
	if resp, _ := h.post("/review", url.Values{"choice": {"approve"}, "item": {"ef_1 1"}}); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a batch without digests answers %d", resp.StatusCode)
	}
}
