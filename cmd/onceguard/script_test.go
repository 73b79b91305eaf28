package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/onceguard/onceguard/guard/forward/forwardtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"onceguard": main})
}

// TestScript runs the promises of the program against the program itself, over HTTP. scriptCommands are what
// the scripts can do beside the commands of testscript.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setUp(t),
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"server":   serverCommand,   // start [flag...] | stop | kill | signal | gone CODE | log PATTERN
	"upstream": upstreamCommand, // will BEHAVIOUR... | hold | release | await N | executed N [KEY] | received N
	"hook":     hookCommand,     // will BEHAVIOUR... | await N | received N | verified N SECRET | same N M
	"key":      keyCommand,      // NAME ROLE SUBJECT [flag...]: make a key and keep it in $NAME
	"http":     httpCommand,     // [-prefer PREFERENCE] KEY METHOD PATH [FILE|JSON]; the key - is none
	"begin":    beginCommand,    // NAME KEY METHOD PATH [FILE|JSON]: the same without waiting for the answer
	"join":     joinCommand,     // NAME: wait for that answer
	"leave":    leaveCommand,    // NAME: hang up
	"until":    untilCommand,    // STATUS KEY METHOD PATH: ask until the answer has the status
	"status":   statusCommand,   // STATUS of the last answer
	"header":   headerCommand,   // NAME VALUE of the last answer
	"answer":   answerCommand,   // PATH [VALUE]: a member of the last answer, such as effect.state or next.0
	"keep":     keepCommand,     // NAME PATH: keep a member of the last answer in $NAME
	"ledger":   ledgerCommand,   // freeze | thaw: let another process hold the ledger's writes
}

// world is what belongs to one script.
type world struct {
	upstream *forwardtest.Upstream
	hooks    *forwardtest.Upstream // what endpoints of policies are told comes here
	release  chan struct{}         // closed to let go of what the upstream holds
	server   *process
	url      string
	last     reply
	callers  map[string]*caller
	writer   *sqlite.Conn // holds the ledger while it is frozen
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// setUp gives each script an upstream and an endpoint of its own, which its policies call http://upstream.test and http://hooks.test.
func setUp(t *testing.T) func(*testscript.Env) error {
	return func(e *testscript.Env) error {
		w := &world{
			upstream: forwardtest.NewUpstream(t, forwardtest.Field("order_id")), callers: make(map[string]*caller),
			hooks: forwardtest.NewUpstream(t, forwardtest.Field("type")),
		}
		e.Values[worldKey{}] = w
		e.Setenv("UPSTREAM", w.upstream.URL)
		e.Setenv("HOME", e.WorkDir)
		e.Defer(func() {
			w.letGo()
			if w.writer != nil {
				w.writer.Close()
			}
			if w.server != nil {
				w.server.kill()
			}
		})
		return filepath.WalkDir(e.WorkDir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = bytes.ReplaceAll(text, []byte("http://upstream.test"), []byte(w.upstream.URL))
			text = bytes.ReplaceAll(text, []byte("http://hooks.test"), []byte(w.hooks.URL))
			return os.WriteFile(path, text, 0o600)
		})
	}
}

func (w *world) letGo() {
	if w.release != nil {
		close(w.release)
		w.release = nil
	}
}

func upstreamCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	what, args := word(ts, neg, args)
	switch what {
	case "will":
		for _, name := range args {
			w.upstream.Script(behaviour(ts, name))
		}
	case "hold":
		w.release = make(chan struct{})
		w.upstream.Script(forwardtest.Behaviour{Apply: true, Status: 200, Until: w.release})
	case "release":
		w.letGo()
	case "await":
		ctx, cancel := limit(ts)
		defer cancel()
		ts.Check(w.upstream.Await(ctx, number(ts, args, 0)))
	case "received":
		equal(ts, "requests at the upstream", w.upstream.Received(""), number(ts, args, 0))
	case "executed":
		key := ""
		if len(args) > 1 {
			key = args[1]
		}
		equal(ts, "executions by the upstream", w.upstream.Applied(key), number(ts, args, 0))
	default:
		ts.Fatalf("the upstream cannot %q", what)
	}
}

func behaviour(ts *testscript.TestScript, name string) forwardtest.Behaviour {
	switch name {
	case "commit-then-drop":
		return forwardtest.CommitThenDrop
	case "drop-before-commit":
		return forwardtest.DropBeforeCommit
	case "commit-then-hang":
		return forwardtest.CommitThenHang
	}
	code, err := strconv.Atoi(name)
	if err != nil {
		ts.Fatalf("the upstream cannot do %q", name)
	}
	return forwardtest.Status(code)
}

// ledgerCommand holds the ledger like a process that writes to it and never ends.
func ledgerCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	switch what, _ := word(ts, neg, args); what {
	case "freeze":
		conn, err := sqlite.OpenConn(filepath.Join(ts.Getenv("WORK"), "data", "ledger.db"), sqlite.OpenReadWrite)
		ts.Check(err)
		w.writer = conn
		conn.SetBusyTimeout(10 * time.Second)
		ts.Check(sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil))
	case "thaw":
		ts.Check(sqlitex.ExecuteTransient(w.writer, "ROLLBACK", nil))
	default:
		ts.Fatalf("nothing is known about %q", what)
	}
}

// word takes the first word of a command that cannot be negated.
func word(ts *testscript.TestScript, neg bool, args []string) (string, []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("this command needs a word and takes no !")
	}
	return args[0], args[1:]
}

func number(ts *testscript.TestScript, args []string, i int) int {
	if i >= len(args) {
		ts.Fatalf("a number is missing")
	}
	n, err := strconv.Atoi(args[i])
	ts.Check(err)
	return n
}

func equal(ts *testscript.TestScript, what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); strings.TrimSpace(g) != w {
		ts.Fatalf("%s: %s, want %s", what, g, w)
	}
}
