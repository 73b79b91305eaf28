//go:build unix

package process

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestProcess(t *testing.T) {
	p, err := Start("sh", []string{"-c", `echo "in $PWD with $WORD"; echo "ready at 7" >&2; exec sleep 60`}, In("/"), Env("WORD=luck"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.Await(within(t), regexp.MustCompile(`^ready at (\d)$`))
	if err != nil || found[1] != "7" {
		t.Fatalf("%v %v", found, err)
	}
	if !strings.Contains(p.Said(), "in / with luck") {
		t.Errorf("it said %q", p.Said())
	}
	p.Stop()
	p.Stop()
	if _, err := p.Await(within(t), regexp.MustCompile("never")); err == nil || !strings.Contains(err.Error(), "ended") || !strings.Contains(err.Error(), "ready at 7") {
		t.Errorf("awaiting an ended process: %v", err)
	}
}

func TestProcessThatFails(t *testing.T) {
	p, err := Start("sh", []string{"-c", "echo reason >&2; exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Ended(within(t)); err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "reason") {
		t.Errorf("the failure says %v", err)
	}
	if err := p.Until(within(t), func(context.Context) error { return os.ErrNotExist }); err == nil || !strings.Contains(err.Error(), "reason") {
		t.Errorf("waiting for what has ended: %v", err)
	}
	if _, err := Start(filepath.Join(t.TempDir(), "absent"), nil); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestUntil(t *testing.T) {
	p, err := Start("sleep", []string{"60"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	asked := 0
	err = p.Until(within(t), func(context.Context) error {
		if asked++; asked < 3 {
			return os.ErrNotExist
		}
		return nil
	})
	if err != nil || asked != 3 {
		t.Errorf("%v after %d questions", err, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Await(ctx, regexp.MustCompile("never")); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("%v", err)
	}
}

func TestParseStat(t *testing.T) {
	s, err := parseStat("42 (a (strange) name) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 1 0 12345 1 2\n")
	if err != nil || s.pid != 42 || s.parent != 7 || s.used != 1240*time.Millisecond {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "42", "42 (x", "x (y) S 1", "42 (y) S 1 2 3", "42 (y) S p 42 42 0 -1 0 1 2 3 4 1 2 3 1 20", "42 (y) S 7 42 42 0 -1 0 1 2 3 4 x 2 3 1 20"} {
		if s, err := parseStat(bad); err == nil {
			t.Errorf("%q is taken for %+v", bad, s)
		}
	}
}

func TestParseBusy(t *testing.T) {
	busy, err := parseBusy("cpu  100 10 50 9999 8888 4 3 2 100 10\ncpu0 1 2 3\n")
	if err != nil || busy != 1690*time.Millisecond {
		t.Errorf("%v %v", busy, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8 9", "cpu 1 2 x 4 5 6 7 8 9"} {
		if busy, err := parseBusy(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, busy)
		}
	}
}

// TestUsage looks at a shell whose child has done the work.
func TestUsage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not tell what a process costs")
	}
	p, err := Start("sh", []string{"-c", `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo counted; exec sleep 60`})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if _, err := p.Await(within(t), regexp.MustCompile("counted")); err != nil {
		t.Fatal(err)
	}
	if used, ok := CPU(p.Pid()); !ok || used < 2*tick {
		t.Errorf("the child's work counts for %v", used)
	}
	if n := Resident(p.Pid()); n < 100<<10 || n > 1<<30 {
		t.Errorf("it has %d bytes", n)
	}
	if n := Descriptors(p.Pid()); n < 3 || n > 100 {
		t.Errorf("it has %d files open", n)
	}
	const nobody = 1 << 30
	if _, ok := CPU(nobody); ok || Resident(nobody) != 0 || Descriptors(nobody) != 0 {
		t.Error("a process that is not there costs something")
	}
}
