package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/onceguard/onceguard/guard/bench/process"
)

// buildGuard builds the program that is measured. The harness is therefore run from within the module.
func buildGuard(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "onceguard")
	c := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/onceguard/onceguard/cmd/onceguard")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// hasRedis reports whether the program can put a Redis beside its ledger.
func hasRedis(ctx context.Context, program string) (bool, error) {
	out, err := exec.CommandContext(ctx, program, "serve", "--help").CombinedOutput()
	return bytes.Contains(out, []byte("--redis")), err
}

// guard is one or more servers on one ledger.
type guard struct {
	replicas []*process.Process
	addrs    []string // host:port of each
	key      string   // an agent's API key
}

// guardOptions say what servers there are.
type guardOptions struct {
	program  string
	policies string // the file
	dir      string // data0, data1 … in it are the data folders
	replicas int
	ledger   string // URL; "" for the embedded ledger
	redis    string // URL; "" for none
}

// startGuard starts the servers. A data folder that is there already is used.
func startGuard(ctx context.Context, o guardOptions) (*guard, error) {
	g := &guard{}
	err := g.start(ctx, o)
	if err != nil {
		g.stop()
	}
	return g, err
}

func (g *guard) start(ctx context.Context, o guardOptions) error {
	for i := range o.replicas {
		data := filepath.Join(o.dir, "data"+strconv.Itoa(i))
		if i > 0 {
			if err := copyKey(filepath.Join(o.dir, "data0"), data); err != nil {
				return err
			}
		}
		args := []string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--policies", o.policies, "--log-level", "warn", "--open-metrics"}
		if o.ledger != "" {
			args = append(args, "--ledger", o.ledger)
		}
		if o.redis != "" {
			args = append(args, "--redis", o.redis)
		}
		p, err := process.Start(o.program, args)
		if err != nil {
			return err
		}
		g.replicas = append(g.replicas, p)
		found, err := p.Await(ctx, listening)
		if err != nil {
			return err
		}
		g.addrs = append(g.addrs, found[1])
	}
	args := []string{"keys", "create", "--data", filepath.Join(o.dir, "data0"), "--role", "agent", "--subject", "bench"}
	if o.ledger != "" {
		args = append(args, "--ledger", o.ledger)
	}
	var said bytes.Buffer
	c := exec.CommandContext(ctx, o.program, args...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("making an API key: %w\n%s", err, &said)
	}
	g.key = strings.TrimSpace(string(out))
	return nil
}

// copyKey gives a further server the installation key that servers of one ledger share.
func copyKey(from, to string) error {
	const name = "installation.key"
	key, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), key, 0o600)
}

func (g *guard) stop() {
	for _, p := range g.replicas {
		p.Stop()
	}
}
