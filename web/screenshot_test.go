package web

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard"
)

// go test ./web -run TestScreenshots -screenshots FOLDER writes a picture of every screen, in light, dark and narrow;
// -run TestScreenshots/effects/dark takes only some.
//
// With -server URL -key KEY the pictures are of a running server, such as that of "onceguard demo".
var (
	screenshots = flag.String("screenshots", "", "folder for pictures of every screen")
	server      = flag.String("server", "", "address of a running server")
	serverKey   = flag.String("key", "", "key of an admin of that server")
)

// screen is one page to be looked at.
type screen struct {
	name  string
	house *house // nil for the running server
	path  string
	key   string     // whose session; a reviewer's where it is ""
	do    func(*tab) // what leads from there to the screen; nil for nothing
}

// running are the screens of a running server.
func running() []screen {
	var list []screen
	for _, name := range []string{"review", "effects", "policies", "policies/payments.refund", "overview"} {
		list = append(list, screen{name: strings.ReplaceAll(name, "/", "-"), path: "/" + name, key: *serverKey})
	}
	return list
}

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("name a folder with -screenshots")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	in := start(t)
	screens := running()
	if *server == "" {
		screens = append(reviewScreens(t), dayScreens(t)...)
		screens = append(screens, policyScreens(t)...)
	}
	for _, s := range screens {
		for _, look := range []string{"light", "dark", "narrow"} {
			t.Run(s.name+"/"+look, func(t *testing.T) { s.take(t, in, look) })
		}
	}
}

func reviewScreens(t *testing.T) []screen {
	t.Helper()
	busy, empty := newHouse(t, believable()), newHouse(t, newFake())
	return []screen{
		{name: "signin", house: busy, path: "/signin"}, {name: "queue", house: busy, path: "/review"}, {name: "queue-empty", house: empty, path: "/review"},
		{name: "near", house: busy, path: "/review/rv_40"}, {name: "unknown", house: busy, path: "/review/rv_39"},
		{name: "hostile", house: busy, path: "/review/rv_20"}, {name: "missing", house: busy, path: "/review/rv_0"},
	}
}

// take writes a picture of the screen.
func (s screen) take(t *testing.T, in context.Context, look string) {
	base := *server
	if s.house != nil {
		base = s.house.srv.URL
	}
	b := open(t, in, base)
	b.expect("404")
	if look == "dark" {
		b.media("prefers-color-scheme", "dark")
	}
	if look == "narrow" {
		b.narrow()
	}
	if s.name != "signin" {
		b.signIn(cmp.Or(s.key, ritasKey))
	}
	b.visit(s.path)
	if s.do != nil {
		s.do(b)
	}
	picture := ask(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*screenshots, s.name+"-"+look+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// believable is a queue as a team might find it in the morning.
func believable() *fake {
	now := time.Now()
	ago := func(e guard.Effect, d time.Duration) guard.Effect {
		e.Created, e.Since, e.Updated = now.Add(-d), now.Add(-d), now.Add(-d)
		if e.State == guard.Held {
			e.ExpiresAt = now.Add(24*time.Hour - d)
		}
		return e
	}
	mail := func(id, body string) guard.Effect {
		e := held(id, fmt.Sprintf(`{"to":["ann@example.com","bob@example.com"],"subject":"Your refund for order A-1001","body":%q,"request_id":"r-%s"}`, body, id))
		e.Tool, e.Type, e.Agent, e.Run = "mail.send", "mail.send", "support-bot", "ticket-4711"
		return e
	}
	first := mail("ef_10", "Hello Ann, your refund of 25.00 EUR is on its way and will arrive within five working days.")
	first.State, first.Code, first.Review, first.Reason = guard.Done, guard.CodeUpstreamDone, "", ""
	first.Result = &guard.Result{Status: 200, ContentType: "application/json", Body: []byte(`{"id":"msg_8124","queued":true}`), Source: guard.FromUpstream}
	again := mail("ef_40", "Hello Ann, your refund of 25.00 EUR is on the way, it will arrive within 5 working days. Sorry for the trouble!")
	again.Code, again.Review, again.Related, again.Reason = guard.CodeNear, guard.CodeNear, "ef_10", ""
	lost := sentOff("ef_39", `{"order_id":"C-77","amount":"40.00","currency":"EUR","reason":"parcel lost"}`)
	lost.Result = &guard.Result{Status: 502, ContentType: "text/html", Body: []byte("<html><h1>Bad gateway</h1></html>"), IsError: true, Source: guard.FromUpstream}
	f := newFake(ago(again, 2*time.Minute), ago(lost, 26*time.Minute),
		ago(held("ef_38", `{"order_id":"A-1002","amount":900,"currency":"EUR","reason":"whole order returned"}`), 50*time.Minute))
	for i := range 6 {
		e := held(fmt.Sprintf("ef_3%d", i), fmt.Sprintf(`{"ticket":"OPS-%d","comment":"Closing as a duplicate of OPS-1."}`, 811+i))
		e.Tool, e.Agent, e.Run, e.Reason = "tickets.close", "triage-bot", "nightly", "More than 5 tickets closed in an hour."
		f.effects = append(f.effects, ago(e, time.Duration(60+i)*time.Minute))
	}
	own := held("ef_29", `{"branch":"main","force":true}`)
	own.Tool, own.Subject, own.Agent, own.Reason = "git.push", "rita", "", "A push to main needs a person."
	half := sentOff("ef_28", `{"items":["a","b","c"]}`)
	half.Tool, half.State, half.Code, half.Review = "crm.update_many", guard.Partial, guard.CodePartial, guard.CodePartial
	odd := held("ef_20", `{"order_id":"A\u202e1001\u200b","pаyee":"PаyPаl <script>alert(1)</script>","note":"`+strings.Repeat("very long ", 400)+`","url":"javascript:alert(1)","tag":"\u0000\u001b[31mred\u001b[0m"}`)
	odd.Agent, odd.Tool = "bot\u202eevil", `<img src=x onerror=alert(1)>`
	f.effects = append(f.effects, ago(own, 3*time.Hour), ago(half, 5*time.Hour), ago(odd, 30*time.Hour), ago(first, 31*time.Hour))
	f.events["ef_39"] = []guard.Event{
		{Effect: "ef_39", Seq: 1, At: now.Add(-27 * time.Minute), Kind: guard.EventClaimed, To: guard.Pending, Fence: 1, Actor: guard.Actor{Kind: "agent", Name: "support"}, Code: guard.CodeForwarded},
		{Effect: "ef_39", Seq: 2, At: now.Add(-26 * time.Minute), Kind: guard.EventSettled, From: guard.Pending, To: guard.Unknown, Fence: 1, Actor: guard.Actor{Kind: "guard"}, Code: guard.CodeUpstreamLost, Result: lost.Result},
		{Effect: "ef_39", Seq: 3, At: now.Add(-20 * time.Minute), Kind: guard.EventNoted, From: guard.Unknown, To: guard.Unknown, Fence: 1, Actor: guard.Actor{Kind: "guard"}, Code: guard.CodeUnknown, Count: 3},
	}
	f.events["ef_40"] = []guard.Event{
		{Effect: "ef_40", Seq: 1, At: now.Add(-2 * time.Minute), Kind: guard.EventHeld, To: guard.Held, Fence: 1, Actor: guard.Actor{Kind: "agent", Name: "support"}, Code: guard.CodeNear},
	}
	return f
}
