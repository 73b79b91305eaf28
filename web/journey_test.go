package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

// TestJourneys walks through a reviewer's day with the program as it is shipped, on each kind of ledger. All journeys of a ledger share
// a server, and each has a tenant of its own.
func TestJourneys(t *testing.T) {
	in := start(t)
	journeys := []struct {
		name string
		do   func(context.Context, *program)
	}{
		{"sign in", signInByLink}, {"agent's key", agentAtTheDoor}, {"one's own call", lookAtOwnCall}, {"approve with the keyboard", approveByKeys}, {"edit and run", editAndRunIt},
		{"reject with a reason", rejectWithReason}, {"settle an unknown effect", settleBothWays}, {"stale decision", decideTooLate},
		{"batch", decideMany}, {"live row", seeLiveRow}, {"search", searchEffects}, {"stop a tool", stopTool},
		{"without scripts", withoutScripts}, {"nothing but keys", useNoPointer},
		{"hostile texts", readHostileTexts}, {"huge values", readHugeValues}, {"every state", readEveryState}, {"server restarts", outliveRestart},
	}
	walk := func(t *testing.T, p *program) {
		for n, j := range journeys {
			t.Run(j.name, func(t *testing.T) { j.do(in, p.of(t, fmt.Sprintf("firm-%d", n))) })
		}
	}
	t.Run("SQLite", func(t *testing.T) { walk(t, startProgram(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { walk(t, startProgram(t, "--ledger", servertest.Postgres(t))) })
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

// press clicks a button and waits for the page that follows.
func (b *tab) press(selector, wait string) {
	b.t.Helper()
	b.run(chromedp.Click(css(selector)), chromedp.WaitVisible(css(wait)))
}

// reviewer opens the queue for somebody who decides.
func (p *program) reviewer(in context.Context, name string) *tab {
	p.t.Helper()
	b := open(p.t, in, p.url)
	b.signIn(p.key("reviewer", name))
	return b
}

// follow is press in a part of a page that may be renewed at any moment: it finds and clicks at one stroke.
func (b *tab) follow(selector, wait string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelector(%q) !== null`, selector))
	eval[bool](b, fmt.Sprintf(`document.querySelector(%q).click(), true`, selector))
	b.run(chromedp.WaitVisible(css(wait)))
}

// openReview goes to the newest review.
func (b *tab) openReview() {
	b.t.Helper()
	b.follow(".item a", ".decision")
}

// rows waits until so many reviews are shown, without a reload.
func (b *tab) rows(n int) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelectorAll("[data-row]").length === %d`, n))
}

func review(a answer) string { return "/review/rv_" + strings.TrimPrefix(a.Effect.ID, "ef_") }

// sentOnce fails unless the bank got exactly these bytes, and one time, of all that is about an account.
func (p *program) sentOnce(account, body string) {
	p.t.Helper()
	if got := p.bank.received(`"` + account + `"`); !slices.Equal(got, []string{body}) {
		p.t.Errorf("the bank got %q, want %q once", got, body)
	}
}

// replayed fails unless an equal call is answered by what was sent before.
func (p *program) replayed(arguments, sent string) {
	p.t.Helper()
	a := p.transfer(arguments)
	if a.Decision != "replayed" || a.Effect.State != "done" || string(a.Result) != compact(`{"transferred": `+sent+`}`) {
		p.t.Errorf("%s gets %s, %s, %s", arguments, a.Decision, a.Effect.State, a.Result)
	}
}

// compact is JSON without spaces, as it is in answers.
func compact(text string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return err.Error()
	}
	return b.String()
}

func signInByLink(in context.Context, p *program) {
	b := open(p.t, in, p.url)
	b.visit(p.link)
	b.isAccessible("a link that signs in")
	b.press("main button", "#queue")
	if eval[string](b, `document.cookie`) != "" {
		p.t.Error("scripts can read a cookie")
	}
	b.press(".who button", "#key")
	b.visit("/effects") // leads to the sign-in
	b.run(chromedp.WaitVisible(css("#key")))
}

func agentAtTheDoor(in context.Context, p *program) {
	b := open(p.t, in, p.url)
	b.expect("403")
	b.visit("/signin")
	b.run(chromedp.SendKeys(css("#key"), p.agent+"\r"), chromedp.WaitVisible(css("[role=alert]")))
	b.reads("[role=alert]", "An agent's key proposes calls")
	b.visit("/review")
	b.run(chromedp.WaitVisible(css("#key")))
}

// lookAtOwnCall shows a call to a reviewer of the same subject as the agent, who can do nothing about it.
func lookAtOwnCall(in context.Context, p *program) {
	asked := p.read(p.refund("O-1"))
	b := p.reviewer(in, "support")
	b.reads("#queue", "your own call")
	b.visit(review(asked))
	b.reads("main", "Another person must decide")
	if n := eval[int](b, `document.querySelectorAll("main button").length`); n != 0 {
		p.t.Errorf("there are %d buttons", n)
	}
	b.isAccessible("one's own call")
}

func approveByKeys(in context.Context, p *program) {
	const call = `{"to": "approve-1", "amount": 900.50, "note": "as agreed"}`
	asked := p.transfer(call)
	b := open(p.t, in, p.url)
	b.visit(review(asked)) // leads to the sign-in, and from there back
	b.run(chromedp.SendKeys(css("#key"), p.key("reviewer", "rita")+"\r"), chromedp.WaitVisible(css(".decision")))
	b.run(chromedp.KeyEvent("a"))
	b.await(`document.activeElement.value === "approve"`)
	b.run(chromedp.KeyEvent("\r"), chromedp.WaitVisible(css(".notice")))
	b.reads(".notice", "Approved.")
	b.reads("#queue h2", "Nothing waits for you")
	p.replayed(call, call)
	p.sentOnce("approve-1", call)
}

// editAndRunIt sends less than the agent asked for. What was asked for and what was sent are one effect.
func editAndRunIt(in context.Context, p *program) {
	const call = `{"to": "edit-1", "amount": 900}`
	asked := p.transfer(call)
	b := p.reviewer(in, "rita")
	b.visit(review(asked))
	b.run(chromedp.Click(css("#edit summary")))
	if shown := eval[string](b, `document.getElementById("edited").value`); compact(shown) != compact(call) {
		p.t.Errorf("what is to be edited is %q", shown)
	}
	b.run(chromedp.SetValue(css("#edited"), `{"to": "somebody else", "amount": 450}`))
	b.expect("400")
	b.press(`button[value="edit"]`, ".narrow h1")
	b.reads("main", "another thing than the call that was held")
	b.visit(review(asked))
	const edited = `{"to": "edit-1",  "amount": 450.00}`
	b.run(chromedp.Click(css("#edit summary")), chromedp.SetValue(css("#edited"), edited))
	b.press(`button[value="edit"]`, ".notice")
	p.replayed(call, edited)
	p.replayed(`{"to": "edit-1", "amount": 450}`, edited)
	p.sentOnce("edit-1", edited)
	b.visit(strings.Replace(review(asked), "/review/rv_", "/effects/ef_", 1))
	b.reads("#effect", "done", "450.00")
}

func rejectWithReason(in context.Context, p *program) {
	answers(p.t, p.refund("A-1"), `"blocked"`)
	b := p.reviewer(in, "rita")
	b.openReview()
	if told := eval[string](b, `document.querySelector('button[value="reject"]').parentElement.querySelector(".told").textContent`); !strings.Contains(told, "A person refused this call") {
		p.t.Errorf("the agent would be told %q", told)
	}
	b.run(chromedp.SendKeys(css("#reason"), "ask the customer first"))
	b.press(`button[value="reject"]`, ".notice")
	answers(p.t, p.refund("A-1"), "ask the customer first")
}

// settleBothWays says of one lost transfer that it happened, and of another one that it did not. Of a third one, which the agent ran
// itself, it orders another send.
func settleBothWays(in context.Context, p *program) {
	b := p.reviewer(in, "rita")
	for _, lost := range []struct{ to, choice, then, result string }{
		{"lost-1", "happened", "replayed", `{"id": 7}`}, {"lost-2", "did_not_happen", "forwarded", `{"transferred": {"to": "lost-2", "amount": 9}}`},
	} {
		call := `{"to": "` + lost.to + `", "amount": 9}`
		if a := p.transfer(call); a.Effect.State != "unknown" {
			p.t.Fatalf("a transfer that was lost is %+v", a)
		}
		if a := p.transfer(call); a.Decision != "blocked" {
			p.t.Errorf("an equal call gets %+v", a)
		}
		b.visit("/review")
		b.openReview()
		if lost.choice == "happened" {
			b.run(chromedp.Click(css(".choice summary")), chromedp.SendKeys(css("#result-happened"), lost.result))
		}
		b.press(`button[value="`+lost.choice+`"]`, ".notice")
		if a := p.transfer(call); a.Decision != lost.then || a.Effect.State != "done" || string(a.Result) != compact(lost.result) {
			p.t.Errorf("after %s an equal call gets %+v with %s", lost.choice, a, a.Result)
		}
	}
	const call = `{"order_id": "B-3", "amount": 9}`
	p.report(p.ask("payments.refund", call), `"status": "unknown", "error": "no answer"`)
	b.visit("/review")
	b.openReview()
	b.reads(".reason", "nobody knows")
	b.press(`button[value="send_again"]`, ".notice")
	p.report(p.ask("payments.refund", call), `"status": "done"`)
	if one, other := len(p.bank.received(`"lost-1"`)), len(p.bank.received(`"lost-2"`)); one != 1 || other != 2 {
		p.t.Errorf("the bank got the transfers %d and %d times", one, other)
	}
}

// decideTooLate has another reviewer approve a call while it is shown here.
func decideTooLate(in context.Context, p *program) {
	answers(p.t, p.refund("A-1"), `"blocked"`)
	b, other := p.reviewer(in, "robert"), p.reviewer(in, "rita")
	b.expect("409")
	b.openReview()
	b.run(chromedp.SendKeys(css("#reason"), "half a thou"))
	other.openReview()
	answers(p.t, p.refund("A-2"), `"blocked"`) // something else changes, too
	other.press(`button[value="approve"]`, ".notice")
	b.run(chromedp.WaitVisible(css("#changed")))
	if got := eval[string](b, `document.getElementById("reason").value`); got != "half a thou" {
		p.t.Errorf("what was typed is %q now", got)
	}
	b.press(`button[value="reject"]`, "[role=alert]")
	b.reads("main", "Nothing was decided", "approved", "rita")
	b.isAccessible("a stale decision")
	answers(p.t, p.refund("A-1"), `"proceed"`)
}

// decideMany rejects two calls that wait for the same reason at once, while another one joins them, and leaves the others.
func decideMany(in context.Context, p *program) {
	b := p.reviewer(in, "rita")
	orders := []string{"D-1", "D-2", "D-3", "D-4"}
	for _, order := range orders[:3] {
		answers(p.t, p.refund(order), `"blocked"`)
	}
	b.await(`document.querySelectorAll(".group [data-row]").length === 3`)
	for _, order := range orders[:2] {
		eval[bool](b, `[...document.querySelectorAll(".group [data-row]")].find((row) => row.textContent.includes("`+order+`")).querySelector("input").click(), true`)
	}
	b.run(chromedp.SendKeys(css(".batch input"), "not two at a time"))
	answers(p.t, p.refund(orders[3]), `"blocked"`) // the first of the group from now on
	b.rows(4)
	b.follow(`.batch button[value="reject"]`, ".notice")
	b.reads(".notice", "Rejected. 2 reviews.")
	for n, order := range orders {
		if rejected := strings.Contains(p.refund(order), "not two at a time"); rejected != (n < 2) {
			p.t.Errorf("%s was rejected: %v", order, rejected)
		}
	}
}

// eventToPage is the most time from a change in the ledger to what a person sees of it.
const eventToPage = 300 * time.Millisecond

func seeLiveRow(in context.Context, p *program) {
	b := p.reviewer(in, "rita")
	p.refund("L-1")
	p.refund("L-2")
	b.rows(2)
	b.run(chromedp.KeyEvent("j"), chromedp.KeyEvent("j"))
	at := eval[string](b, `document.activeElement.getAttribute("href")`)
	best := time.Hour // of several, because other tests want the processor too
	for n := 3; n <= 8; n++ {
		began := time.Now()
		p.refund(fmt.Sprintf("L-%d", n))
		b.rows(n)
		best = min(best, time.Since(began))
	}
	if p.t.Logf("from the call to the page: %s", best.Round(time.Millisecond)); best > eventToPage {
		p.t.Errorf("a row comes %s after its call, want at most %s", best, eventToPage)
	}
	b.await(`document.title.startsWith("(8)") && document.getElementById("waiting").textContent.startsWith("8")`)
	b.await(`document.activeElement.matches('a[href="` + at + `"]')`) // where the reader was
}

// noScripts makes the page one of a browser that runs none.
func (b *tab) noScripts() {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

func withoutScripts(in context.Context, p *program) {
	const call = `{"to": "plain-1", "amount": 900}`
	p.transfer(call)
	b := open(p.t, in, p.url)
	b.noScripts()
	b.visit("/signin")
	b.run(chromedp.SendKeys(css("#key"), p.key("reviewer", "rita")+"\r"), chromedp.WaitVisible(css(".item")))
	b.press(".item a", ".decision")
	if got := b.text("time"); !strings.HasSuffix(got, "UTC") {
		p.t.Errorf("a time without scripts is %q", got)
	}
	b.press(`button[value="approve"]`, ".notice")
	p.replayed(call, call)
	b.press(`nav a[href="/effects"]`, "#effects")
	b.run(chromedp.SetValue(css("[name=q]"), "plain-1"))
	b.press("form.filter button", ".clear")
	b.press("#effects [data-row] a", "#effect")
	b.reads("#effect", "done", "plain-1")
	b.press(`.who button`, "#key")
}

// outliveRestart starts the server anew under the same address. The page and its session go on.
func outliveRestart(in context.Context, p *program) {
	b := p.reviewer(in, "rita")
	b.expect("net::ERR_")
	b.await(`document.querySelector(".empty") !== null`)
	p.refund("R-1")
	b.rows(1)
	p.stop(p.t)
	b.run(chromedp.WaitVisible(css("#offline")))
	p.serve(p.t)
	answers(p.t, p.refund("R-2"), `"blocked"`)
	b.await(`document.querySelectorAll("[data-row]").length === 2 && document.getElementById("offline").hidden`)
	b.openReview()
	b.press(`button[value="approve"]`, ".notice")
	answers(p.t, p.refund("R-2"), `"proceed"`)
	answers(p.t, p.refund("R-1"), `"blocked"`)
}
