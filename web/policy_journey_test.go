package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard"
)

// policyScreens are the policy editor with much to show.
func policyScreens(t *testing.T) []screen {
	t.Helper()
	busy := newHouse(t, day(t, dayRules(t)), func(c *Config) { c.Policies = dayRules(t) })
	return []screen{
		{name: "policy-kept", house: editorHouse(t, newFake(), adasKey), path: "/policies/pay.kept?version=5", key: adasKey},
		{name: "policy-defect", house: newHouse(t, newFake(), func(c *Config) { c.Policies = rules{set: defective()} }), path: "/policies/pay", key: adasKey},
		{name: "policy-backtest", house: busy, path: "/policies/payments.refund", key: adasKey, do: backtestStricter},
		{name: "policy-conflict", house: overtaken(t), path: "/policies/pay.kept", key: adasKey, do: func(b *tab) {
			b.draft("    mode: warn", "    mode: enforce")
			b.press(`button[value="save"]`, "[role=alert]")
		}},
	}
}

// backtestStricter asks what would be if refunds above 30 needed a person.
func backtestStricter(b *tab) {
	b.draft("> 500.0", "> 30.0")
	b.press(`button[value="backtest"]`, "#h-backtest")
}

// draft opens the editor and puts one text in place of another.
func (b *tab) draft(old, new string) {
	b.t.Helper()
	b.run(chromedp.Click(css("#workbench summary")), chromedp.WaitVisible(css("#draft")))
	b.retype(old, new)
}

// retype changes the draft as if a person had typed.
func (b *tab) retype(old, new string) {
	b.t.Helper()
	text := eval[string](b, `document.getElementById("draft").value`)
	if !strings.Contains(text, old) {
		b.t.Fatalf("the draft lacks %q:\n%s", old, text)
	}
	b.run(chromedp.SetValue(css("#draft"), strings.Replace(text, old, new, 1)), chromedp.SendKeys(css("#draft"), "\n"))
}

// overtaken is a house in which somebody saves a version while another one is edited.
func overtaken(t *testing.T) *house {
	f := newFake()
	h := editorHouse(t, f, adasKey)
	f.refusal = &guard.Error{Code: guard.CodeConflict, Message: "another version has been written since: 9 stands and not 8; look at it and decide anew"}
	theirs := f.versions[0]
	theirs.Number, theirs.Author, theirs.Reason, theirs.Text = 9, "grace", "Orders are watched for a week only.", keptText+"    window: 168h\n"
	f.overtaken = []guard.PolicyVersion{theirs}
	return h
}

// propose has the agent ask for a call of a tool that it runs itself, and returns what the server answers.
func (p *program) propose(tool, arguments string) string {
	p.t.Helper()
	return p.call(`{"tool": "` + tool + `", "run": "ticket-1", "arguments": ` + arguments + `}`)
}

// TestPolicyEditor walks through the life of a policy, from the first draft to its end, with the program as it is shipped.
func TestPolicyEditor(t *testing.T) {
	in := start(t)
	p := startProgram(t)
	key := p.key("admin", "ada")
	for _, step := range []struct {
		name string
		do   func(p *program, ada, grace *tab)
	}{{"draft, try, backtest, save", writeFirstPolicy}, {"conflict, versions, way back, end", editTogether}, {"policy of a file", lookAtFiledPolicy}} {
		t.Run(step.name, func(t *testing.T) {
			p := *p
			p.t = t
			ada, grace := open(t, in, p.url), open(t, in, p.url)
			ada.signIn(key)
			grace.signIn(p.key("admin", "grace"))
			step.do(&p, ada, grace)
		})
		if t.Failed() {
			return // each step begins where the one before ends
		}
	}
}

func writeFirstPolicy(p *program, ada, _ *tab) {
	answers(p.t, p.propose("crm.note", `{"customer": "C-1", "text": "Wants a call back."}`), `"proceed"`)
	answers(p.t, p.propose("crm.note", `{"customer": "C-2", "text": "Has moved."}`), `"proceed"`)

	// From the list to a tool that no policy names, and to a first draft of it.
	ada.visit("/policies")
	ada.reads("main", "payments.refund", "refunds.yaml:3")
	ada.run(chromedp.SendKeys(css("[name=tool]"), "crm.note"))
	ada.press("main form button", "#draft")
	ada.reads("main", "Tools that no policy names are guarded")
	ada.retype("crm.note", "crm.note\n    rulez: []")
	ada.await(`document.querySelector('#problems [data-line="4"]')?.textContent === "line 4, column 5"`)
	ada.reads("#problems", `did you mean "rules"`)
	ada.await(`document.querySelector(".gutter b")?.textContent === "4"`)
	ada.retype("rulez: []", "arguments: {customer: {role: identity}, text: {role: commentary}}\n    rules: [{if: \"args.customer.startsWith('C-2')\", then: hold, why: Ask first.}]")
	ada.await(`document.querySelector("#problems .good") !== null && document.querySelector(".gutter b") === null`)

	// Two calls: the draft takes them for one, and what is inferred as long as there is no policy does not.
	ada.run(chromedp.SetValue(css("[name=earlier]"), `{"customer": "C-1", "text": "a"}`), chromedp.SetValue(css("[name=now]"), `{"customer": "C-1", "text": "b"}`))
	ada.press(`button[value="try"]`, "#verdict .reason")
	ada.reads("#verdict", "Judged by the draft", "The same effect", "allowed", "Under the policy in force: two effects on the same thing")
	ada.retype("text: {role: commentary}", "text: {role: comment}")
	ada.await(`document.querySelector("#verdict [data-line]") !== null`)
	ada.reads("#verdict", "The draft cannot be loaded, so it judges nothing", "line ")
	ada.retype("text: {role: comment}", "text: {role: commentary}")
	ada.await(`document.querySelector("#verdict .reason") !== null`)

	ada.press(`button[value="backtest"]`, "#h-backtest")
	ada.await(`location.hash === "#backtest"`)
	ada.reads("#backtest", "Of 2 calls of the last 7 days 1 would now be held", "customer=C-2", "Ask first.")
	ada.retype("Ask first.", "Ask the team first.")
	ada.run(chromedp.WaitVisible(css("#outdated")))

	ada.press(`button[value="save"]`, "main [role=alert]")
	ada.reads("main [role=alert]", "The reason is missing")
	number := ada.save("Notes on C-2 are read by the customer.")
	ada.reads("main", "ledger:crm.note@"+number, "Ask the team first.")
	answers(p.t, p.propose("crm.note", `{"customer": "C-21", "text": "Has moved."}`), `"code":"held"`)
}

// editTogether has two people at one policy, the first of whom goes back to what stood before.
func editTogether(p *program, ada, grace *tab) {
	ada.visit("/policies/crm.note")
	grace.visit("/policies/crm.note")
	grace.draft("Ask the team first.", "Ask grace first.")
	ada.draft("then: hold", "then: deny")
	theirs := grace.save("I know them.")
	ada.run(chromedp.SetValue(css("[name=reason]"), "Enough is enough."))
	ada.press(`button[value="save"]`, "#h-theirs")
	ada.reads("main [role=alert]", "Not saved")
	ada.reads(".theirs", "Version "+theirs+" by grace", "I know them.", "-", "Ask grace first.", "+", "then: deny")
	ours := ada.save("Both of us agree now.")
	answers(p.t, p.propose("crm.note", `{"customer": "C-22", "text": "Has moved."}`), `"code":"denied"`)

	ada.reads("main", "Version "+ours+" in force", "by grace", "Notes on C-2 are read by the customer.")
	ada.run(chromedp.Click(css("#versions li:nth-child(2) summary")))
	ada.reads("#versions li:nth-child(2) .diff", "-", "Ask the team first.", "+", "Ask grace first.")
	ada.run(chromedp.Click(css("#versions li:nth-child(3) summary")))
	ada.press(`#versions li:nth-child(3) a[href*="version="]`, "#draft")
	ada.await(`document.querySelector("[name=reason]").value.startsWith("Back to version ")`)
	ada.press(`button[value="save"]`, "main [role=status].notice")
	answers(p.t, p.propose("crm.note", `{"customer": "C-23", "text": "Has moved."}`), `"code":"held"`)

	ada.visit("/policies/crm.note") // without the notice of what was saved
	ada.run(chromedp.Click(css("#workbench summary")), chromedp.SetValue(css("[name=reason]"), "It was a trial."))
	ada.press(`button[value="delete"]`, "main [role=status].notice")
	ada.reads("main", "has ended the policy", "Tools that no policy names are guarded")
}

// lookAtFiledPolicy drafts a change of what is written in a file, and finds no way to save it.
func lookAtFiledPolicy(p *program, ada, _ *tab) {
	ada.visit("/policies/payments.refund")
	ada.reads("main", "refunds.yaml:3", "It is written in a file")
	if n := eval[int](ada, `document.querySelectorAll('button[value="save"], button[value="delete"]').length`); n != 0 {
		p.t.Errorf("a policy of a file has %d buttons that would change it", n)
	}
	answers(p.t, p.refund("A-1"), `"blocked"`)
	ada.draft("then: hold", "then: deny")
	ada.press(`button[value="backtest"]`, "#h-backtest")
	ada.reads("#backtest", "Of 1 call of the last 7 days 1 would now be denied")
}

// save gives a reason and saves the draft, and returns the number of the version.
func (b *tab) save(reason string) string {
	b.t.Helper()
	b.run(chromedp.SetValue(css("[name=reason]"), reason))
	b.press(`button[value="save"]`, "main [role=status].notice")
	said := b.text("main [role=status].notice")
	number, _, found := strings.Cut(strings.TrimPrefix(said, "Version "), " is in force")
	if !found {
		b.t.Fatalf("after the draft was saved the page says %q", said)
	}
	return number
}

// reads fails unless a person reads all texts in an element, in this order.
func (b *tab) reads(selector string, texts ...string) {
	b.t.Helper()
	all := b.text(selector)
	rest := all
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			b.t.Errorf("%s lacks %q:\n%s", selector, text, all)
			return
		}
		rest = after
	}
}

// The editor without scripts, on a narrow screen and in the dark.
func TestPolicyEditorForEveryReader(t *testing.T) {
	in := start(t)
	for _, light := range []string{"light", "dark"} {
		for _, s := range policyScreens(t)[1:] {
			t.Run(s.name+"/"+light, func(t *testing.T) {
				b := open(t, in, s.house.srv.URL)
				b.media("prefers-color-scheme", light)
				b.narrow()
				b.signIn(s.key)
				b.visit(s.path)
				if s.do != nil {
					s.do(b)
				}
				if found := eval[[]string](b, faint); len(found) > 0 {
					t.Errorf("not legible: %q", found)
				}
				if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
					t.Errorf("it is %d pixels too wide", over)
				}
			})
		}
	}
	t.Run("without scripts", func(t *testing.T) {
		f := newFake(lastWeek("A-1 900", "A-2 20")...)
		b := open(t, in, newHouse(t, f, func(c *Config) { c.Policies = dayRules(t) }).srv.URL)
		b.noScripts()
		b.visit("/signin")
		b.run(chromedp.SendKeys(css("#key"), ritasKey+"\r"), chromedp.WaitVisible(css("#queue")))
		b.visit("/policies/payments.refund")
		b.run(chromedp.Click(css("#workbench summary")), chromedp.SetValue(css("#draft"), backtestForm("> 500.0", "> 10.0").Get("draft")))
		b.press(`button[value="backtest"]`, "#h-backtest")
		b.reads("#backtest", "Of 2 calls of the last 7 days 1 would now be held")

		f.shown = guard.Explained{Canonical: `{"order_id":"A-1","amount":20}`}
		b.run(chromedp.SetValue(css("[name=now]"), `{"order_id":"A-1","amount":20}`))
		b.press(`button[value="try"]`, "#verdict .after")
		b.await(`location.hash === "#verdict" && document.querySelector("#verdict").getBoundingClientRect().top < innerHeight`)
		b.reads("#verdict", "Judged by the draft", "held", "Under the policy in force the call is allowed.")
		b.await(`document.querySelector("#draft").value.includes("> 10.0") && document.querySelector("#workbench").open`)
	})
}
