package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// readEveryState looks at every page of the dashboard, empty, and filled with an effect of each state that there is: in light and wide,
// and in dark on a narrow screen. It looks on one ledger only, because how a page looks does not depend on it; what it says does.
func readEveryState(in context.Context, p *program) {
	admin := p.key("admin", "ada")
	if len(p.ledger) > 0 {
		visitor := newSite(p.t, p.url).signIn(admin)
		for _, page := range p.fill(admin) {
			visitor.page(page)
		}
		return
	}
	empty := open(p.t, in, p.url)
	empty.expect("404")
	empty.visit("/signin")
	empty.isAccessible("/signin")
	empty.signIn(admin)
	for _, page := range []string{"/review", "/effects", "/overview", "/review/rv_0"} {
		empty.visit(page)
		empty.isAccessible(page + " with nothing on it")
	}
	pages := p.fill(admin)
	for _, look := range []struct {
		light  string
		narrow bool
	}{{"light", false}, {"dark", true}} {
		b := open(p.t, in, p.url)
		b.media("prefers-color-scheme", look.light)
		if look.narrow {
			b.narrow()
		}
		b.signIn(admin)
		b.await(`document.querySelector(".group") !== null`)
		for _, page := range pages {
			b.visit(page)
			b.isAccessible(fmt.Sprintf("%s in %s, narrow: %v", page, look.light, look.narrow))
		}
		b.visit("/review")
		b.run(chromedp.KeyEvent("?"), chromedp.WaitVisible(css("#keys[open]")))
		b.isAccessible("the keys")
	}
}

// fill makes an effect of each state, and returns the pages on which to see them.
func (p *program) fill(admin string) []string {
	p.t.Helper()
	pages := []string{"/review", "/review?order=costly", "/effects", "/effects?state=held&within=24h", "/effects?q=nothing",
		"/policies", "/policies/payments.transfer", "/policies/payments.refund", "/policies/nobody.knows"}
	states := map[string]bool{}
	see := func(state string, a answer) {
		p.t.Helper()
		if got := p.effect(admin, a.Effect.ID); got.State != state {
			p.t.Errorf("an effect that should be %s is %s", state, got.State)
		}
		states[state] = true
		pages = append(pages, review(a), "/effects/"+a.Effect.ID)
	}
	see("done", p.transfer(`{"to": "state-1", "amount": 5, "note": "first"}`))
	again := p.transfer(`{"to": "state-1", "amount": 6, "note": "second"}`) // beside the first one
	see("held", again)
	pages = append(pages, "/policies/payments.transfer?suggest="+again.Effect.ID, review(again)+"/value?of=now&argument=note")
	see("held", p.transfer(`{"to": "state-2", "amount": 900}`))
	see("failed", p.transfer(`{"to": "closed-1", "amount": 5}`))
	see("unknown", p.transfer(`{"to": "lost-9", "amount": 5}`))
	see("unknown", p.transfer(`{"to": "broken-1", "amount": 5}`)) // with an answer that does not tell
	see("refused", p.transfer(`{"to": "state-3", "amount": 20000}`))

	const small = `{"order_id": "S-%d", "amount": 5}`
	see("pending", p.ask("payments.refund", fmt.Sprintf(small, 1)))
	half := p.ask("payments.refund", fmt.Sprintf(small, 2))
	p.report(half, `"status": "partial", "result": {"sent": 1, "of": 2}, "error": "one of two"`)
	see("partial", half)
	allowed := p.read(p.refund("S-3"))
	p.decide(admin, allowed, "approve")
	see("approved", allowed)
	refused := p.read(p.refund("S-4"))
	p.decide(admin, refused, "reject")
	see("refused", refused)

	const letter = `{"to": "ann@example.com", "body": "Hello Ann, your refund of 25 EUR is on %s way and will arrive within five working days."}`
	p.report(p.ask("mail.send", fmt.Sprintf(letter, "its")), `"status": "done", "result": "sent"`)
	see("held", p.ask("mail.send", fmt.Sprintf(letter, "its long")))
	for n := range 4 {
		p.refund(fmt.Sprintf("G-%d", n)) // alike
	}
	if len(states) != 8 {
		p.t.Errorf("there are effects of %d states only: %v", len(states), states)
	}
	p.awaitCounts(admin)
	return append(pages, "/overview", "/overview?over=7d")
}

// awaitCounts waits until what was called is written down, which the server does once a second.
func (p *program) awaitCounts(admin string) {
	p.t.Helper()
	visitor := newSite(p.t, p.url).signIn(admin)
	limit := time.After(20 * time.Second)
	for again := time.Tick(100 * time.Millisecond); ; {
		if strings.Contains(visitor.page("/overview"), `href="/effects?tool=payments.transfer"`) {
			return
		}
		select {
		case <-again:
		case <-limit:
			p.t.Fatal("the overview never counts what was called")
		}
	}
}

// record is an effect as the API tells it.
type record struct {
	State  string
	Fence  int64
	Digest string `json:"arguments_digest"`
}

func (p *program) effect(key, id string) (e record) {
	p.t.Helper()
	status, text := p.send("GET", "/v1/effects/"+id, "", key)
	if err := json.Unmarshal([]byte(text), &e); err != nil || status != 200 {
		p.t.Fatalf("an effect answers %d %s: %v", status, text, err)
	}
	return e
}

// decide has somebody decide through the API on what is recorded now.
func (p *program) decide(key string, a answer, choice string) {
	p.t.Helper()
	e := p.effect(key, a.Effect.ID)
	status, text := p.send("POST", "/v1/reviews/"+strings.Replace(a.Effect.ID, "ef_", "rv_", 1)+"/decide",
		fmt.Sprintf(`{"decision": %q, "fence": %d, "digest": %q, "reason": "seen"}`, choice, e.Fence, e.Digest), key)
	if status != 200 {
		p.t.Fatalf("a decision answers %d %s", status, text)
	}
}
