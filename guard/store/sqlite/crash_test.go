package sqlite_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

const (
	victimEnv     = "ONCEGUARD_TEST_VICTIM"
	victimCallers = 8
)

var kills = flag.Int("kills", 30, "how often TestKill kills the process that writes")

// victim is the process that is killed: it claims and settles, and says on standard output what was acknowledged.
func victim(path string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	var wg sync.WaitGroup
	for range victimCallers {
		wg.Go(func() {
			for {
				got, err := s.Claim(ctx, storetest.NewCallAt("acme", rand.Int64()))
				if err != nil || !got.Won {
					say("error claim: %v", err)
					return
				}
				say("claimed %s", got.Effect.ID)
				if _, err := s.Settle(ctx, storetest.Outcome(got.Effect, guard.Done)); err != nil {
					say("error settle: %v", err)
					return
				}
				say("settled %s", got.Effect.ID)
			}
		})
	}
	wg.Wait()
	os.Exit(1)
}

// TestKill kills a process that writes without a pause, again and again on the same file: after each death, everything
// that it had acknowledged is there, and nothing is there by half.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	known := map[string]guard.State{}
	between, unacknowledged := 0, 0
	for i := range *kills {
		acknowledged := runVictims(t, path, 1+i%3, time.Duration(5+rand.IntN(120))*time.Millisecond)
		for id, state := range acknowledged {
			known[id] = state
			if state == guard.Pending {
				between++
			}
		}
		unacknowledged = verifyFile(t, path, known)
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	if between == 0 {
		t.Error("no kill fell between a claim and its settlement: the test proves less than it says")
	}
	t.Logf("%d kills, %d effects acknowledged, %d of them only as claimed, %d found beyond what was acknowledged", *kills, len(known), between, unacknowledged)
}

// runVictims starts processes on one file, lets them write for d after the first word, kills them, and
// returns what they said.
func runVictims(t *testing.T, path string, n int, d time.Duration) map[string]guard.State {
	t.Helper()
	said := map[string]guard.State{}
	var mu sync.Mutex
	var running sync.WaitGroup
	heard := make(chan struct{})
	var once sync.Once
	var victims []*exec.Cmd
	for range n {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), victimEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		victims = append(victims, cmd)
		running.Go(func() {
			defer once.Do(func() { close(heard) }) // a victim that fails at once must not hang the test
			listen(t, out, func(id string, state guard.State) {
				mu.Lock()
				defer mu.Unlock()
				said[id] = state
				once.Do(func() { close(heard) })
			})
		})
	}
	<-heard
	time.Sleep(d) // the moment of death is what the test varies
	for _, v := range victims {
		if err := v.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	running.Wait()
	for _, v := range victims {
		_ = v.Wait() // it was killed
	}
	return said
}

// listen reads whole lines; a line that the death cut off was not an acknowledgement.
func listen(t *testing.T, out io.Reader, hear func(id string, state guard.State)) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "claimed":
			hear(rest, guard.Pending)
		case "settled":
			hear(rest, guard.Done)
		default:
			t.Errorf("a victim said: %s", line)
		}
	}
}

// verifyFile opens the ledger that a dead process left. It returns how many effects nobody had heard of.
func verifyFile(t *testing.T, path string, known map[string]guard.State) int {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := map[string]guard.State{}
	for _, e := range storetest.Check(t, s, "acme") {
		found[e.ID] = e.State
	}
	unheard := len(found)
	for id, state := range known {
		if found[id] == state || found[id] == guard.Done && state == guard.Pending {
			unheard--
			continue
		}
		t.Errorf("effect %s was acknowledged as %s and is %q", id, state, found[id])
	}
	conn, err := zombiezen.OpenConn(path, zombiezen.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if ok, err := sqlitex.ResultText(conn.Prep("PRAGMA integrity_check")); err != nil || ok != "ok" {
		t.Errorf("integrity_check: %s, %v", ok, err)
	}
	broken, err := sqlitex.ResultInt(conn.Prep(`SELECT (SELECT count(*) FROM pragma_foreign_key_check) +
		(SELECT count(*) FROM events) - (SELECT coalesce(sum(events), 0) FROM effects)`))
	if err != nil || broken != 0 {
		t.Errorf("%d rows stand alone, %v", broken, err)
	}
	return unheard
}
