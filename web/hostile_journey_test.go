package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/onceguard/onceguard/guard"
)

// readHostileTexts has an agent write each hostile text wherever it may write one, and looks at all pages that show it.
func readHostileTexts(in context.Context, p *program) {
	key := p.key("reviewer", "rita")
	visitor := newSite(p.t, p.url).signIn(key)
	paths := []string{"/review", "/effects"}
	for n, text := range hostile {
		a := p.write(n, text)
		p.report(a, `"status": "unknown", "error": `+literal(text)+`, "result": `+literal(map[string]string{text: text}))
		paths = append(paths, review(a), "/effects/"+a.Effect.ID, "/policies/x?suggest="+a.Effect.ID)
	}
	pair, want := p.writeAll()
	paths = append(paths, review(pair), "/effects/"+pair.Effect.ID)
	for _, path := range paths {
		if inert(p.t, visitor.page(path)); p.t.Failed() {
			p.t.Fatalf("%s is not inert", path)
		}
	}

	b := open(p.t, in, p.url)
	b.narrow()
	b.signIn(key)
	for _, path := range append(paths[:5:5], review(pair)) {
		b.visit(path)
		if n := eval[int](b, `document.querySelectorAll("script, iframe, base, object, embed, svg").length`); n != 1 {
			p.t.Errorf("%s has %d elements that run or load something, want its one script", path, n)
		}
		for _, light := range []string{"dark", "light"} {
			b.media("prefers-color-scheme", light)
			b.isAccessible(path + " in " + light)
		}
	}
	got := eval[map[string]string](b, `Object.fromEntries([...document.querySelectorAll("tr")].filter((row) => row.querySelector("[data-side=Proposed] .value"))
		.map((row) => [row.querySelector("th bdi").textContent, row.querySelector("[data-side=Proposed] .value").textContent]))`)
	for _, text := range want {
		if shown := legible(text); got[shown] != shown {
			p.t.Errorf("%q is shown as %q, want %q", text, got[shown], shown)
		}
	}
}

// write has the agent call a tool with the text as its name and in everything that goes with it, and where the API takes no such name,
// in the arguments.
func (p *program) write(n int, text string) answer {
	p.t.Helper()
	call := map[string]any{"tool": text, "agent": text, "run": text, "call_id": text,
		"arguments": map[string]any{text: text, "order_id": text, "nested": map[string]any{text: []string{text}}}}
	status, said := p.send("POST", "/v1/calls", literal(call), p.agent)
	unfit := len(text) > guard.MaxToolName || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
	if unfit != (status == http.StatusBadRequest) {
		p.t.Fatalf("a tool named %q answers %d %s", text, status, said)
	}
	if unfit {
		for _, name := range []string{"tool", "agent", "run", "call_id"} {
			call[name] = fmt.Sprintf("plain-%d", n)
		}
		said = p.call(literal(call))
	}
	return p.read(said)
}

// writeAll has the agent make one transfer with all texts among its arguments, and another one to the same account, which waits beside
// it. It returns that one, and the texts that are equal in both.
func (p *program) writeAll() (second answer, texts []string) {
	p.t.Helper()
	arguments := map[string]any{"to": "hostile-1", "amount": 5}
	for _, text := range hostile {
		arguments[text] = text
		if !strings.Contains(text, "alert") {
			texts = append(texts, text)
		}
	}
	first := literal(arguments)
	if a := p.transfer(first); a.Effect.State != "done" {
		p.t.Fatalf("a transfer with hostile texts is %+v", a)
	}
	if n := len(p.bank.received(first)); n != 1 {
		p.t.Errorf("the bank got the very bytes %d times", n)
	}
	second = p.transfer(strings.Replace(strings.ReplaceAll(first, "alert(1)", "prompt(2)"), `"amount":5`, `"amount":6`, 1))
	if second.Effect.State != "held" {
		p.t.Fatalf("a second transfer to the same account is %+v", second)
	}
	return second, texts
}

// literal is JSON in which nothing is escaped that need not be.
func literal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // the tests' own texts
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// legible is a text as a person reads it: what cannot be seen is written out.
func legible(text string) string {
	var b strings.Builder
	for _, p := range visible(text) {
		switch {
		case p.Code != "" && p.Times > 0:
			fmt.Fprintf(&b, "%s ×%d", p.Code, p.Times)
		case p.Code != "":
			b.WriteString(p.Code)
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// readHugeValues has an agent send as much as the API takes: of one value, and of many arguments. It can be read and decided on, and
// the page stays one that a browser can show.
func readHugeValues(in context.Context, p *program) {
	const mostBytes = 200_000
	key := p.key("reviewer", "rita")
	visitor := newSite(p.t, p.url).signIn(key)
	b := open(p.t, in, p.url)
	b.narrow()
	b.signIn(key)
	decide := func(arguments, choice string) {
		p.t.Helper()
		a := p.ask("payments.refund", arguments)
		for _, path := range []string{"/review", review(a), "/effects/" + a.Effect.ID} {
			if n := len(visitor.page(path)); n > mostBytes {
				p.t.Errorf("%s has %d bytes, want at most %d", path, n, mostBytes)
			}
		}
		b.visit("/review")
		b.openReview()
		b.isAccessible("a review of much")
		b.press(`button[value="`+choice+`"]`, ".notice")
		if again := p.ask("payments.refund", arguments); choice == "approve" && again.Decision != "proceed" {
			p.t.Errorf("after it was approved, the call gets %+v", again)
		}
	}
	long := strings.Repeat("0123456789", 100_000)
	decide(`{"order_id": "H-1", "amount": 900, "note": "`+long+`"}`, "approve")
	p.readParts(b, long)

	var many strings.Builder
	for n := range 10_000 {
		fmt.Fprintf(&many, `"argument_%05d": %[1]d, `, n)
	}
	tooMany := `{"tool": "payments.refund", "arguments": {` + many.String() + `"order_id": "H-2", "amount": 900}}`
	if status, said := p.send("POST", "/v1/calls", tooMany, p.agent); status != http.StatusBadRequest {
		p.t.Errorf("a call of 10002 arguments answers %d %.200s", status, said)
	}
	some, _, _ := strings.Cut(many.String(), `"argument_09900"`)
	decide(`{`+some+`"order_id": "H-2", "amount": 900}`, "reject")
}

// readParts follows a value of a megabyte from its review to its end.
func (p *program) readParts(b *tab, whole string) {
	p.t.Helper()
	b.visit("/effects")
	b.follow("#effects [data-row] a", "#effect")
	b.follow(".cut a", "pre.whole")
	read := 0
	for range len(whole)/valuePart + 1 {
		read += len(eval[string](b, `document.querySelector("pre.whole").textContent`))
		next := eval[string](b, `document.querySelector("a[rel=next]")?.getAttribute("href") ?? ""`)
		if next == "" {
			break
		}
		b.visit(next)
	}
	if read != len(whole) {
		p.t.Errorf("the parts have %d characters, want %d", read, len(whole))
	}
}
