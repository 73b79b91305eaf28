package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

// program is the real server in a process of its own.
type program struct {
	t        *testing.T
	policies string
	data     string
	ledger   []string // the setting of a ledger in PostgreSQL; none for one in the data folder
	cmd      *exec.Cmd
	url      string
	link     string // signs an admin in; only of a first start
	agent    string // a key
}

const heldRefunds = `version: 1
tools:
  - name: payments.refund
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money}
    rules:
      - {if: "double(args.amount) > 500.0", then: hold, why: "Refunds above 500 need a person."}
`

var (
	saysURL  = regexp.MustCompile(`^listening on (http://\S+)$`)
	saysLink = regexp.MustCompile(`(http://\S+/signin/link\?token=\S+)$`)
)

// builtIn is the folder of the program, where a test has built it.
var builtIn string

// built is the program, which all tests of a process share.
var built = sync.OnceValues(func() (path string, err error) {
	if builtIn, err = os.MkdirTemp("", "onceguard-web"); err != nil {
		return "", err
	}
	path = filepath.Join(builtIn, "onceguard")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/onceguard").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("the program does not build: %w\n%s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn) // a folder among temporary files
	}
	os.Exit(code)
}

// startProgram starts a server with an empty ledger: a file, or what the arguments say.
func startProgram(t *testing.T, ledger ...string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, policies: filepath.Join(dir, "policies"), data: filepath.Join(dir, "data"), ledger: ledger}
	if err := os.Mkdir(p.policies, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.policies, "refunds.yaml"), []byte(heldRefunds), 0o644); err != nil {
		t.Fatal(err)
	}
	p.serve("127.0.0.1:0")
	t.Cleanup(func() { p.stop(t) })
	if p.link == "" {
		t.Fatal("the program does not say how to sign in")
	}
	p.agent = p.key("agent", "support")
	return p
}

// serve starts the process and waits until it listens.
func (p *program) serve(address string) {
	p.t.Helper()
	path, err := built()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = exec.Command(path, append([]string{"serve", "--addr", address, "--data", p.data, "--policies", p.policies, "--settle", "1ms"}, p.ledger...)...)
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := saysLink.FindStringSubmatch(lines.Text()); found != nil {
			p.link = found[1]
		}
		if found := saysURL.FindStringSubmatch(lines.Text()); found != nil {
			p.url = found[1]
			return
		}
	}
	p.t.Fatalf("the program does not say where it listens, and ends with %v", p.cmd.Wait())
}

// stop ends the process in good order. A second time it does nothing.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ends with %v", err)
	}
}

// key makes a key beside the running server.
func (p *program) key(role, subject string) string {
	p.t.Helper()
	where := p.ledger
	if len(where) == 0 {
		where = []string{"--data", p.data}
	}
	path, err := built()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := exec.CommandContext(p.t.Context(), path, append([]string{"keys", "create", "--role", role, "--subject", subject}, where...)...).Output()
	if err != nil {
		p.t.Fatalf("no key: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// refund has the agent ask for a refund, and returns what the server answers.
func (p *program) refund(order string) string {
	p.t.Helper()
	return p.call(`{"tool": "payments.refund", "run": "ticket-1", "arguments": {"order_id": "` + order + `", "amount": 900}}`)
}

// call has the agent send a call, and returns what the server answers.
func (p *program) call(body string) string {
	p.t.Helper()
	return p.post("/v1/calls", body)
}

// lose has the agent run a refund that needs nobody, and report that it does not know what became of it.
func (p *program) lose(order string) {
	p.t.Helper()
	var answer struct {
		Effect struct{ ID string }
		Lease  struct{ Fence int64 }
	}
	text := p.call(`{"tool": "payments.refund", "run": "ticket-1", "arguments": {"order_id": "` + order + `", "amount": 9}}`)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Effect.ID == "" {
		p.t.Fatalf("a call answers %s: %v", text, err)
	}
	p.post("/v1/effects/"+answer.Effect.ID+"/outcome", fmt.Sprintf(`{"fence": %d, "status": "unknown", "error": "no answer"}`, answer.Lease.Fence))
}

// small asks for that refund once more.
func (p *program) small(order string) string {
	p.t.Helper()
	return p.call(`{"tool": "payments.refund", "run": "ticket-1", "arguments": {"order_id": "` + order + `", "amount": 9}}`)
}

func (p *program) post(path, body string) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.agent)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s answers %d %s %v", path, resp.StatusCode, text, err)
	}
	return string(text)
}

func answers(t *testing.T, answer, want string) {
	t.Helper()
	if !strings.Contains(answer, want) {
		t.Errorf("the agent gets %s, want %s", answer, want)
	}
}

// TestRealServer walks through a reviewer's day with the program as it is shipped, on each kind of ledger.
func TestRealServer(t *testing.T) {
	in := start(t)
	t.Run("SQLite", func(t *testing.T) { reviewersDay(t, in, startProgram(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { reviewersDay(t, in, startProgram(t, "--ledger", servertest.Postgres(t))) })
}

func reviewersDay(t *testing.T, in context.Context, p *program) {
	b := open(t, in, p.url)
	b.visit(strings.TrimPrefix(p.link, p.url))
	b.press("main button", "#queue")
	for n, order := range []string{"A-1", "A-2"} {
		answers(t, p.refund(order), `"blocked"`)
		b.await(fmt.Sprintf(`document.querySelectorAll("[data-row]").length === %d`, n+1)) // without a reload
	}
	rejectNewest(p, b)
	decideTogether(p, b, in)
	settleBothWays(p, b)
	rejectTwoOfThree(p, b)
	resumeAfterRestart(p, b)

	door := open(t, in, p.url)
	door.expect("403")
	door.visit("/signin")
	door.run(chromedp.SendKeys(css("#key"), p.agent+"\r"), chromedp.WaitVisible(css("[role=alert]")))
}

// openReview goes to the newest review, at one stroke: the list may be renewed at any moment.
func (b *tab) openReview() {
	b.t.Helper()
	b.await(`document.querySelector(".item a") !== null`)
	eval[bool](b, `document.querySelector(".item a").click(), true`)
	b.run(chromedp.WaitVisible(css(".decision")))
}

// rejectNewest rejects A-2.
func rejectNewest(p *program, b *tab) {
	b.openReview()
	if told := eval[string](b, `document.querySelector('button[value="reject"]').parentElement.querySelector(".told").textContent`); !strings.Contains(told, "A person refused this call") {
		p.t.Errorf("the agent would be told %q", told)
	}
	b.run(chromedp.SendKeys(css("#reason"), "ask the customer first"))
	b.press(`button[value="reject"]`, ".notice")
	answers(p.t, p.refund("A-2"), "ask the customer first")
}

// decideTogether has another reviewer approve A-1 while it is shown here.
func decideTogether(p *program, b *tab, in context.Context) {
	b.expect("409")
	b.openReview()
	other := open(p.t, in, p.url)
	other.expect("net::ERR_") // it is open when the server starts anew
	other.signIn(p.key("reviewer", "rita"))
	other.openReview()
	other.press(`button[value="approve"]`, ".notice")
	b.run(chromedp.WaitVisible(css("#changed")))
	b.press(`button[value="reject"]`, "[role=alert]")
	if got := b.text("main"); !strings.Contains(got, "Nothing was decided") || !strings.Contains(got, "rita") {
		p.t.Errorf("a late decision says %q", got)
	}
	answers(p.t, p.refund("A-1"), `"proceed"`)
}

// settleBothWays says of one lost refund that it happened, and of another one that it did not.
func settleBothWays(p *program, b *tab) {
	b.visit("/review")
	for _, lost := range []struct{ order, choice, then string }{{"B-1", "happened", `"replayed"`}, {"B-2", "did_not_happen", `"proceed"`}} {
		p.lose(lost.order)
		answers(p.t, p.small(lost.order), `"blocked"`)
		b.await(`document.querySelectorAll("[data-row]").length === 1`)
		b.openReview()
		b.press(`button[value="`+lost.choice+`"]`, ".notice")
		answers(p.t, p.small(lost.order), lost.then)
	}
}

// rejectTwoOfThree decides on two refunds that wait for the same reason at once, and on the third alone.
func rejectTwoOfThree(p *program, b *tab) {
	b.visit("/review")
	orders := []string{"D-1", "D-2", "D-3"}
	for _, order := range orders {
		answers(p.t, p.refund(order), `"blocked"`)
	}
	b.await(`document.querySelectorAll(".group [data-row]").length === 3`)
	eval[bool](b, `document.querySelectorAll(".group input[type=checkbox]").forEach((box, n) => { box.checked = n < 2 }), true`)
	b.run(chromedp.SendKeys(css(".batch input"), "not two at a time"))
	b.press(`.batch button[value="reject"]`, ".notice")
	rejected := 0
	for _, order := range orders {
		if strings.Contains(p.refund(order), "not two at a time") {
			rejected++
		}
	}
	if got := b.text(".notice"); rejected != 2 || got != "Rejected. 2 reviews." {
		p.t.Errorf("%d were rejected, and the page says %q", rejected, got)
	}
	b.visit("/review")
	b.openReview()
	b.press(`button[value="reject"]`, ".notice")
}

// resumeAfterRestart starts the server anew under the same address. The page and its session go on.
func resumeAfterRestart(p *program, b *tab) {
	b.expect("net::ERR_")
	b.visit("/review")
	b.await(`document.querySelector(".empty") !== null`)
	p.stop(p.t)
	b.run(chromedp.WaitVisible(css("#offline")))
	p.serve(strings.TrimPrefix(p.url, "http://"))
	answers(p.t, p.refund("A-3"), `"blocked"`)
	b.await(`document.querySelectorAll("[data-row]").length === 1 && document.getElementById("offline").hidden`)
	b.openReview()
	b.press(`button[value="approve"]`, ".notice")
	answers(p.t, p.refund("A-3"), `"proceed"`)
	answers(p.t, p.refund("A-2"), "ask the customer first")
}
