package peer

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSources keeps the peers' programs from rotting unseen: they are no part of the build.
func TestSources(t *testing.T) {
	files := sourceFiles()
	programs := 0
	for name, text := range files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		programs++
		if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.AllErrors); err != nil {
			t.Error(err)
		}
	}
	if programs != 4 || !strings.HasPrefix(files["go.mod"], "module peers\n") {
		t.Errorf("the sources are %d programs with the module file %q", programs, files["go.mod"])
	}
}

func TestNothingInstalled(t *testing.T) {
	p := Installed(t.TempDir())
	if p.Program != "" || p.RestateServer != "" || p.Missing == nil || !strings.Contains(p.Missing.Error(), "--install") {
		t.Errorf("%+v", p)
	}
}

func TestInstalledPrograms(t *testing.T) {
	dir := t.TempDir()
	put := func(folder, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("restate-"+restateVersion, done, "/restate-server")
	put("peers", done, "/peers")
	for name, text := range sourceFiles() {
		put("peers", name, text)
	}
	if p := Installed(dir); p.Program != "/peers" || p.RestateServer != "/restate-server" || p.Missing != nil {
		t.Errorf("%+v", p)
	}
	// Programs of another version of the harness are built anew.
	put("peers", "main.go", "package main")
	if p := Installed(dir); p.Program != "" || p.RestateServer == "" || p.Missing == nil {
		t.Errorf("%+v", p)
	}
}
