package servertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// warden is a shell that outlives this process by a moment: when the pipe that the process holds ends, however that
// came about, it runs its script, which stops a server and removes its folder.
type warden struct {
	cmd  *exec.Cmd
	pipe io.Closer
	once sync.Once
}

// watch starts a warden. The script finds its arguments as $1, $2 and so on.
func watch(script string, args ...string) (*warden, error) {
	cmd := exec.Command("sh", append([]string{"-c", "cat >/dev/null; " + script, "warden"}, args...)...)
	cmd.Dir = "/"
	if err := asOwner(cmd); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd.Stdin = read
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, err
	}
	return &warden{cmd: cmd, pipe: write}, nil
}

// end lets the warden do its work and waits for it.
func (w *warden) end(t testing.TB) {
	w.once.Do(func() {
		if err := w.pipe.Close(); err != nil {
			t.Errorf("servertest: %v", err)
		}
		if err := w.cmd.Wait(); err != nil {
			t.Errorf("servertest: cleaning up: %v", err)
		}
	})
}

// run runs a program as the servers' user and returns its output in the error.
func run(path string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Dir = "/"
	if err := asOwner(cmd); err != nil {
		return err
	}
	// A file, because a daemon that inherited a pipe would keep it open for ever.
	out, err := os.CreateTemp("", "onceguard-output-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name()) // the error below is the one that counts
		return fmt.Errorf("%s: %w: %s", path, err, bytes.TrimSpace(said))
	}
	return nil
}

// freePort returns a port of the loopback interface that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
