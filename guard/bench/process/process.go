// Package process starts the servers that are measured, each as a process of its own, and tells what they cost.
//
// A process that was started here ends when it is stopped, and on Linux also when the harness dies. What it costs is read
// from /proc, so on other systems costs are unknown rather than wrong.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a process may take to end in order.
const grace = 15 * time.Second

// Process is a server that runs.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu   sync.Mutex
	said []string      // the last lines of both outputs
	more chan struct{} // closed and replaced with each line
}

// Option changes a command before it starts.
type Option func(*exec.Cmd)

// In sets the working folder.
func In(dir string) Option { return func(c *exec.Cmd) { c.Dir = dir } }

// Env adds variables to those of the harness.
func Env(vars ...string) Option { return func(c *exec.Cmd) { c.Env = append(c.Environ(), vars...) } }

// Start starts a program. Its output is kept for errors and for Await.
func Start(name string, args []string, options ...Option) (*Process, error) {
	cmd := exec.Command(name, args...)
	apart(cmd)
	for _, o := range options {
		o(cmd)
	}
	p := &Process{cmd: cmd, ended: make(chan struct{}), more: make(chan struct{})}
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	cmd.WaitDelay = time.Second // what it leaves behind may keep its outputs open
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", name, err)
	}
	var listening sync.WaitGroup
	listening.Go(func() { p.listen(out) })
	go func() {
		_ = cmd.Wait() // how it ended is told by its state and by what it said
		in.Close()
		listening.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

const keptLines = 200

func (p *Process) listen(out io.Reader) {
	s := bufio.NewScanner(out)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.mu.Lock()
		if p.said = append(p.said, s.Text()); len(p.said) > 2*keptLines {
			p.said = append([]string(nil), p.said[keptLines:]...)
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, out) // a line that was too long must not stop the process
}

// Await waits for a line that matches and returns what was found in it.
func (p *Process) Await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for {
		p.mu.Lock()
		for _, line := range p.said {
			if found := pattern.FindStringSubmatch(line); found != nil {
				p.mu.Unlock()
				return found, nil
			}
		}
		more := p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.ended:
			return nil, fmt.Errorf("%s ended; it said:\n%s", p.cmd.Path, p.Said())
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is not ready: %w; it said:\n%s", p.cmd.Path, ctx.Err(), p.Said())
		}
	}
}

// Until calls ready until it returns nil, for servers that do not say when they are.
func (p *Process) Until(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s ended; it said:\n%s", p.cmd.Path, p.Said())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; it said:\n%s", p.cmd.Path, errors.Join(err, ctx.Err()), p.Said())
		}
	}
}

// Said returns the last lines that the process wrote.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said, "\n")
}

// Stop ends the process in order, or by force when it takes too long. To stop it twice is safe.
func (p *Process) Stop() { p.stop(syscall.SIGTERM) }

// Interrupt is Stop with the signal that PostgreSQL takes for "end all connections and stop".
func (p *Process) Interrupt() { p.stop(syscall.SIGINT) }

func (p *Process) stop(s os.Signal) {
	_ = p.cmd.Process.Signal(s) // it may have ended already
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// Ended waits for the end of a program that ends by itself. A failure comes with what the program said.
func (p *Process) Ended(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s: %s; it said:\n%s", p.cmd.Path, p.cmd.ProcessState, p.Said())
	}
	return nil
}
