package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

const concealingPolicies = `version: 1
tools:
  - name: pay
    schema:
      type: object
      required: [account, amount]
      properties: {account: {type: string}, amount: {type: number}, card_number: {type: string, maxLength: 40}, note: {type: string}}
    upstream: {http: {url: "%[1]s/pay", method: POST, network: private, timeout: 1s}}
    arguments: {account: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, card_number: {kind: exact}, note: {role: commentary}}
    share: tenant
    seal: [card_number]
    redact: [note]
    on: {same_identity: hold}
    rules:
      - {if: "args.amount > 900.0", then: deny, why: Too large.}
      - {if: "args.amount > 500.0", then: hold, why: Large.}
  - name: set
    upstream: {http: {url: "%[1]s/set", method: POST, network: private, timeout: 1s}}
    arguments: {account: {role: identity, kind: id}, card_number: {kind: exact}}
    resource: "account:{account}"
    seal: [card_number]
  - name: tell
    upstream: {http: {url: "%[1]s/tell", method: POST, network: private, timeout: 1s}}
    arguments: {to: {role: identity, kind: id}, note: {kind: text}}
    share: tenant
    redact: [note]
    on: {near: hold}
  - name: reach
    upstream: {http: {url: "http://127.0.0.1:1/cards/{card_number}", method: POST, network: private, timeout: 1s}}
    arguments: {card_number: {kind: exact}, account: {role: identity, kind: id}}
    seal: [card_number]
  - name: ask
    upstream: {http: {url: "%[1]s/ask", method: POST, network: private, timeout: 1s}}
    arguments: {to: {role: identity, kind: id}, note: {kind: text}}
    redact: [note]
    on: {near: confirm}
  - name: charge
    arguments: {account: {role: identity, kind: id}, card_number: {kind: exact}}
    seal: [card_number]
`

// echoing is an upstream whose answers repeat what it was sent, in one spelling or another.
type echoing struct {
	mu  sync.Mutex
	got [][]byte
}

func (u *echoing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	u.mu.Lock()
	u.got = append(u.got, body)
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case bytes.Contains(body, []byte("LOST")):
		panic(http.ErrAbortHandler)
	case bytes.Contains(body, []byte("REFUSED")):
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	var args map[string]any
	_ = json.Unmarshal(body, &args) // what it is sent is JSON, else nothing is repeated
	answer, err := json.Marshal(map[string]any{"got": args, "plain": string(body), "note": args["note"]})
	if err != nil {
		return
	}
	_, _ = w.Write(answer) // the guard may have gone
}

// crawl is a server with policies that conceal, and those who look at it.
type crawl struct {
	*testing.T
	program, dir string
	upstream     *echoing
	server       *process
	base         string
	ids          []string

	alice, bob, rita, ada *visitor
}

// TestConcealedValuesAreShownNowhere takes concealed values through every state of an effect, and then looks for them wherever a
// server gives something away. Whoever sent a value gets it back in the answer to the call; the tool gets it, of course; what is
// redacted and not sealed is in the plain in the ledger. Nobody else sees any of it, and no reviewer does.
func TestConcealedValuesAreShownNowhere(t *testing.T) {
	c := &crawl{T: t, dir: t.TempDir(), program: built(t)}
	c.start("--data", filepath.Join(c.dir, "data"))
	all := newWatchman(t, cardCore, otherCardCore, noteCore)
	stream, live := c.rita.listen(all, "/v1/events"), c.rita.listen(all, "/live")

	c.calls(all)
	c.decisions(all)
	for _, v := range []*visitor{c.alice, c.bob, c.rita, c.ada} {
		v.readRoutes(all, append(c.ids, "ef_00", "%20"), []string{"pay", "tell", "nobody"})
	}
	for _, v := range []*visitor{c.rita, c.ada} {
		pages := v.readPages(all, "/", "/effects?state=held", "/effects?q=A-1", "/review/rv_00", "/nowhere", "/policies/pay")
		c.marked(v, pages)
	}
	c.askEverything(all)
	stream()
	live()
	t.Logf("%d answers, pages and streams were looked at", all.seen)
	c.atRest(all)
}

// TestConcealedValuesAreNotInRedis is the same for what a server keeps in Redis beside a shared ledger.
func TestConcealedValuesAreNotInRedis(t *testing.T) {
	c := &crawl{T: t, dir: t.TempDir(), program: built(t)}
	redis := servertest.StartRedis(t, "appendonly yes", "aof-use-rdb-preamble no", "appendfsync always")
	c.start("--data", filepath.Join(c.dir, "data"), "--ledger", servertest.Postgres(t), "--redis", redis.Address())
	all := newWatchman(t, cardCore, otherCardCore, noteCore)
	c.calls(all)
	again, _ := c.is("done", c.alice, "pay", arguments(t, "account", "A-1", "amount", 10, "card_number", sealedCard, "note", redactedNote))
	if !bytes.Contains(again, []byte(cardCore)) {
		t.Errorf("the replay lacks the result: %s", again)
	}
	folder := redis.Do(t, "CONFIG", "GET", "dir").(map[any]any)["dir"].(string)
	var kept []byte
	for began := time.Now(); len(kept) < 4096; { // bytes are kept in the background
		if kept = readFiles(t, nil, filepath.Join(folder, "appendonlydir")); time.Since(began) > patience {
			t.Fatalf("Redis has kept only %d bytes", len(kept))
		}
	}
	c.stop()
	readFiles(t, all, filepath.Join(folder, "appendonlydir"))
}

// built is the program.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "onceguard")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// start starts the server. The flags say where its ledger is.
func (c *crawl) start(ledger ...string) {
	c.upstream = &echoing{}
	up := httptest.NewServer(c.upstream)
	c.Cleanup(up.Close)
	up.Config.ErrorLog = nil
	if err := os.WriteFile(filepath.Join(c.dir, "policies.yaml"), fmt.Appendf(nil, concealingPolicies, up.URL), 0o600); err != nil {
		c.Fatal(err)
	}
	var err error
	c.server, err = startProcess(c.program, c.dir, nil, append([]string{"serve", "--addr", "127.0.0.1:0",
		"--policies", "policies.yaml", "--log-level", "debug", "--settle", "1ms"}, ledger...)...)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(c.server.kill)
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	if c.base, err = c.server.url(ctx); err != nil {
		c.Fatal(err)
	}
	key := func(role, subject string) string {
		args := append([]string{"keys", "create", "--role", role, "--subject", subject}, ledger[:min(len(ledger), 4)]...)
		out, err := exec.Command(c.program, args...).Output()
		if err != nil {
			c.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	c.alice = newVisitor(c.T, "alice", c.base, key("agent", "alice"), false)
	c.bob = newVisitor(c.T, "bob", c.base, key("agent", "bob"), false)
	c.rita = newVisitor(c.T, "rita", c.base, key("reviewer", "rita"), true)
	c.ada = newVisitor(c.T, "ada", c.base, key("admin", "ada"), true)
}

// arguments writes arguments as JSON.
func arguments(t *testing.T, pairs ...any) string {
	t.Helper()
	args := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var effectID = regexp.MustCompile(`"effect":\{"id":"(ef_[0-9a-f]+)","state":"([a-z]+)"`)

// call makes a call and gives the answer, the effect and its state.
func (c *crawl) call(v *visitor, tool, args string) (answer []byte, id, state string) {
	c.Helper()
	_, answer = v.ask(http.MethodPost, "/v1/calls", fmt.Sprintf(`{"tool":%q,"run":"r","arguments":%s}`, tool, args))
	found := effectID.FindSubmatch(answer)
	if found == nil {
		return answer, "", ""
	}
	id, state = string(found[1]), string(found[2])
	c.ids = append(c.ids, id)
	return answer, id, state
}

// is calls and fails unless the effect has a state.
func (c *crawl) is(want string, v *visitor, tool, args string) (answer []byte, id string) {
	c.Helper()
	answer, id, state := c.call(v, tool, args)
	if state != want {
		c.Fatalf("%s %s of %s is %q, want %q: %s", tool, args, v.name, state, want, answer)
	}
	return answer, id
}

// calls makes effects of every state. What the caller sent may come back to it; what others sent may not.
func (c *crawl) calls(w *watchman) {
	secret := []any{"card_number", sealedCard, "note", redactedNote}
	pay := func(account string, amount int, more ...any) string {
		return arguments(c.T, append([]any{"account", account, "amount", amount}, more...)...)
	}
	own, _ := c.is("done", c.alice, "pay", pay("A-1", 10, secret...))
	if !bytes.Contains(own, []byte(cardCore)) {
		c.Errorf("the caller does not get the result of its own call: %s", own)
	}
	if got := c.upstream.got[0]; !bytes.Contains(got, []byte(cardCore)) || !bytes.Contains(got, []byte(noteCore)) {
		c.Errorf("the tool got %s", got)
	}
	blocked, _ := c.is("held", c.bob, "pay", pay("A-1", 10, "card_number", "another card"))
	w.look("the answer to another's call on the same account", blocked)
	c.is("held", c.alice, "pay", pay("A-2", 600, secret...))
	c.is("refused", c.alice, "pay", pay("A-3", 950, secret...))
	c.is("unknown", c.alice, "pay", pay("LOST-4", 10, secret...))
	c.is("unknown", c.alice, "pay", pay("LOST-5", 10, secret...))
	c.is("failed", c.alice, "pay", pay("REFUSED-6", 10, secret...))
	for _, card := range []string{sealedCard, otherCard, sealedCard} {
		c.is("done", c.alice, "set", arguments(c.T, "account", "S-1", "card_number", card))
	}
	c.is("done", c.alice, "tell", arguments(c.T, "to", "A-1", "note", redactedNote))
	near, _ := c.is("held", c.bob, "tell", arguments(c.T, "to", "A-1", "note", strings.Replace(redactedNote, "<"+noteCore+"> & ", "& ", 1)))
	w.look("the answer to another's call that is near", near)
	c.is("failed", c.alice, "reach", arguments(c.T, "account", "R-1", "card_number", sealedCard))
	c.is("done", c.alice, "ask", arguments(c.T, "to", "A-1", "note", redactedNote))
	reworded := arguments(c.T, "to", "A-1", "note", "Please do: "+redactedNote)
	asked, _, _ := c.call(c.alice, "ask", reworded)
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindSubmatch(asked)
	if token == nil {
		c.Fatalf("no confirmation is asked for: %s", asked)
	}
	confirmed := fmt.Sprintf(`{"tool":"ask","run":"r","arguments":%s,"confirm":%s}`, reworded,
		arguments(c.T, "token", string(token[1]), "reason", "because "+redactedNote))
	if _, answer := c.alice.ask(http.MethodPost, "/v1/calls", confirmed); !bytes.Contains(answer, []byte(`"decision":"forwarded"`)) {
		c.Errorf("the confirmed call is answered with %s", answer)
	} else {
		c.ids = append(c.ids, string(effectID.FindSubmatch(answer)[1]))
	}
	for _, outcome := range []string{
		arguments(c.T, "fence", 1, "status", "done", "result", map[string]any{"charged": sealedCard}),
		arguments(c.T, "fence", 1, "status", "failed", "error", "the card "+sealedCard+" was refused"),
		arguments(c.T, "fence", 1, "status", "unknown", "error", "no word of "+sealedCard),
	} {
		_, id := c.is("pending", c.alice, "charge", arguments(c.T, "account", fmt.Sprint("C-", len(c.ids)), "card_number", sealedCard))
		if status, answer := c.alice.ask(http.MethodPost, "/v1/effects/"+id+"/outcome", outcome); status != http.StatusOK {
			c.Errorf("an outcome is answered with %d: %s", status, answer)
		}
	}
	c.is("pending", c.alice, "charge", arguments(c.T, "account", "C-OPEN", "card_number", sealedCard))
	for _, broken := range []string{
		pay("A-7", 10, "card_number", strings.Repeat(sealedCard, 3)), // against the schema
		pay("A-7", 10, "card_number", map[string]any{"n": sealedCard}),
		`{"account":"A-7","card_number":"` + cardCore + `","card_number":"` + cardCore + `"}`,
		`{"account":"A-7","card_number":"` + cardCore + `\ud800"}`,
		`{"account":"A-7","card_number":"` + cardCore,
		`"card ` + cardCore + `"`,
	} {
		answer, _, _ := c.call(c.alice, "pay", broken)
		w.look("the answer to "+broken, answer)
	}
}

// decisions lets reviewers decide, and looks at what they are told.
func (c *crawl) decisions(w *watchman) {
	_, queue := c.rita.ask(http.MethodGet, "/v1/reviews", "")
	var q struct {
		Reviews []struct {
			ID, Digest string
			Fence      int
			Choices    []string
			Effect     string
		}
	}
	if err := json.Unmarshal(queue[bytes.IndexByte(queue, '{'):], &q); err != nil || len(q.Reviews) < 5 {
		c.Fatalf("%v: %s", err, queue)
	}
	// Reviews, newest first: one waits on, so that the queue is not empty.
	for i, r := range q.Reviews[1:] {
		choice := r.Choices[i%len(r.Choices)]
		path := "/v1/reviews/" + r.ID + "/decide"
		if choice == "happened" || choice == "did_not_happen" || choice == "send_again" {
			path = "/v1/effects/ef_" + strings.TrimPrefix(r.ID, "rv_") + "/resolve"
		}
		for _, digest := range []string{strings.Repeat("0", 64), r.Digest} { // a decision on other bytes is refused
			body := arguments(c.T, "decision", choice, "fence", r.Fence, "digest", digest, "reason", "looked at it")
			status, answer := c.rita.ask(http.MethodPost, path, body)
			if status >= 500 {
				c.Errorf("%s is answered with %d: %s", body, status, answer)
			}
			w.look("the answer to the decision "+choice, answer)
		}
	}
}

// marked makes sure that the crawl has seen pages with concealed arguments, with their marks.
func (c *crawl) marked(v *visitor, pages map[string][]byte) {
	sealedMarks, redactedMarks := 0, 0
	for _, page := range pages {
		sealedMarks += bytes.Count(page, []byte("[sealed "))
		redactedMarks += bytes.Count(page, []byte("[redacted "))
	}
	for _, id := range c.ids {
		if pages["/effects/"+id] == nil {
			c.Errorf("%s did not come by the page of %s", v.name, id)
		}
	}
	if sealedMarks == 0 || redactedMarks == 0 {
		c.Errorf("%s saw %d marks of sealed values and %d of redacted ones on %d pages", v.name, sealedMarks, redactedMarks, len(pages))
	}
	c.Logf("%s saw %d pages", v.name, len(pages))
}

// askEverything asks questions whose answers could repeat what is on record.
func (c *crawl) askEverything(w *watchman) {
	draft := `version: 1
tools:
- {name: pay, arguments: {account: {role: identity, kind: id}, amount: {role: commentary}}, on: {same_identity: hold}, schema: {type: object, properties: {card_number: {type: integer}}}}
- {name: set, arguments: {account: {role: identity, kind: id}, card_number: {role: commentary}}}
- {name: tell, arguments: {to: {role: identity, kind: id}}, rules: [{if: "args.note.contains('zqx')", then: deny, why: It is there.}]}
`
	status, answer := c.ada.ask(http.MethodPost, "/v1/backtest", arguments(c.T, "policies", draft))
	if status != http.StatusOK || !bytes.Contains(answer, []byte(`"kind":"merged"`)) || bytes.Contains(answer, []byte("It is there.")) {
		c.Errorf("the backtest is answered with %d: %s", status, answer)
	}
	w.look("the backtest", answer)
	for _, v := range []*visitor{c.bob, c.rita} {
		// The earlier effect under the same key is shown to reviewers, and here the question holds no secret.
		_, answer = v.ask(http.MethodPost, "/v1/fingerprint", `{"tool":"pay","run":"r","arguments":{"account":"A-1","amount":10,"card_number":"x"}}`)
		w.look(v.name+" asks for a fingerprint", answer)
	}
}

// atRest looks at what stays when the server has ended: its log and its ledger.
func (c *crawl) atRest(all *watchman) {
	sealedOnes := newWatchman(c.T, cardCore, otherCardCore)
	readFiles(c.T, sealedOnes, filepath.Join(c.dir, "data")) // with the side files of a ledger in use
	c.stop()
	all.look("the log", []byte(c.server.stderr.String()))
	all.look("what the server prints", []byte(c.server.stdout.String()))
	if ledger := readFiles(c.T, sealedOnes, filepath.Join(c.dir, "data")); !bytes.Contains(ledger, []byte(noteCore)) {
		c.Error("what is redacted and not sealed is not in the ledger, as it has to be: it is kept in the plain")
	}
}

// stop ends the server in good order.
func (c *crawl) stop() {
	if err := c.server.signal(syscall.SIGTERM); err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	if err := c.server.wait(ctx); err != nil {
		c.Errorf("the shutdown: %v", err)
	}
}
