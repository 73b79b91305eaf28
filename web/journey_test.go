package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard"
)

// obey makes a fake do what is decided, as the guard would.
func (f *fake) obey() *fake {
	f.decide = func(j guard.Judgement) (guard.Effect, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range f.effects {
			e := &f.effects[i]
			if e.ID != j.Effect {
				continue
			}
			if e.Fence != j.Fence || j.Digest != e.ArgumentsDigest() {
				return guard.Effect{}, &guard.Error{Code: guard.CodeStaleFence, Message: "somebody has decided since", Effect: e}
			}
			from := e.State
			e.Fence, e.Review = e.Fence+1, ""
			switch j.Choice {
			case guard.Approve, guard.Happened:
				e.State = guard.Done
			case guard.Reject:
				e.State = guard.Refused
			default:
				e.State = guard.Failed
			}
			e.Events++
			f.events[e.ID] = append(f.events[e.ID], guard.Event{Seq: e.Events, Kind: guard.EventResolved, From: from, To: e.State, Fence: e.Fence,
				Actor: guard.Actor{Kind: "reviewer", Name: "ada"}})
			return *e, nil
		}
		return guard.Effect{}, &guard.Error{Code: guard.CodeNotFound}
	}
	return f
}

// add puts an effect on top and tells it.
func (f *fake) add(e guard.Effect) {
	f.mu.Lock()
	f.effects = slices.Insert(f.effects, 0, e)
	f.mu.Unlock()
	f.changes <- e.ID
}

func (f *fake) decisions() []guard.Judgement {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.judged)
}

func TestJourneys(t *testing.T) {
	in := start(t)
	for _, j := range []struct {
		name string
		do   func(*testing.T, context.Context)
	}{
		{"approve with the keyboard", approveByKeys}, {"reject with a reason", rejectWithReason}, {"settle an unknown effect", settleUnknown},
		{"edit and run", editAndRunIt}, {"stale decision", decideTooLate}, {"batch", decideMany}, {"agent's key", agentAtTheDoor},
		{"live row", seeLiveRow}, {"changed meanwhile", seeChange}, {"server restarts", outliveRestart}, {"without scripts", withoutScripts},
		{"hostile texts", readHostileTexts}, {"narrow", fitNarrow}, {"light and dark", readInBothLights}, {"keys", moveByKeys},
	} {
		t.Run(j.name, func(t *testing.T) { j.do(t, in) })
	}
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

// press clicks a button and waits for the page that follows.
func (b *tab) press(selector, wait string) {
	b.t.Helper()
	b.run(chromedp.Click(css(selector)), chromedp.WaitVisible(css(wait)))
}

func approveByKeys(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{"order_id":"A-1"}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.visit("/review/rv_1") // leads to the sign-in, and from there back
	b.run(chromedp.SendKeys(css("#key"), ritasKey+"\r"), chromedp.WaitVisible(css(".decision")))
	b.run(chromedp.KeyEvent("a"))
	b.await(`document.activeElement.value === "approve"`)
	b.run(chromedp.KeyEvent("\r"), chromedp.WaitVisible(css(".notice")))
	if got := b.text(".notice"); !strings.HasPrefix(got, "Approved.") {
		t.Errorf("the page says %q", got)
	}
	if d := f.decisions(); len(d) != 1 || d[0].Choice != guard.Approve {
		t.Errorf("decided %+v", d)
	}
	if got := b.text("#queue h2"); got != "Nothing waits for you" {
		t.Errorf("the queue says %q", got)
	}
}

func rejectWithReason(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.visit("/review/rv_1")
	b.run(chromedp.SendKeys(css("#reason"), "refunded by phone"))
	b.press(`button[value="reject"]`, ".notice")
	if d := f.decisions(); len(d) != 1 || d[0].Choice != guard.Reject || d[0].Reason != "refunded by phone" {
		t.Errorf("decided %+v", d)
	}
}

func settleUnknown(t *testing.T, in context.Context) {
	f := newFake(sentOff("ef_2", `{}`), sentOff("ef_1", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.visit("/review/rv_1")
	b.run(chromedp.Click(css(".choice summary")), chromedp.SendKeys(css("#result-happened"), `{"id": 7}`))
	b.press(`button[value="happened"]`, ".notice")
	b.visit("/review/rv_2")
	b.press(`button[value="did_not_happen"]`, ".notice")
	d := f.decisions()
	if len(d) != 2 || string(d[0].Result) != `{"id": 7}` || d[1].Choice != guard.DidNotHappen || d[1].Result != nil {
		t.Errorf("decided %+v", d)
	}
}

func editAndRunIt(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{"amount":900}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.visit("/review/rv_1")
	b.run(chromedp.Click(css("#edit summary")), chromedp.SetValue(css("#edited"), `{"amount":500}`))
	b.press(`button[value="edit"]`, ".notice")
	if d := f.decisions(); len(d) != 1 || d[0].Choice != guard.Approve || string(d[0].Arguments) != `{"amount":500}` {
		t.Errorf("decided %+v", d)
	}
}

func decideTooLate(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.expect("409")
	b.signIn(ritasKey)
	b.visit("/review/rv_1")
	d := f.effects[0]
	if _, err := f.decide(guard.Judgement{Effect: "ef_1", Choice: guard.Reject, Fence: 1, Digest: d.ArgumentsDigest()}); err != nil {
		t.Fatal(err)
	}
	b.press(`button[value="approve"]`, "[role=alert]")
	if got := b.text("main"); !strings.Contains(got, "Nothing was decided") || !strings.Contains(got, "ada") || !strings.Contains(got, "refused") {
		t.Errorf("the page says %q", got)
	}
}

func decideMany(t *testing.T, in context.Context) {
	f := newFake().obey()
	for i := range 4 {
		f.effects = append(f.effects, held(fmt.Sprintf("ef_%d", 9-i), fmt.Sprintf(`{"order_id":"A-%d"}`, i)))
	}
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	for _, id := range []string{"ef_9", "ef_7"} {
		b.run(chromedp.Click(css(`input[value^="` + id + ` "]`)))
	}
	b.run(chromedp.SendKeys(css(".batch input"), "too many"))
	f.add(held("ef_99", `{"order_id":"A-9"}`)) // the first of the group from now on
	b.await(`document.querySelectorAll("[data-row]").length === 5`)
	b.press(`button[value="reject"]`, ".notice")
	if got := b.text(".notice"); got != "Rejected. 2 reviews." {
		t.Errorf("the page says %q", got)
	}
	if d := f.decisions(); len(d) != 2 || d[0].Effect != "ef_9" || d[1].Effect != "ef_7" || d[0].Reason != "too many" {
		t.Errorf("decided %+v", d)
	}
}

func agentAtTheDoor(t *testing.T, in context.Context) {
	b := open(t, in, newHouse(t, newFake()).srv.URL)
	b.expect("403")
	b.visit("/signin")
	b.run(chromedp.SendKeys(css("#key"), botsKey+"\r"), chromedp.WaitVisible(css("[role=alert]")))
	if got := b.text("[role=alert]"); !strings.Contains(got, "An agent's key proposes calls") {
		t.Errorf("the page says %q", got)
	}
	if eval[string](b, `document.cookie`) != "" {
		t.Error("scripts can read a cookie")
	}
}

// eventToPage is the most time from a change in the ledger to what a person sees of it.
const eventToPage = 300 * time.Millisecond

func seeLiveRow(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`), held("ef_0", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.await(`document.querySelectorAll("[data-row]").length === 2`)
	b.run(chromedp.KeyEvent("j"))
	best := time.Hour // of several, because other tests want the processor too
	for n := 3; n <= 6; n++ {
		at := time.Now()
		f.add(held(fmt.Sprintf("ef_%d", n-1), `{"order_id":"LIVE"}`))
		b.await(fmt.Sprintf(`document.querySelectorAll("[data-row]").length === %d`, n))
		best = min(best, time.Since(at))
	}
	if t.Logf("from the event to the page: %s", best.Round(time.Millisecond)); best > eventToPage {
		t.Errorf("a row comes %s after its event, want at most %s", best, eventToPage)
	}
	b.await(`document.title.startsWith("(6)") && document.getElementById("waiting").textContent.startsWith("6")`)
	b.await(`document.activeElement.matches('a[href="/review/rv_1"]')`) // where the reader was
}

func seeChange(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.visit("/review/rv_1")
	b.run(chromedp.SendKeys(css("#reason"), "half a thou"))
	f.changes <- "ef_other"
	f.changes <- "ef_1"
	b.run(chromedp.WaitVisible(css("#changed")))
	if got := eval[string](b, `document.getElementById("reason").value`); got != "half a thou" {
		t.Errorf("what was typed is %q now", got)
	}
}

func outliveRestart(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`)).obey()
	h := newHouse(t, f)
	b := open(t, in, h.srv.URL)
	b.expect("net::ERR_")
	b.signIn(ritasKey)
	b.await(`document.querySelectorAll("[data-row]").length === 1`)
	address := h.srv.Listener.Addr().String()
	if err := h.srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	h.srv.CloseClientConnections()
	b.run(chromedp.WaitVisible(css("#offline")))
	f.mu.Lock()
	f.effects = slices.Insert(f.effects, 0, held("ef_2", `{}`))
	f.mu.Unlock()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	again := &httptest.Server{Listener: l, Config: &http.Server{Handler: h.srv.Config.Handler}}
	again.Start()
	t.Cleanup(func() {
		again.CloseClientConnections()
		again.Close()
	})
	b.await(`document.querySelectorAll("[data-row]").length === 2 && document.getElementById("offline").hidden`)
}

// noScripts makes the page one of a browser that runs none.
func (b *tab) noScripts() {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

func withoutScripts(t *testing.T, in context.Context) {
	f := newFake(held("ef_1", `{}`)).obey()
	b := open(t, in, newHouse(t, f).srv.URL)
	b.noScripts()
	b.visit("/signin")
	b.run(chromedp.SendKeys(css("#key"), ritasKey+"\r"), chromedp.WaitVisible(css(".item")))
	b.press(".item a", ".decision")
	if got := b.text("time"); !strings.HasSuffix(got, "UTC") {
		t.Errorf("a time without scripts is %q", got)
	}
	b.press(`button[value="approve"]`, ".notice")
	if len(f.decisions()) != 1 {
		t.Error("nothing was decided")
	}
}

// readHostileTexts shows all texts in the queue, and then all as the arguments of one call beside an earlier one.
func readHostileTexts(t *testing.T, in context.Context) {
	f := newFake()
	for i, text := range hostile {
		f.effects = append(f.effects, mean(fmt.Sprintf("ef_%02d", 99-i), text))
	}
	arguments := map[string]string{}
	for _, text := range hostile {
		arguments[text] = text
	}
	all, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	now, earlier := held("ef_2", string(all)), held("ef_1", strings.ReplaceAll(string(all), "alert", "prompt"))
	now.Related = "ef_1"
	f.effects = append(f.effects, now, earlier)
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	for _, path := range []string{"/review", "/review/rv_2", "/review/rv_99"} {
		b.visit(path)
		if n := eval[int](b, `document.querySelectorAll("script, iframe, base, object, embed, svg").length`); n != 1 {
			t.Errorf("%s has %d elements that run or load something, want its one script", path, n)
		}
	}
}

// screens are the pages of the review with believable content.
var screens = []string{"/review", "/review/rv_40", "/review/rv_39", "/review/rv_20", "/review/rv_20/value?of=now&argument=note"}

func fitNarrow(t *testing.T, in context.Context) {
	b := open(t, in, newHouse(t, believable()).srv.URL)
	b.narrow()
	b.signIn(ritasKey)
	for _, path := range screens {
		b.visit(path)
		if width := eval[int](b, `document.documentElement.scrollWidth`); width > 360 {
			t.Errorf("%s is %d pixels wide", path, width)
		}
	}
}

// faint finds texts whose colour is too close to that of their ground (WCAG 2.2, 1.4.3), and controls without a name (4.1.2).
const faint = `(() => {
  const number = (s) => s.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode()); ) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || e.closest('.unseen, .skip')) continue;
    const style = getComputedStyle(e), a = light(number(style.color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
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

func readInBothLights(t *testing.T, in context.Context) {
	h := newHouse(t, believable())
	for _, light := range []string{"light", "dark"} {
		b := open(t, in, h.srv.URL)
		b.media("prefers-color-scheme", light)
		b.signIn(ritasKey)
		for _, path := range screens {
			b.visit(path)
			if found := eval[[]string](b, faint); len(found) > 0 {
				t.Errorf("%s in %s: %q", path, light, found)
			}
		}
	}
}

func moveByKeys(t *testing.T, in context.Context) {
	f := newFake(held("ef_2", `{}`), sentOff("ef_1", `{}`))
	b := open(t, in, newHouse(t, f).srv.URL)
	b.signIn(ritasKey)
	b.run(chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"))
	b.await(`document.activeElement.getAttribute("href") === "/review/rv_2"`)
	b.run(chromedp.KeyEvent("?"), chromedp.WaitVisible(css("#keys[open]")), chromedp.KeyEvent("\x1b"), chromedp.WaitNotVisible(css("#keys")))
	b.run(chromedp.KeyEvent("\r"), chromedp.WaitVisible(css(".decision")))
	if got := ask(b, chromedp.Location()); !strings.HasSuffix(got, "/review/rv_2") {
		t.Errorf("Enter leads to %s", got)
	}
}
