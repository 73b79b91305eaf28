package web

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard"
)

func TestDayJourneys(t *testing.T) {
	in := start(t)
	for _, j := range []struct {
		name string
		do   func(*testing.T, context.Context)
	}{
		{"check while typing", checkWhileTyping}, {"narrow", fitNarrowDay},
	} {
		t.Run(j.name, func(t *testing.T) { j.do(t, in) })
	}
}

func dayTab(t *testing.T, in context.Context, f *fake, key string) *tab {
	r := dayRules(t)
	b := open(t, in, newHouse(t, f, func(c *Config) { c.Policies = r }).srv.URL)
	b.signIn(key)
	return b
}

func checkWhileTyping(t *testing.T, in context.Context) {
	b := dayTab(t, in, newFake(), ritasKey)
	b.visit("/policies/mail.send")
	b.run(chromedp.Click(css("#workbench summary")))
	b.run(chromedp.SetValue(css("#draft"), "version: 1\ntools:\n  - name: mail.send\n    windw: 3h\n"), chromedp.SendKeys(css("#draft"), "\n"))
	b.await(`document.querySelector('#problems [data-line="4"]') !== null`)
	if got := b.text("#problems"); !strings.Contains(got, "did you mean") {
		t.Errorf("the page says %q", got)
	}
	b.run(chromedp.Click(css("#problems [data-line]")))
	b.await(`document.activeElement.id === 'draft' && document.activeElement.value.slice(document.activeElement.selectionStart).startsWith('windw')`)
	b.run(chromedp.SetValue(css("#draft"), "version: 1\ntools:\n  - name: mail.send\n    window: 3h\n"), chromedp.SendKeys(css("#draft"), "\n"))
	b.await(`document.querySelector('#problems .good') !== null`)
}

func fitNarrowDay(t *testing.T, in context.Context) {
	f := extremeDay(t)
	f.effects = append(f.effects, day(t, dayRules(t)).effects...)
	b := dayTab(t, in, f, adasKey)
	b.narrow()
	for _, path := range []string{"/effects", "/effects/ef_20", "/policies", "/policies/payments.refund", "/overview"} {
		b.visit(path)
		if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d pixels too wide", path, over)
		}
	}
}

// ourDrawings are the charts, which hold nothing that an agent wrote.
var ourDrawings = regexp.MustCompile(`(?s)<svg viewBox.*?</svg>`)

func TestHostileTextIsInertOnEveryPage(t *testing.T) {
	for _, text := range hostile {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		e := sentOff("ef_1", fmt.Sprintf(`{%s:%[1]s,"a":1}`, quoted))
		e.Tool, e.Agent, e.Run, e.Subject, e.Reason, e.CallID, e.About = text, text, text, text, text, text, text
		f := newFake(e)
		f.events["ef_1"] = []guard.Event{{Kind: guard.EventNoted, Code: guard.CodeLate, Note: text, Actor: guard.Actor{Name: text}, Result: &guard.Result{Body: []byte(text), ContentType: text}}}
		f.tallies = []guard.Tally{{Start: time.Now(), Tool: text, Kind: string(guard.AnswerBlocked), Code: guard.CodeUnknown, Count: 1}}
		f.stops = []guard.Switched{{Switch: guard.Switch{Kind: guard.SwitchTool, Name: text, Reason: text, Off: true}, By: text}}
		h := newHouse(t, f).signIn(ritasKey)
		for _, path := range []string{"/effects", "/effects/ef_1", "/overview", "/policies/a.tool?suggest=ef_1"} {
			inert(t, ourDrawings.ReplaceAllString(h.page(path), ""))
		}
		if t.Failed() {
			t.Fatalf("with %q", text)
		}
	}
}
