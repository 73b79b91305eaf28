package policy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// attempt is one call of report.
type attempt struct {
	set *Set
	err error
}

// watched starts a Source over path and gives the attempts that it reports.
func watched(t *testing.T, path string) (*Source, <-chan attempt) {
	t.Helper()
	attempts := make(chan attempt, 100)
	ctx, cancel := context.WithCancel(t.Context())
	source, err := Watch(ctx, path, func(set *Set, err error) { attempts <- attempt{set, err} })
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-source.Done()
	})
	return source, attempts
}

// await waits for an attempt that fits. Several writes can be one attempt or more.
func await(t *testing.T, attempts <-chan attempt, fits func(attempt) bool) attempt {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case a := <-attempts:
			if fits(a) {
				return a
			}
		case <-deadline:
			t.Fatal("no such reload was reported")
		}
	}
}

func has(tool string) func(attempt) bool {
	return func(a attempt) bool { return a.err == nil && !a.set.Match(tool).Unknown }
}

func failed(a attempt) bool { return a.err != nil }

func policyOf(tool string) string { return "version: 1\ntools:\n  - name: " + tool + "\n" }

func TestWatchKeepsTheGoodSetWhenTheNewOneIsBad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	source, attempts := watched(t, dir)
	if source.Current().Match("one").Unknown || source.LastError() != nil {
		t.Fatal("the first set is not there")
	}

	write(t, dir, "a.yaml", policyOf("two"))
	await(t, attempts, has("two"))
	if source.Current().Match("two").Unknown || !source.Current().Match("one").Unknown {
		t.Error("the new set does not hold")
	}

	write(t, dir, "a.yaml", "version: 1\ntools:\n  - nme: two\n")
	bad := await(t, attempts, failed)
	var problems Problems
	if !errors.As(bad.err, &problems) || source.LastError() == nil || bad.set != source.Current() || source.Current().Match("two").Unknown {
		t.Errorf("after a bad file: %v, %v", bad.err, source.LastError())
	}

	write(t, dir, "a.yaml", policyOf("three"))
	await(t, attempts, has("three"))
	if err := source.LastError(); err != nil {
		t.Errorf("a good file leaves %v", err)
	}
}

func TestWatchSeesNewFoldersAndRemovedFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	_, attempts := watched(t, dir)
	write(t, dir, "sub/deep/b.yaml", policyOf("two"))
	await(t, attempts, has("two"))
	write(t, dir, "sub/deep/c.yaml", policyOf("three"))
	await(t, attempts, has("three"))
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	await(t, attempts, func(a attempt) bool { return a.err == nil && a.set.Match("one").Unknown })
}

// Editors write a new file and rename it over the old one.
func TestWatchKeepsTheSetWhenAllFilesAreGone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	source, attempts := watched(t, dir)
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	await(t, attempts, failed)
	if source.Current().Match("one").Unknown || source.LastError() == nil {
		t.Error("an empty folder took the rules out of force")
	}
	write(t, dir, "b.yaml", policyOf("two"))
	await(t, attempts, has("two"))
}

func TestWatchOfOneFileThatIsReplaced(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	_, attempts := watched(t, filepath.Join(dir, "a.yaml"))
	for _, tool := range []string{"two", "three"} {
		replace(t, dir, "a.yaml", policyOf(tool))
		await(t, attempts, has(tool))
	}
}

// replace puts a file into place whole, so that no reader sees a part of it.
func replace(t *testing.T, dir, name, text string) {
	t.Helper()
	write(t, dir, name+".new", text)
	if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// Kubernetes swaps a link to a folder under files that are links themselves.
func TestWatchOfAMountedConfigMap(t *testing.T) {
	dir := t.TempDir()
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "..v1/a.yaml", policyOf("one"))
	link("..v1", "..data")
	link(filepath.Join("..data", "a.yaml"), "a.yaml")
	_, attempts := watched(t, dir)
	write(t, dir, "..v2/a.yaml", policyOf("two"))
	link("..v2", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	await(t, attempts, has("two"))
}

// Without any notice, a tick finds the change; and a tick without a change reports nothing.
func TestTicksAreANet(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	attempts := make(chan attempt, 10)
	ticks := make(chan time.Time)
	w := &watcher{path: dir, source: &Source{done: make(chan struct{})}, report: func(s *Set, err error) { attempts <- attempt{s, err} }, ticks: ticks}
	w.source.present.Store(Empty())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.run(ctx) }()

	ticks <- time.Time{}
	await(t, attempts, has("one"))
	replace(t, dir, "a.yaml", policyOf("one"))
	ticks <- time.Time{}
	ticks <- time.Time{} // received only after the one before was dealt with
	replace(t, dir, "a.yaml", policyOf("two"))
	ticks <- time.Time{}
	if a := <-attempts; !has("two")(a) {
		t.Errorf("an unchanged file was reported: %+v", a)
	}
	cancel()
	<-ended
}

func TestWatchOfABadFirstSetFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "nonsense")
	if _, err := Watch(t.Context(), dir, nil); err == nil {
		t.Error("a bad first set was accepted")
	}
}

func TestFixedNeverChanges(t *testing.T) {
	set := Empty()
	source := Fixed(set)
	<-source.Done()
	if source.Current() != set || source.LastError() != nil {
		t.Error("not the set that was given")
	}
}
