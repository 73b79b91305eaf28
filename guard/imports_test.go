package guard

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/onceguard/onceguard/"

// law lists, for each package or tree, what it must never import. A trailing /... stands for all below.
var law = map[string][]string{
	"fingerprint": {strings.TrimSuffix(module, "/") + "/..."},
	"policy":      {module + "guard/...", module + "api/...", module + "web/...", module + "cmd/..."},
	"guard": {
		"net/http", "github.com/labstack/...", "github.com/jackc/...", "github.com/redis/...", "zombiezen.com/...",
		module + "api/...", module + "web/...", module + "cmd/...", module + "guard/store/...", module + "guard/forward/...", module + "guard/notify/...",
	},
	"guard/store/...":   {module + "api/...", module + "web/...", module + "cmd/...", module + "policy/...", module + "guard/forward/..."},
	"guard/forward/...": {module + "api/...", module + "web/...", module + "cmd/...", module + "policy/...", module + "guard/store/...", module + "guard/notify/..."},
	"guard/notify/...":  {module + "api/...", module + "web/...", module + "cmd/...", module + "guard/store/...", module + "guard/forward/..."},
	"guard/egress":      {strings.TrimSuffix(module, "/") + "/..."},
	"api/...":           {module + "web/...", module + "cmd/...", module + "guard/store/...", module + "guard/forward/...", module + "guard/notify/..."},
	"web/...":           {module + "api/...", module + "cmd/...", module + "guard/store/...", module + "guard/forward/...", module + "guard/notify/..."},
	"guard/bench/...":   {module + "api", module + "web/...", module + "cmd/...", module + "policy/...", module + "fingerprint/...", module + "guard", module + "guard/store/...", module + "guard/forward/..."},
}

// TestImportLaw holds the direction of data: api -> guard -> {policy, fingerprint, store, forward}. Drivers do not
// know each other.
func TestImportLaw(t *testing.T) {
	seen := 0
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		for tree, forbidden := range law {
			if !within(path, tree) {
				continue
			}
			for _, imported := range p.Imports {
				seen++
				for _, f := range append(forbidden, siblings(path)...) {
					if within(imported, f) {
						t.Errorf("%s imports %s, which the design forbids", path, imported)
					}
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d imports were looked at; the test has lost its subject", seen)
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func within(path, tree string) bool {
	if prefix, ok := strings.CutSuffix(tree, "/..."); ok {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	}
	return path == tree
}

// siblings are the other drivers of the same seam.
func siblings(path string) []string {
	for _, seam := range []string{"guard/store/", "guard/forward/"} {
		if strings.HasPrefix(path, seam) {
			return []string{module + seam[:len(seam)-1] + "/..."}
		}
	}
	return nil
}
