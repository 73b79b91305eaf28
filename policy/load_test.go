package policy

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/fingerprint"
)

var update = flag.Bool("update", false, "write the golden files anew")

// token is the secret of the working policy; it may show up nowhere but in a rendered request.
const secretToken = "s3cr3t-token-of-the-test"

// signingSecret is the secret of an endpoint.
const signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func setSecrets(t testing.TB) {
	t.Helper()
	t.Setenv("POLICY_TEST_TOKEN", secretToken)
	t.Setenv("POLICY_TEST_SECRET", signingSecret)
}

func TestWorkingPoliciesLoad(t *testing.T) {
	setSecrets(t)
	for _, path := range globTestdata(t, "working_*") {
		if _, err := Load(path); err != nil {
			t.Errorf("%s:\n%v", path, err)
		}
	}
}

// Every broken file has one defect; the golden file holds what a person reads about it.
func TestBrokenPoliciesSayWhatIsWrong(t *testing.T) {
	var all strings.Builder
	paths := globTestdata(t, "broken/*")
	if len(paths) < 200 {
		t.Fatalf("only %d broken policies", len(paths))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(filepath.Base(path), text)
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: loaded, or failed with %v", path, err)
			continue
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Remedy == "" {
				t.Errorf("%s: incomplete problem %+v", path, p)
			}
		}
		for _, secret := range []string{"hunter2", "c2hvcnQ", "MfKQ9r8G"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows a secret: %v", path, err)
			}
		}
		all.WriteString(err.Error() + "\n")
	}
	// The list of kinds belongs to package fingerprint and grows there.
	base, of := fingerprint.KindNames()
	text := strings.ReplaceAll(all.String(), "the kinds are "+strings.Join(append(base, of...), ", "), "the kinds are KINDS")
	golden(t, filepath.Join("testdata", "broken.golden"), text)
}

func TestAllProblemsOfAFileAreReported(t *testing.T) {
	_, err := Parse("p.yaml", []byte("version: 1\ntools:\n  - nam: a\n    window: soon\n    rules: [{if: 'x', then: maybe}]\n"))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	// The unknown key, the missing name, the window, the choice, and the condition.
	if len(problems) != 5 {
		t.Errorf("%d problems:\n%v", len(problems), err)
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Errorf("not in order:\n%v", err)
		}
	}
}

func TestLoadReadsFoldersAndNamesBothPlacesOfATwin(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "version: 1\ntools:\n  - name: refund\n")
	write(t, dir, "sub/b.yml", "version: 1\ntools:\n  - name: refund\n")
	write(t, dir, "sub/cases_test.yaml", "not a policy: [\n")
	write(t, dir, ".hidden/c.yaml", "not a policy: [\n")
	write(t, dir, "notes.txt", "not a policy")
	_, err := Load(dir)
	want := filepath.Join(dir, "sub/b.yml") + `:3:5: the tool "refund" is also defined at ` + filepath.Join(dir, "a.yaml") + ":3; keep one of them"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestDefaultsHoldForAllFilesAndAreSetOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "version: 1\ndefaults: {window: 3d, on: {done: block}, unknown_tools: deny}\n")
	write(t, dir, "b.yaml", "version: 1\ndefaults: {lease: 1m, on: {pending: block}}\ntools:\n  - name: refund\n    on: {done: allow}\n")
	set, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	rule := set.Match("refund")
	if rule.Window != 3*day || rule.Lease.Minutes() != 1 || rule.On.Pending != Block || rule.On.Done != Allow || rule.On.Failed != Retry {
		t.Errorf("got %+v", rule)
	}
	if unknown := set.Match("other"); unknown.On.Done != Block || unknown.Window != 3*day || set.UnknownTools() != "deny" {
		t.Errorf("got %+v", unknown)
	}
	if rule.Source != "b.yaml:4" {
		t.Errorf("source %q", rule.Source)
	}
	write(t, dir, "c.yaml", "version: 1\ndefaults: {window: 1d}\n")
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), `the default "window" is also set at `) {
		t.Errorf("got %v", err)
	}
}

func TestLoadOfWhatIsNotThere(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "nothing"))
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v", err)
	}
	if set, err := Load(t.TempDir()); err != nil || len(set.Rules()) != 0 {
		t.Errorf("an empty folder gives %v, %v", set, err)
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"deep flow":     "version: 1\ntools: " + strings.Repeat("[", 1_000_000),
		"deep maps":     "version: 1\ntools: " + strings.Repeat("{a: ", 100_000),
		"deep sequence": strings.Repeat("- ", 200_000) + "a",
		"deep keys":     strings.Repeat("? ", 200_000) + "a",
		"not UTF-8":     "version: 1\ntools: [{name: \"\xff\"}]\n",
		"large":         "version: 1\n" + strings.Repeat("# padding\n", 500_000),
		"NUL":           "version: 1\x00",
	} {
		t.Run(name, func(t *testing.T) {
			var problems Problems
			if _, err := Parse("p.yaml", []byte(text)); !errors.As(err, &problems) || len(problems) > maxProblems+1 {
				t.Errorf("got %.300v", err)
			}
		})
	}
}

func TestByteOrderMarkAndWindowsLines(t *testing.T) {
	set, err := Parse("p.yaml", []byte("\ufeffversion: 1\r\ntools:\r\n  - name: refund\r\n    window: 3h\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if rule := set.Match("refund"); rule.Unknown || rule.Window.Hours() != 3 {
		t.Errorf("got %+v", rule)
	}
}

func globTestdata(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	return paths
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	known := strings.Split(string(want), "\n")
	for line := range strings.Lines(got) {
		if !slices.Contains(known, strings.TrimSuffix(line, "\n")) {
			t.Errorf("not in %s: %s", path, line)
		}
	}
	t.Errorf("%s differs (write it anew with -update)", path)
}
