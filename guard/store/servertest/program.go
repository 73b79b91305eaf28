package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// debianFolders is where Debian and its descendants keep the programs of each version of PostgreSQL, out of PATH.
const debianFolders = "/usr/lib/postgresql/*/bin"

// postgresFolder returns the folder with the programs of the newest PostgreSQL.
func postgresFolder(t testing.TB) string {
	t.Helper()
	var folders []string
	if found, err := filepath.Glob(debianFolders); err == nil { // the pattern is sound
		folders = found
	}
	slices.SortFunc(folders, func(a, b string) int { return versionOf(b) - versionOf(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, f := range folders {
		if _, err := exec.LookPath(filepath.Join(f, "initdb")); err == nil {
			return f
		}
	}
	missing(t, "initdb", "postgresql")
	return ""
}

func versionOf(folder string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	if err != nil {
		return 0 // comes last
	}
	return n
}

func missing(t testing.TB, name, install string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not on this machine: install %s, because a test must not be skipped where CI is set", name, install)
	}
	t.Skipf("%s is not on this machine: install %s to run this test", name, install)
}
