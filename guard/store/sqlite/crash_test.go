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

	victimEditions  = 5000 // so many that most kills meet a new one
	victimResources = 50
)

var kills = flag.Int("kills", 30, "how often TestKill kills the process that writes")

// remarked gives a request digests that verifyFile derives from its effect again.
func remarked(r guard.ClaimRequest) guard.ClaimRequest {
	n := int64(r.Effect.Key[0])
	r.Effect.Near, r.Effect.Resource = storetest.Digest("near", n), storetest.Digest("resource", n%victimResources)
	return r
}

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
				e, err := s.Enter(ctx, guard.Entry{Kind: guard.EntryEdition, Name: "pay.*", Text: fmt.Append(nil, rand.IntN(victimEditions))})
				if err != nil {
					say("error edition: %v", err)
					return
				}
				say("edition %d %s", e.Number, e.Text)
				call := remarked(storetest.NewCallAt("acme", rand.Int64()))
				call.Book = 1 << 60 // the others enter editions all the time
				got, err := s.Claim(ctx, call)
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
	known := words{map[string]guard.State{}, map[string]string{}}
	between, unacknowledged := 0, 0
	for i := range *kills {
		acknowledged := runVictims(t, path, 1+i%3, time.Duration(5+rand.IntN(120))*time.Millisecond)
		for id, state := range acknowledged.effects {
			known.effects[id] = state
			if state == guard.Pending {
				between++
			}
		}
		for text, number := range acknowledged.editions {
			if before := known.editions[text]; before != "" && before != number {
				t.Errorf("edition %s was acknowledged as number %s and then as %s", text, before, number)
			}
			known.editions[text] = number
		}
		unacknowledged = verifyFile(t, path, known)
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	if between == 0 {
		t.Error("no kill fell between a claim and its settlement: the test proves less than it says")
	}
	t.Logf("%d kills, %d effects and %d editions acknowledged, %d effects only as claimed, %d found beyond what was acknowledged",
		*kills, len(known.effects), len(known.editions), between, unacknowledged)
}

// words is what victims acknowledged: effects by id, and the numbers of editions by their text.
type words struct {
	effects  map[string]guard.State
	editions map[string]string
}

// runVictims starts processes on one file, lets them write for d after the first word, kills them, and
// returns what they said.
func runVictims(t *testing.T, path string, n int, d time.Duration) words {
	t.Helper()
	said := words{map[string]guard.State{}, map[string]string{}}
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
			listen(t, out, func(verb, id, rest string) {
				mu.Lock()
				defer mu.Unlock()
				switch verb {
				case "claimed":
					said.effects[id] = guard.Pending
				case "settled":
					said.effects[id] = guard.Done
				default:
					said.editions[rest] = id
				}
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
func listen(t *testing.T, out io.Reader, hear func(verb, id, rest string)) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		id, rest, _ := strings.Cut(rest, " ")
		switch verb {
		case "claimed", "settled", "edition":
			hear(verb, id, rest)
		default:
			t.Errorf("a victim said: %s", line)
		}
	}
}

// verifyFile opens the ledger that a dead process left. It returns how many effects nobody had heard of.
func verifyFile(t *testing.T, path string, known words) int {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := map[string]guard.State{}
	for _, e := range storetest.Check(t, s, "acme") {
		found[e.ID] = e.State
		if want := remarked(guard.ClaimRequest{Effect: e}).Effect; e.Near != want.Near || e.Resource != want.Resource {
			t.Errorf("effect %s has lost a digest", e.ID)
		}
	}
	unheard := len(found)
	for id, state := range known.effects {
		if found[id] == state || found[id] == guard.Done && state == guard.Pending {
			unheard--
			continue
		}
		t.Errorf("effect %s was acknowledged as %s and is %q", id, state, found[id])
	}
	book, err := s.Book(t.Context(), 0)
	if err != nil {
		t.Error(err)
	}
	numbers := map[string]string{}
	for _, e := range book {
		numbers[string(e.Text)] = fmt.Sprint(e.Number)
	}
	for text, number := range known.editions {
		if numbers[text] != number {
			t.Errorf("edition %s was acknowledged as number %s and is %q", text, number, numbers[text])
		}
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
