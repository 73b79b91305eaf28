package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/onceguard/onceguard/guard"
)

// hostile are texts that an agent, an upstream or another page might write to be taken for something else.
var hostile = []string{
	`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`,
	`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `data:text/html,<script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`, `</pre></div><form action="https://evil.example"><button>Run it</button></form>`,
	`</title><script>alert(1)</script>`, `<!--`, `--><script>alert(1)</script>`, `<![CDATA[`, `{{.View}}`, `{{template "main" .}}`, `&lt;script&gt;`,
	`<base href="https://evil.example/">`, `<meta http-equiv=refresh content="0;url=https://evil.example">`, `<link rel=stylesheet href=//evil.example>`,
	`<a href="https://evil.example">Run it</a>`, `<iframe src=//evil.example>`, `<details open ontoggle=alert(1)>`, `<template><b>`, `<plaintext>`,
	"\u202egnp.exe", "\u2066\u2067\u2068\u2069\u200e\u200f\u061c", "zero\u200bwidth\u200c\u200d\ufeff", "\u00adsoft", "\x00nul\x01\x1b[2J\x7f\u0085",
	"tag\U000e0001\U000e0041\U000e007f", "pаypаl", "line\u2028para\u2029", "combining" + strings.Repeat("\u0301", 200), "\u2800\u3164\uffa0", "\ufff9anno\ufffatated\ufffb",
}

// inert fails if a page holds an element or an attribute that ours do not have, or a character that cannot be seen.
func inert(t *testing.T, body string) {
	t.Helper()
	for i, r := range body {
		if hidden(r) || r == utf8.RuneError {
			t.Errorf("the page holds %U at %d: %q", r, i, body[max(0, i-40):min(len(body), i+40)])
			return
		}
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "svg", "iframe", "base", "template", "plaintext", "object", "embed":
			t.Errorf("the page has a <%s>", n.Data)
		case "script", "link", "meta":
			if n.Parent.Data != "head" {
				t.Errorf("the page has a <%s> in its <%s>", n.Data, n.Parent.Data)
			}
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "http-equiv":
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && a.Val != "":
				t.Errorf("<%s> leads to %q", n.Data, a.Val)
			}
		}
	}
}

// mean is an effect every text of which is hostile.
func mean(id, text string) guard.Effect {
	arguments, err := json.Marshal(map[string]any{text: text, "order_id": text, "nested": map[string]any{text: []string{text}}})
	if err != nil {
		panic(err)
	}
	e := held(id, string(arguments))
	e.Tool, e.Agent, e.Run, e.Reason, e.Subject = text, text, text, text, text
	e.Result = &guard.Result{Status: 200, ContentType: text, Body: []byte(text), Source: guard.FromUpstream}
	return e
}

func TestHostileTextIsInertAndVisible(t *testing.T) {
	for i, text := range hostile {
		now, earlier := mean("ef_2", text), mean("ef_1", text+" earlier")
		now.Related, earlier.Review, earlier.State = "ef_1", "", guard.Done
		f := newFake(now, earlier)
		f.events["ef_2"] = []guard.Event{{Seq: 1, Kind: guard.EventHeld, To: guard.Held, Note: text, Actor: guard.Actor{Kind: "agent", Name: text}, Result: now.Result}}
		f.previews = []guard.Preview{{Choice: guard.Approve, Answer: guard.Answer{Kind: guard.AnswerBlocked, Result: now.Result,
			Explanation: guard.Explanation{Code: guard.CodeRejected, Message: text, Next: []string{text}}}}}
		h := newHouse(t, f).signIn(ritasKey)
		f.decide = func(guard.Judgement) (guard.Effect, error) {
			return guard.Effect{}, &guard.Error{Code: guard.CodeStaleFence, Message: text}
		}
		for _, path := range []string{"/review", "/review/rv_2", "/review/rv_2?all=1", "/review/rv_1",
			"/review/rv_2/value?" + url.Values{"of": {"now"}, "argument": {"order_id"}}.Encode(), "/review/rv_2/value?of=result", "/review?did=" + url.QueryEscape(text)} {
			body := h.page(path)
			t.Run(fmt.Sprintf("%d %s", i, path), func(t *testing.T) { inert(t, body) })
		}
		_, body := h.post("/review/rv_2", decision(guard.Approve))
		inert(t, body)
	}
}

// What is huge stays readable, and all of it can be reached.
func TestHugeValuesAreBounded(t *testing.T) {
	long := strings.Repeat("0123456789", 100_000)
	f := newFake(held("ef_1", `{"note":"`+long+`","order_id":"A"}`))
	h := newHouse(t, f).signIn(ritasKey)
	body := h.page("/review/rv_1")
	if len(body) > 100_000 {
		t.Errorf("the page of a value of a megabyte has %d bytes", len(body))
	}
	contains(t, body, "998000 more characters", `href="/review/rv_1/value?argument=note&amp;of=now"`)
	lacks(t, body, "Edit and run")
	for _, from := range []string{"-5", "99999999999", "1e9", "x"} {
		if resp, _ := h.get("/review/rv_1/value?argument=note&of=now&from=" + from); resp.StatusCode >= 500 {
			t.Errorf("from=%s answers %d", from, resp.StatusCode)
		}
	}
}

func TestManyArgumentsAreBoundedAndDifferencesComeFirst(t *testing.T) {
	many := func(last string) string {
		var b strings.Builder
		b.WriteString(`{`)
		for i := range 9_000 {
			fmt.Fprintf(&b, `"argument_%05d":%d,`, i, i)
		}
		return b.String() + `"zz":"` + last + `"}`
	}
	now, earlier := held("ef_2", many("now")), held("ef_1", many("before"))
	now.Related, earlier.Review = "ef_1", ""
	h := newHouse(t, newFake(now, earlier)).signIn(ritasKey)
	body := h.page("/review/rv_2")
	contains(t, body, "<mark>now</mark>", "<mark>before</mark>", "8800 more arguments")
	if n := strings.Count(body, "<tr"); n > 3*mostRows {
		t.Errorf("the page has %d rows", n)
	}
	if n := strings.Count(h.page("/review/rv_2?all=1"), "<tr class"); n != 9_001 {
		t.Errorf("all arguments are %d", n)
	}
}

// A difference far inside two long texts must not be outside of what is shown.
func TestDifferenceInsideALongTextIsShown(t *testing.T) {
	start := strings.Repeat("equal words ", 1000)
	now, earlier := held("ef_2", `{"note":"`+start+`pay 25"}`), held("ef_1", `{"note":"`+start+`pay 52"}`)
	now.Related, earlier.Review = "ef_1", ""
	h := newHouse(t, newFake(now, earlier)).signIn(ritasKey)
	contains(t, h.page("/review/rv_2"), "<mark>25</mark>", "<mark>52</mark>", "equal characters …")
}
