package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadme runs the commands of README.md in one shell, in a copy of the source tree, and holds their output
// against what the page shows, in which … stands for anything. Only the port is another one.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("the commands of README.md build the program twice")
	}
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), "127.0.0.1:7411", freeAddress(t))
	sh := startShell(t, copyTree(t, root))
	commands := 0
	for _, b := range fencedBlocks(page) {
		switch name, file, _ := strings.Cut(b.info, " "); {
		case name == "yaml" && file != "":
			sh.writeFile(file, b.text)
		case name == "console":
			for _, c := range consoleCommands(b.text) {
				sh.run(c)
				commands++
			}
		}
	}
	if commands < 15 {
		t.Errorf("only %d commands were found; the test has lost its subject", commands)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// copyTree copies what a fresh clone would have.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "cmd", "guard", "fingerprint", "policy", "api", "web"} {
		from := filepath.Join(root, name)
		info, err := os.Stat(from)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil && info.IsDir() {
			err = os.CopyFS(filepath.Join(dir, name), os.DirFS(from))
		} else if err == nil {
			var b []byte
			if b, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type block struct{ info, text string }

var fence = regexp.MustCompile("(?ms)^```(\\S[^\n]*)\n(.*?)^```$")

func fencedBlocks(page string) (all []block) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

type command struct {
	line string
	want []string // lines, with … for anything
}

func consoleCommands(text string) (all []command) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, command{line: c})
		} else {
			last := &all[len(all)-1]
			last.want = append(last.want, line)
		}
	}
	return all
}

// pattern matches the whole output. A line that is only … matches any number of lines.
func (c command) pattern() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, line := range c.want {
		if line == "…" {
			b.WriteString(`(?:.*\n)?`)
			continue
		}
		for i, part := range strings.Split(line, "…") {
			if i > 0 {
				b.WriteString(`[^\n]*`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
		b.WriteString(`\n`)
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// shell is one bash that runs command after command, each with its own pipe for output.
type shell struct {
	t     *testing.T
	dir   string
	stdin io.Writer
	n     int
}

func startShell(t *testing.T, dir string) *shell {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Dir, cmd.Stderr = dir, t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // a command of the page that fails has failed the test already
	})
	return &shell{t: t, dir: dir, stdin: stdin}
}

func (s *shell) writeFile(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// run types one command. A command in the background goes on when its output has come so far as the page shows.
func (s *shell) run(c command) {
	s.t.Helper()
	s.n++
	fifo := filepath.Join(s.dir, fmt.Sprintf("out-%d", s.n))
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		s.t.Fatal(err)
	}
	address := strings.TrimPrefix(regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(c.line+strings.Join(c.want, " ")), " ")
	line := c.line
	switch {
	case strings.Contains(line, " demo"):
		line += " --addr 127.0.0.1:0"
	case strings.Contains(line, " serve"):
		line = "ONCEGUARD_ADDR=" + address + " " + line
	}
	if _, err := fmt.Fprintf(s.stdin, "{ %s\n} > %s 2>&1\n", line, fifo); err != nil {
		s.t.Fatal(err)
	}
	out, err := os.Open(fifo)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { out.Close() })
	got, matched := s.read(out, c)
	if !matched {
		s.t.Fatalf("$ %s\n%s\nbut README.md shows\n%s", c.line, got, strings.Join(c.want, "\n"))
	}
}

// read collects lines until the output is whole, or, of a command in the background, until it matches.
func (s *shell) read(out *os.File, c command) (got string, matched bool) {
	s.t.Helper()
	whole, background := c.pattern(), strings.HasSuffix(c.line, "&")
	var all bytes.Buffer
	lines := make(chan string)
	go func() {
		defer close(lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if line != "" {
				lines <- strings.TrimSuffix(line, "\n") + "\n" // an answer of curl has no end of line
			}
			if err != nil {
				return
			}
		}
	}()
	late := time.After(4 * time.Minute)
	for {
		select {
		case line, more := <-lines:
			all.WriteString(line)
			if background && more && whole.Match(all.Bytes()) {
				go func() {
					for range lines {
					}
				}()
				return all.String(), true
			}
			if !more {
				return all.String(), whole.Match(all.Bytes())
			}
		case <-late:
			return all.String(), false
		}
	}
}
