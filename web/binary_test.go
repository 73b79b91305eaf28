package web

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// program is the real server in a process of its own, on SQLite.
type program struct {
	t     *testing.T
	path  string
	data  string
	url   string
	link  string // signs an admin in
	agent string // a key
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

func startProgram(t *testing.T) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, path: filepath.Join(dir, "onceguard"), data: filepath.Join(dir, "data")}
	policies := filepath.Join(dir, "policies")
	if err := os.Mkdir(policies, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(policies, "refunds.yaml"), []byte(heldRefunds), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.path, "../cmd/onceguard").CombinedOutput(); err != nil {
		t.Fatalf("the program does not build: %v\n%s", err, out)
	}
	cmd := exec.Command(p.path, "serve", "--addr", "127.0.0.1:0", "--data", p.data, "--policies", policies)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program ends with %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for p.url == "" && lines.Scan() {
		if found := saysLink.FindStringSubmatch(lines.Text()); found != nil {
			p.link = found[1]
		}
		if found := saysURL.FindStringSubmatch(lines.Text()); found != nil {
			p.url = found[1]
		}
	}
	if p.url == "" || p.link == "" {
		t.Fatalf("the program says neither where it listens nor how to sign in: %q %q", p.url, p.link)
	}
	p.agent = p.key("agent", "support")
	return p
}

// key makes a key beside the running server.
func (p *program) key(role, subject string) string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), p.path, "keys", "create", "--data", p.data, "--role", role, "--subject", subject).Output()
	if err != nil {
		p.t.Fatalf("no key: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// refund has the agent ask for a refund, and returns what the server answers.
func (p *program) refund(order string) string {
	p.t.Helper()
	body := `{"tool": "payments.refund", "run": "ticket-1", "arguments": {"order_id": "` + order + `", "amount": 900}}`
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/v1/calls", strings.NewReader(body))
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
		p.t.Fatalf("a call answers %d %s %v", resp.StatusCode, text, err)
	}
	return string(text)
}

func answers(t *testing.T, answer, want string) {
	t.Helper()
	if !strings.Contains(answer, want) {
		t.Errorf("the agent gets %s, want %s", answer, want)
	}
}

// TestRealServer walks through a reviewer's day with the program as it is shipped.
func TestRealServer(t *testing.T) {
	in := start(t)
	p := startProgram(t)
	b := open(t, in, p.url)
	b.expect("403")
	b.expect("409")
	b.visit(strings.TrimPrefix(p.link, p.url))
	b.press("main button", "#queue")

	answers(t, p.refund("A-1"), `"blocked"`)
	b.await(`document.querySelectorAll("[data-row]").length === 1`) // without a reload
	answers(t, p.refund("A-2"), `"blocked"`)
	b.await(`document.querySelectorAll("[data-row]").length === 2`)

	b.press(".item a", ".decision") // the newest: A-2
	if told := eval[string](b, `document.querySelector('button[value="reject"]').parentElement.querySelector(".told").textContent`); !strings.Contains(told, "A person refused this call") {
		t.Errorf("the agent would be told %q", told)
	}
	b.run(chromedp.SendKeys(css("#reason"), "ask the customer first"))
	b.press(`button[value="reject"]`, ".notice")
	answers(t, p.refund("A-2"), "ask the customer first")

	// Another reviewer decides on A-1 while it is shown here.
	b.press(".item a", ".decision")
	other := open(t, in, p.url)
	other.signIn(p.key("reviewer", "rita"))
	other.press(".item a", ".decision")
	other.press(`button[value="approve"]`, ".notice")
	b.run(chromedp.WaitVisible(css("#changed")))
	b.press(`button[value="reject"]`, "[role=alert]")
	if got := b.text("main"); !strings.Contains(got, "Nothing was decided") || !strings.Contains(got, "rita") {
		t.Errorf("a late decision says %q", got)
	}
	answers(t, p.refund("A-1"), `"proceed"`)

	door := open(t, in, p.url)
	door.expect("403")
	door.visit("/signin")
	door.run(chromedp.SendKeys(css("#key"), p.agent+"\r"), chromedp.WaitVisible(css("[role=alert]")))
}
