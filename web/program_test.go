package web

import (
	"bufio"
	"bytes"
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
)

// process is the real server in a process of its own. It can be started anew on the same ledger, and browsers find it where it was.
type process struct {
	policies string
	data     string
	ledger   []string // the setting of a ledger in PostgreSQL; none for one in the data folder
	cmd      *exec.Cmd
	address  string // where it listens now
	front    *front
	url      string // where browsers find it
	link     string // signs an admin in; only of a first start
	bank     *bank
}

// program is that server as the agent of one tenant reaches it. Tests that share a server have a tenant each, so that none sees what
// waits for the people of another one.
type program struct {
	*process
	t      *testing.T
	tenant string
	agent  string // a key
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

// guardedTools are tools that the guard calls itself, and one whose wording counts.
const guardedTools = `version: 1
tools:
  - name: payments.transfer
    effect: transfer
    upstream: {http: {url: "%s/transfers", timeout: 10s, network: private}}
    schema: {type: object, required: [to, amount], properties: {to: {type: string}, amount: {type: number}, note: {type: string}}}
    arguments:
      to: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: EUR}
      note: {role: commentary}
    on: {same_identity: hold}
    rules:
      - {if: "args.amount > 10000.0", then: deny, why: "Nobody transfers more than 10000."}
      - {if: "args.amount > 500.0", then: hold, why: "Transfers above 500 need a person."}
  - name: mail.send
    arguments: {to: {role: identity, kind: email}, body: {kind: text}}
    on: {near: hold}
`

var (
	saysURL  = regexp.MustCompile(`^listening on http://(\S+)$`)
	saysLink = regexp.MustCompile(`http://[^/]+(/signin/link\?token=\S+)$`)
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
	p := &process{policies: filepath.Join(dir, "policies"), data: filepath.Join(dir, "data"), ledger: ledger, front: newFront(t), bank: newBank(t)}
	p.url = p.front.url()
	if err := os.Mkdir(p.policies, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"refunds.yaml": heldRefunds, "tools.yaml": fmt.Sprintf(guardedTools, p.bank.URL)} {
		if err := os.WriteFile(filepath.Join(p.policies, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.serve(t)
	t.Cleanup(func() { p.stop(t) })
	if p.link == "" {
		t.Fatal("the program does not say how to sign in")
	}
	return (&program{process: p}).of(t, "default")
}

// serve starts the process and waits until it listens.
func (p *process) serve(t *testing.T) {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(path, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", p.data, "--policies", p.policies, "--settle", "1ms"}, p.ledger...)...)
	said := new(bytes.Buffer)
	p.cmd.Stderr = said
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := saysLink.FindStringSubmatch(lines.Text()); found != nil {
			p.link = found[1]
		}
		if found := saysURL.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
			p.front.lead(p.address)
			return
		}
	}
	err = p.cmd.Wait()
	t.Fatalf("the program does not say where it listens, and ends with %v: %s", err, said)
}

// stop ends the process in good order. A second time it does nothing.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	p.front.lead("")
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ends with %v: %s", err, p.cmd.Stderr)
	}
}

// of is the program as the agent of a tenant reaches it.
func (p *program) of(t *testing.T, tenant string) *program {
	t.Helper()
	n := &program{process: p.process, t: t, tenant: tenant}
	n.agent = n.key("agent", "support")
	return n
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
	out, err := exec.CommandContext(p.t.Context(), path,
		append([]string{"keys", "create", "--role", role, "--subject", subject, "--tenant", p.tenant}, where...)...).Output()
	if err != nil {
		p.t.Fatalf("no key: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// call has the agent send a call, and returns what the server answers.
func (p *program) call(body string) string {
	p.t.Helper()
	status, text := p.send("POST", "/v1/calls", body, p.agent)
	if status != http.StatusOK {
		p.t.Fatalf("a call answers %d %s", status, text)
	}
	return text
}

// send asks the API for something.
func (p *program) send(method, path, body, key string) (status int, text string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// answer is what an agent gets, as far as the tests look into it.
type answer struct {
	Decision string
	Effect   struct {
		ID    string
		State string
	}
	Result json.RawMessage
	Lease  struct{ Fence int64 }
}

// ask has the agent send a call, and reads the answer.
func (p *program) ask(tool, arguments string) answer {
	p.t.Helper()
	return p.read(p.call(`{"tool": "` + tool + `", "run": "ticket-1", "arguments": ` + arguments + `}`))
}

func (p *program) read(text string) (a answer) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.Effect.ID == "" {
		p.t.Fatalf("a call answers %s: %v", text, err)
	}
	return a
}

// report has the agent say what became of a call that it ran itself.
func (p *program) report(a answer, outcome string) {
	p.t.Helper()
	if a.Decision != "proceed" {
		p.t.Fatalf("the agent gets %+v, and may not run it", a)
	}
	status, text := p.send("POST", "/v1/effects/"+a.Effect.ID+"/outcome", fmt.Sprintf(`{"fence": %d, %s}`, a.Lease.Fence, outcome), p.agent)
	if status != http.StatusOK {
		p.t.Fatalf("a report answers %d %s", status, text)
	}
}

// refund has the agent ask for a refund that needs a person, and returns what the server answers.
func (p *program) refund(order string) string {
	p.t.Helper()
	return p.call(`{"tool": "payments.refund", "run": "ticket-1", "arguments": {"order_id": "` + order + `", "amount": 900}}`)
}

// transfer has the agent ask for a transfer, which the guard sends to the bank.
func (p *program) transfer(arguments string) answer {
	p.t.Helper()
	return p.ask("payments.transfer", arguments)
}

// answers fails unless an answer has a text.
func answers(t *testing.T, answer, want string) {
	t.Helper()
	if !strings.Contains(answer, want) {
		t.Errorf("the agent gets %s, want %s", answer, want)
	}
}
