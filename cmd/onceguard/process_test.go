package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is a server in a process of its own.
type process struct {
	cmd    *exec.Cmd
	stdout *lines
	stderr *lines
	ended  chan struct{} // closed after err was set
	err    error
}

// startProcess starts a program and reads what it prints. env is added to the environment, which is else empty
// but for PATH.
func startProcess(program, dir string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), stdout: newLines(), stderr: newLines(), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var reading sync.WaitGroup
	for _, pipe := range []struct {
		open func() (io.ReadCloser, error)
		into *lines
	}{{p.cmd.StdoutPipe, p.stdout}, {p.cmd.StderrPipe, p.stderr}} {
		r, err := pipe.open()
		if err != nil {
			return nil, err
		}
		reading.Go(func() { pipe.into.read(r) })
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		reading.Wait()
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

var listening = regexp.MustCompile(`^listening on (http://\S+)$`)

// url waits until the server says where it listens.
func (p *process) url(ctx context.Context) (string, error) {
	found, err := p.stdout.await(ctx, listening)
	if err != nil {
		return "", fmt.Errorf("the server did not start: %w\n%s%s", err, p.stdout, p.stderr)
	}
	return found[1], nil
}

// wait waits for the end and gives the exit error.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("the server does not end: %w\n%s", ctx.Err(), p.stderr)
	}
}

func (p *process) signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// kill ends the process like a crash and waits until it is gone.
func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL) // it may have ended already
	<-p.ended
}

// lines collects what a process prints.
type lines struct {
	mu    sync.Mutex
	all   []string
	ended bool
	more  chan struct{} // closed and replaced with each line
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

func (l *lines) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l.add(s.Text(), false)
	}
	l.add("", true)
	_, _ = io.Copy(io.Discard, r) // a line that was too long must not stop the process
}

func (l *lines) add(line string, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended = end; !end {
		l.all = append(l.all, line)
	}
	close(l.more)
	l.more = make(chan struct{})
}

// await waits for a line that matches and returns what was found.
func (l *lines) await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for at := 0; ; {
		l.mu.Lock()
		for ; at < len(l.all); at++ {
			if found := pattern.FindStringSubmatch(l.all[at]); found != nil {
				l.mu.Unlock()
				return found, nil
			}
		}
		more, ended := l.more, l.ended
		l.mu.Unlock()
		if ended {
			return nil, errors.New("the process ended")
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, fmt.Errorf("no line matches %s: %w", pattern, ctx.Err())
		}
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(l.all, ""), "\n")
}

var shownKey = regexp.MustCompile(`^admin key, shown only this once: (og_admin_\w+)$`)

// serverCommand runs the one server of a script, with its ledger in $WORK/data.
func serverCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	what, args := word(ts, neg, args)
	ctx, cancel := limit(ts)
	defer cancel()
	switch what {
	case "start":
		w.startServer(ctx, ts, args)
	case "signal":
		ts.Check(w.server.signal(syscall.SIGTERM))
	case "stop":
		ts.Check(w.server.signal(syscall.SIGTERM))
		ts.Check(w.server.wait(ctx))
		w.keepLog(ts)
	case "gone":
		err := w.server.wait(ctx)
		w.keepLog(ts)
		equal(ts, fmt.Sprintf("exit code (%v)", err), w.server.cmd.ProcessState.ExitCode(), args[0])
	case "kill":
		w.server.kill()
		w.keepLog(ts)
	case "log":
		pattern, err := regexp.Compile(strings.Join(args, " "))
		ts.Check(err)
		_, err = w.server.stderr.await(ctx, pattern)
		ts.Check(err)
	default:
		ts.Fatalf("a server cannot %q", what)
	}
}

// startServer keeps what the server prints at its start in server.out, and an admin key that it shows in
// $ADMIN.
func (w *world) startServer(ctx context.Context, ts *testscript.TestScript, args []string) {
	program, err := exec.LookPath("onceguard")
	ts.Check(err)
	work := ts.Getenv("WORK")
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--data", filepath.Join(work, "data")}, args...)
	w.server, err = startProcess(program, work, []string{"HOME=" + work, "TOKEN=" + ts.Getenv("TOKEN")}, args...)
	ts.Check(err)
	w.url, err = w.server.url(ctx)
	ts.Check(err)
	ts.Setenv("URL", w.url)
	for line := range strings.SplitSeq(w.server.stdout.String(), "\n") {
		if found := shownKey.FindStringSubmatch(line); found != nil {
			ts.Setenv("ADMIN", found[1])
		}
	}
	ts.Check(os.WriteFile(filepath.Join(work, "server.out"), []byte(w.server.stdout.String()), 0o600))
}

// keepLog keeps the log of a server that has ended in server.log.
func (w *world) keepLog(ts *testscript.TestScript) {
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "server.log"), []byte(w.server.stderr.String()), 0o600))
}

// keyCommand makes a key beside the running server.
func keyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: key NAME ROLE SUBJECT [flag...]")
	}
	data := filepath.Join(ts.Getenv("WORK"), "data")
	args = append([]string{args[0], "keys", "create", "--data", data, "--role", args[1], "--subject", args[2]}, args[3:]...)
	ts.Check(ts.Exec("onceguard", args[1:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
