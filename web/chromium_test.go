package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the path of a browser. Without one the tests are skipped, but never where CI is set.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no Chromium: install Debian's package chromium")
	}
	t.Skip("there is no Chromium on this machine: install Debian's package chromium")
	return ""
}

// start starts a browser that ends with the test.
func start(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Env("TZ=Europe/Vienna", "LANG=en_GB.UTF-8", "LANGUAGE=en_GB"))
	allocator, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return ctx
}

// tab is a page of the browser, which reports everything that a page of ours must not do.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	host string

	mu     sync.Mutex
	faults []string
	gates  []string // what the next faults may be, because the test makes them
}

// open opens an empty page for a dashboard at base. A violation of the content policy, an error in the console or a request to
// another host fails the test.
func open(t *testing.T, in context.Context, base string) *tab {
	t.Helper()
	b := &tab{t: t, base: base}
	if u, err := url.Parse(base); err == nil {
		b.host = u.Host
	}
	ctx, cancel := chromedp.NewContext(in, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	ctx, timeout := context.WithTimeout(ctx, 2*time.Minute)
	b.ctx = ctx
	t.Cleanup(func() {
		timeout()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, f := range b.faults {
			t.Error(f)
		}
	})
	b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return err
	}), chromedp.EmulateViewport(1280, 900))
	return b
}

// hear judges an event of the page.
func (b *tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.fault("an exception: " + text)
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeLog && len(e.Args) > 0 {
			b.fault("the console says: " + string(e.Args[0].Value))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.fault("the browser says: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != b.host && u.Scheme != "data" && u.Scheme != "blob" {
			b.fault("a request to another host: " + e.Request.URL)
		}
	}
}

func (b *tab) fault(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.gates {
		if strings.Contains(text, g) {
			return
		}
	}
	b.faults = append(b.faults, text)
}

// expect lets faults pass that have a text, because the test brings them about.
func (b *tab) expect(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gates = append(b.gates, text)
}

// run does one action after another. One whose element is renewed between being found and being used has done nothing yet, and
// is begun anew.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, action := range actions {
		err := chromedp.Do(b.ctx, action)
		for isRenewed(err) {
			err = chromedp.Do(b.ctx, action)
		}
		if err != nil {
			b.t.Fatalf("the browser fails: %v (faults: %q)", err, b.faults)
		}
	}
}

// isRenewed says that an element was no longer there when an action wanted to look at it, scroll to it or focus it. The keys and clicks
// of an action come after that, and name no element.
func isRenewed(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && slices.Contains([]string{
		"Could not find node with given id", "No node with given id found", "Node is detached from document", "Could not compute content quads.",
	}, e.Message)
}

// ask is run for an action with an answer.
func ask[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.t.Fatalf("the browser fails: %v (faults: %q)", err, b.faults)
	}
	return v
}

func (b *tab) visit(path string) { b.t.Helper(); b.run(chromedp.Navigate(b.base + path)) }

// text is what a person reads in an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.CSS(selector)))
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q).innerText`, selector)) // at one stroke, as in follow
}

// eval asks the page for a value.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	return ask(b, chromedp.Evaluate[T](script))
}

// await waits until a script says true.
func (b *tab) await(script string) {
	b.t.Helper()
	ask(b, chromedp.Poll[bool](script, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second)))
}

// media sets what the page learns of its reader, such as prefers-color-scheme.
func (b *tab) media(name, value string) {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
		return err
	}))
}

func (b *tab) narrow() { b.t.Helper(); b.run(chromedp.EmulateViewport(360, 740)) }

// signIn gives the page a session.
func (b *tab) signIn(key string) {
	b.t.Helper()
	b.visit("/signin")
	b.run(chromedp.SetValue(chromedp.CSS("#key"), key), chromedp.SendKeys(chromedp.CSS("#key"), "\r"), chromedp.WaitNotPresent(chromedp.CSS("#key")), chromedp.WaitReady(chromedp.CSS("#main")))
}

// A live page replaces what is about to be used, at any moment.
func TestTheBrowserFindsWhatIsRenewed(t *testing.T) {
	restless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<title>restless</title><p><input id="word"></p><script>
			function renew() { const old = document.querySelector("p"), now = old.cloneNode(true);
				now.firstChild.value = old.firstChild.value;
				const focused = document.activeElement === old.firstChild;
				old.replaceWith(now);
				if (focused) now.firstChild.focus();
				setTimeout(renew, 20) }
			renew()</script>`)
	}))
	t.Cleanup(restless.Close)
	b := open(t, start(t), restless.URL)
	b.visit("/")
	for range 40 {
		b.run(chromedp.SendKeys(chromedp.CSS("#word"), "w"), chromedp.Click(chromedp.CSS("p")))
	}
	if got, want := eval[string](b, `document.querySelector("#word").value`), strings.Repeat("w", 40); got != want {
		t.Errorf("typed is %q, want %q", got, want)
	}
}

// A page that does what ours must not do is told of, so that a test without faults means something.
func TestTheBrowserTellsOfFaults(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *; script-src 'nonce-known'")
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<title>bad</title><script>document.title = "worse"</script><img src="%s/x.png" alt="">
			<script nonce="known">console.error("out of order"); setTimeout(() => { document.title = "at the end"; throw new Error("thrown away"); })</script>`, other.URL)
	}))
	t.Cleanup(bad.Close)
	b := open(t, start(t), bad.URL)
	b.visit("/")
	b.await(`document.title === "at the end"`)
	b.mu.Lock()
	defer b.mu.Unlock()
	all := strings.Join(b.faults, "\n")
	for _, want := range []string{"Content Security Policy", "a request to another host: " + other.URL, "out of order", "thrown away"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing is told of %q, but %q", want, all)
		}
	}
	b.faults = nil
}
