// Package peer installs the systems that the guard is compared with, each doing the nearest equivalent: answer a call that
// carries a key, send it to the upstream when the key is new, and replay the first answer when it is not.
//
// Nothing of theirs is part of this module. Their servers come from package registries, and the programs that use their
// libraries (folder program) are kept as text and built in the folder that Install is given.
package peer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed program/*.txt
var sources embed.FS

// restateVersion is the version of the npm package that ships Restate's server.
const restateVersion = "1.7.12"

// Programs says where the programs of the peers are. A path is "" where the program could not be installed, and Missing says why.
type Programs struct {
	Program       string // takes the name of a peer: fiber, dbos or restate
	RestateServer string
	Missing       error
}

// Install builds the peers' programs in dir, or finds those that an earlier call left there. It needs the registries of Go and
// npm, and npm itself, the first time.
func Install(ctx context.Context, dir string, say func(format string, args ...any)) Programs {
	var p Programs
	var goErr, npmErr error
	p.Program, goErr = once(filepath.Join(dir, "peers"), func(folder string) (string, error) {
		say("building the peers' programs in %s (a minute or two, once)", folder)
		return buildPeers(ctx, folder)
	})
	p.RestateServer, npmErr = once(filepath.Join(dir, "restate-"+restateVersion), func(folder string) (string, error) {
		say("installing Restate %s in %s", restateVersion, folder)
		return installRestate(ctx, folder)
	})
	p.Missing = errors.Join(goErr, npmErr)
	return p
}

// Installed finds what an earlier Install left in dir, without installing anything.
func Installed(dir string) Programs {
	absent := func(string) (string, error) { return "", errors.New("not installed") }
	var p Programs
	var goErr, npmErr error
	p.Program, goErr = once(filepath.Join(dir, "peers"), absent)
	p.RestateServer, npmErr = once(filepath.Join(dir, "restate-"+restateVersion), absent)
	if errors.Join(goErr, npmErr) != nil {
		p.Missing = errors.New("not all of them are installed: run the bench once with --install")
	}
	return p
}

// done names the file that holds the program's path once all of it is there; an installation that was cut short has none.
const done = "program.path"

func once(folder string, install func(folder string) (string, error)) (string, error) {
	if text, err := os.ReadFile(filepath.Join(folder, done)); err == nil && !stale(folder) {
		return string(text), nil
	}
	program, err := install(folder)
	if err != nil {
		return "", err
	}
	return program, os.WriteFile(filepath.Join(folder, done), []byte(program), 0o644)
}

// stale reports whether the sources in folder are not those that this harness holds.
func stale(folder string) bool {
	if filepath.Base(folder) != "peers" {
		return false
	}
	for name, text := range sourceFiles() {
		if name == "go.mod" {
			continue // the go command completes it
		}
		if there, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(there) != text {
			return true
		}
	}
	return false
}

// sourceFiles returns the text of each file of the peers' module by its name.
func sourceFiles() map[string]string {
	files := map[string]string{}
	entries, err := sources.ReadDir("program")
	if err != nil {
		panic(err) // the files are part of this program
	}
	for _, e := range entries {
		text, err := sources.ReadFile("program/" + e.Name())
		if err != nil {
			panic(err)
		}
		files[strings.TrimSuffix(e.Name(), ".txt")] = string(text)
	}
	return files
}

func buildPeers(ctx context.Context, folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for name, text := range sourceFiles() {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	program := filepath.Join(folder, "peers")
	if err := command(ctx, folder, "go", "mod", "tidy"); err != nil {
		return "", err
	}
	return program, command(ctx, folder, "go", "build", "-o", program, ".")
}

func installRestate(ctx context.Context, folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	err := command(ctx, folder, "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "@restatedev/restate-server@"+restateVersion)
	if err != nil {
		return "", err
	}
	// The server itself is in a package for each kind of machine, of which npm installs the one that fits.
	found, err := filepath.Glob(filepath.Join(folder, "node_modules", "@restatedev", "restate-server-*", "bin", "restate-server"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("the npm package of Restate has no server for this machine in %s", folder)
	}
	return found[0], nil
}

func command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	// A workspace or vendoring of the folder that the bench runs in says nothing about the peers.
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
