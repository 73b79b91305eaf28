package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// Template is a ledger in one file that is made once in a process and copied for each test: to make the tables of an empty one
// takes many times as long.
type Template struct {
	open func(path string) (guard.Store, error)

	mu    sync.Mutex
	bytes []byte // of the file; nil until it is made
}

// NewTemplate returns a template. Open makes an empty ledger where no file is; when its store is closed, all of it is in that file.
func NewTemplate(open func(path string) (guard.Store, error)) *Template { return &Template{open: open} }

// Copy returns the path of a copy, in a folder that ends with the test.
func (m *Template) Copy(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes == nil {
		s, err := m.open(path)
		if err == nil {
			err = s.Close()
		}
		if err == nil {
			m.bytes, err = os.ReadFile(path)
		}
		if err != nil {
			t.Fatalf("a template cannot be made: %v", err)
		}
		return path
	}
	if err := os.WriteFile(path, m.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
