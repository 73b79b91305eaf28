package web

import (
	"context"

	"github.com/chromedp/chromedp"
)

// stopTool stops a tool from the overview, and allows it again.
func stopTool(in context.Context, p *program) {
	const call = `{"to": "stop-1", "amount": 5}`
	p.transfer(call)
	key := p.key("admin", "ada")
	p.awaitCounts(key)
	b := open(p.t, in, p.url)
	b.signIn(key)
	b.visit("/overview")
	b.follow(`.tools td a[href*="kind=tool"]`, ".stopper")
	b.await(`document.querySelector(".stopper [name=name]").value === "payments.transfer"`)
	b.run(chromedp.SendKeys(css(".stopper [name=reason]"), "wrong accounts"))
	b.press(`button[value="stop"]`, `button[value="allow"]`)
	b.reads("#switches", "payments.transfer", "stopped", "wrong accounts", "ada")
	const other = `{"to": "stop-2", "amount": 5}`
	answers(p.t, p.call(`{"tool": "payments.transfer", "run": "ticket-1", "arguments": `+other+`}`), "wrong accounts")
	p.replayed(call, call)
	b.press(`button[value="allow"]`, "#switches .mode:not(.stopped)")
	b.reads("#switches", "payments.transfer", "allowed")
	if a := p.transfer(other); a.Decision != "forwarded" {
		p.t.Errorf("a tool that is allowed again answers %+v", a)
	}
	p.sentOnce("stop-2", other)
}

// searchEffects finds an effect by what it is about, in a list that renews itself.
func searchEffects(in context.Context, p *program) {
	b := p.reviewer(in, "rita")
	b.visit("/effects")
	b.await(`document.querySelector(".empty") !== null`)
	p.refund("A-1")
	found := p.read(p.refund("Z-26"))
	b.rows(2)
	b.run(chromedp.KeyEvent("/"))
	b.await(`document.activeElement.name === "q"`)
	b.run(chromedp.SetValue(css("[name=q]"), "Z-2"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(css(".clear")))
	b.await(`location.search === "?q=Z-2" && document.readyState === "complete" && document.querySelectorAll("#effects [data-row]").length === 1`)
	b.run(chromedp.KeyEvent("j"))
	b.await(`document.activeElement.getAttribute("href") === "/effects/` + found.Effect.ID + `"`)
	b.follow("#effects [data-row] a", "#effect")
	b.reads("#effect", "held", "Z-26")
}
