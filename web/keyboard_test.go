package web

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// useNoPointer goes through a reviewer's day with nothing but keys, and sees at each step where it is.
func useNoPointer(in context.Context, p *program) {
	for n := range 3 {
		p.refund(fmt.Sprintf("K-%d", n))
	}
	const call, edited = `{"to": "keys-1", "amount": 900}`, `{"to": "keys-1", "amount": 450}`
	p.transfer(call)
	b := open(p.t, in, p.url)
	b.visit("/review")
	b.await(`document.activeElement.id === "key"`)
	b.keys(p.key("reviewer", "rita")+"\r", "#queue")

	b.tabTo(".skip")
	b.keys("\r", "#queue")
	b.keys("\t", "#queue")
	b.await(`document.activeElement.closest("main") !== null`)
	b.keys("?", "#keys[open]")
	b.keys("\x1b", "#queue")
	b.run(chromedp.WaitNotVisible(css("#keys")))
	b.keys("jjk", "#queue")
	b.await(`document.activeElement.textContent === "payments.transfer"`)
	b.keys("\r", ".decision")

	b.keys("r", ".decision")
	b.await(`document.activeElement.value === "reject"`)
	b.tabTo("#edit summary")
	b.keys("\r", "#edit[open] #edited")
	b.tabTo("#edited")
	b.run(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.keys(edited, "#edited")
	b.tabTo(`button[value="edit"]`)
	b.keys("\r", ".notice")
	p.replayed(call, edited)
	p.sentOnce("keys-1", edited)

	b.tabTo(`nav a[href="/effects"]`)
	b.keys("\r", "#effects")
	b.strike("/")
	b.await(`document.activeElement.name === "q"`)
	b.keys("keys-1\r", ".clear")
	b.keys("jj", "#effects") // the newer one says that a call as it was edited is the same
	b.keys("\r", "#effect")
	b.reads("#effect", "done", "450")

	b.tabTo(`nav a[href="/review"]`)
	b.keys("\r", "#queue")
	for range 2 {
		b.tabTo(".group input[type=checkbox]:not(:checked)")
		b.keys(" ", ".group")
	}
	b.tabTo(".group [name=reason]")
	b.keys("twice today", ".group")
	b.tabTo(`.group button[value="reject"]`)
	b.keys("\r", ".notice")
	b.reads(".notice", "Rejected. 2 reviews.")
	b.tabTo(".who button")
	b.keys("\r", "#key")
}

// keys presses keys, and waits for what is to be seen then, and for the script of the page on which it is.
func (b *tab) keys(keys, wait string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys), chromedp.WaitVisible(css(wait)))
	b.await(`document.readyState === "complete"`)
}

// strike presses a key as a keyboard does: where the page keeps it for itself, it writes nothing. Other than chromedp.KeyEvent, which
// sends the character in any case.
func (b *tab) strike(key string) {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
		if err == nil {
			_, err = cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
		}
		return err
	}))
}

// mostStops is more than the elements of a page that can have the focus.
const mostStops = 150

// tabTo presses Tab until an element has the focus. Whatever has it on the way must be in sight and show that it has it.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range mostStops {
		b.run(chromedp.KeyEvent("\t"))
		if fault := eval[string](b, focusFault); fault != "" {
			b.t.Errorf("on the way to %s: %s", selector, fault)
		}
		if eval[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	b.t.Fatalf("Tab never comes to %s", selector)
}

// focusFault is what is wrong with the element that has the focus (WCAG 2.2, 2.4.7, 2.4.11 and 1.4.11); "" for nothing.
const focusFault = `(() => {` + contrast + `
  const e = document.activeElement;
  if (e === document.body) return ''; // between the last and the first
  const box = e.getBoundingClientRect(), style = getComputedStyle(e), name = e.outerHTML.slice(0, 80);
  if (!e.checkVisibility() || box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return 'out of sight: ' + name;
  const at = document.elementFromPoint(Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1));
  if (at && !e.contains(at) && !at.contains(e) && !e.labels?.length && !e.closest('.item, .chip')) return 'covered by ' + at.outerHTML.slice(0, 80) + ': ' + name;
  const edge = e.closest('.editor');
  if (edge) return contrast(getComputedStyle(edge).borderColor, edge.parentElement) < 3 ? 'the border hardly shows: ' + name : '';
  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return 'nothing shows that it has the focus: ' + name;
  return contrast(style.outlineColor, e.parentElement) < 3 ? 'the outline hardly shows: ' + name : '';
})()`
