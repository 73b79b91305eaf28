package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// isAccessible fails unless everybody can read and use the page, as far as a program can tell. All of it is unfolded first.
func (b *tab) isAccessible(where string) {
	b.t.Helper()
	eval[int](b, `document.querySelectorAll("details").forEach((d) => { d.open = true }), 0`)
	for _, found := range slices.Concat(eval[[]string](b, faint), eval[[]string](b, disorder), b.unnamed()) {
		b.t.Errorf("%s: %s", where, found)
	}
	if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %d pixels too wide", where, over)
	}
}

// contrast is the contrast of two colours, and the ground that a thing stands on (WCAG 2.2, relative luminance and contrast ratio).
const contrast = `
  const number = (s) => s.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  const contrast = (colour, e) => { const a = light(number(colour)), b = light(ground(e)); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
`

// faint finds texts whose colour is too close to that of their ground (WCAG 2.2, 1.4.3), and controls without a name (4.1.2).
const faint = `(() => {` + contrast + `
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode()); ) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || e.closest('.unseen, .skip')) continue;
    const style = getComputedStyle(e), ratio = contrast(style.color, e);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) found.push(n.data.trim().slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  for (const e of document.querySelectorAll('a, button, input:not([type=hidden]), textarea, select')) {
    const name = e.ariaLabel || e.textContent.trim() || [...(e.labels ?? [])].map((l) => l.textContent.trim()).join('');
    if (!name) found.push('no name: ' + e.outerHTML.slice(0, 80));
  }
  const heads = [...document.querySelectorAll('h1')].length;
  if (heads !== 1) found.push(heads + ' h1');
  return found;
})()`

// disorder finds headings that skip a level (WCAG 2.2, 1.3.1), a page without a language, a title or its one main part (2.4.1), and an
// order of focus that is not that of reading (2.4.3): in what is beneath each other, nothing comes before what is above it.
const disorder = `(() => {
  const found = [], named = new Set();
  for (const e of document.querySelectorAll('[id]')) named.has(e.id) ? found.push('two elements are #' + e.id) : named.add(e.id);
  for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
    for (const id of ((e.getAttribute('aria-labelledby') ?? '') + ' ' + (e.getAttribute('aria-describedby') ?? '')).trim().split(/\s+/))
      if (!named.has(id)) found.push('nothing is #' + id);
  if (!document.documentElement.lang || !document.title || document.querySelectorAll('main').length !== 1) found.push('no language, no title, or not one main part');
  let level = 0;
  for (const h of document.querySelectorAll('main h1, main h2, main h3, main h4')) {
    if (!h.checkVisibility()) continue;
    if (+h.tagName[1] > level + 1) found.push(h.tagName + ' follows H' + level + ': ' + h.textContent.trim());
    level = +h.tagName[1];
  }
  const shown = (e) => { // the part of its first line that is not cut off by something that scrolls
    const r = e.getClientRects()[0];
    let { top, bottom, left, right } = r ?? { top: 0, bottom: 0, left: 0, right: 0 };
    for (let p = e.parentElement; p; p = p.parentElement) {
      if (getComputedStyle(p).overflowY === 'visible') continue;
      const c = p.getBoundingClientRect();
      [top, bottom, left, right] = [Math.max(top, c.top), Math.min(bottom, c.bottom), Math.max(left, c.left), Math.min(right, c.right)];
    }
    return { e, top, bottom, left, right };
  };
  const stops = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')];
  for (const e of stops) if (e.tabIndex > 0) found.push('tabindex ' + e.tabIndex + ': ' + e.outerHTML.slice(0, 80));
  const way = stops.filter((e) => e.closest('main') && e.tabIndex === 0 && !e.disabled && e.checkVisibility()).map(shown).filter((r) => r.bottom > r.top && r.right > r.left);
  way.forEach((later, n) => {
    const above = way.slice(0, n).find((r) => later.bottom <= r.top + 1 && Math.min(later.right, r.right) > Math.max(later.left, r.left) + 1);
    if (above) found.push('the focus goes up from ' + above.e.outerHTML.slice(0, 80) + ' to ' + later.e.outerHTML.slice(0, 80));
  });
  return found;
})()`

// needsName are the roles of what says nothing to somebody who does not see it, unless it has a name.
var needsName = []string{
	"RootWebArea", "button", "checkbox", "combobox", "dialog", "DisclosureTriangle", "figure", "heading", "image", "link", "listbox", "menuitem", "navigation",
	"option", "radio", "region", "searchbox", "textbox",
}

// unnamed finds what assistive technology would have no name for (WCAG 2.2, 4.1.2 and 1.1.1), as the browser itself computes it.
func (b *tab) unnamed() []string {
	b.t.Helper()
	tree := ask(b, func(ctx context.Context, t *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	var found []string
	named := 0
	for _, n := range tree.Nodes {
		role, name := axText(n.Role), axText(n.Name)
		switch {
		case n.Ignored || !slices.Contains(needsName, role):
		case strings.TrimSpace(name) == "":
			found = append(found, fmt.Sprintf("a %s without a name (node %d)", role, n.BackendDOMNodeID))
		default:
			named++
		}
	}
	if named < 4 { // the page itself, the skip link, the brand and a heading
		found = append(found, fmt.Sprintf("only %d things have a name: the test has lost its subject", named))
	}
	return found
}

func axText(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}
