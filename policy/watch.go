package policy

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long files have to rest after a change, so that an editor's or a deployment's several writes are one reload.
	settle = 100 * time.Millisecond
	// restat is how often files are read again without a notice, for file systems and editors that give none.
	restat = 5 * time.Second
)

// Source holds the present set and reloads it when files change. It is safe for concurrent use.
type Source struct {
	present atomic.Pointer[Set]
	defect  atomic.Pointer[error]
	done    chan struct{}
}

// Current returns the present set. It is never nil.
func (s *Source) Current() *Set { return s.present.Load() }

// LastError returns the defect of the last reload, as long as no good one has followed; else nil.
func (s *Source) LastError() error {
	if err := s.defect.Load(); err != nil {
		return *err
	}
	return nil
}

// Done is closed when the source watches no longer and report will not be called again.
func (s *Source) Done() <-chan struct{} { return s.done }

// Fixed is a Source that never changes.
func Fixed(s *Set) *Source {
	source := &Source{done: make(chan struct{})}
	source.present.Store(s)
	close(source.done)
	return source
}

// Watch loads a folder or file as Load does and keeps watching it until ctx ends. A defect of the first load is returned. A later
// one keeps the set that was good. report, which may be nil, is called after each later attempt, one at a time, with the
// set that now holds and the error of the attempt.
func Watch(ctx context.Context, path string, report func(*Set, error)) (*Source, error) {
	w := &watcher{path: path, source: &Source{done: make(chan struct{})}, report: report}
	files, err := gather(path, nil)
	if err != nil {
		return nil, err
	}
	set, err := compileFiles(files, nil)
	if err != nil {
		return nil, err
	}
	w.source.present.Store(set)
	w.files, w.stamp = files, stamp(files, nil)

	// Without notices, for want of watches or on a file system that has none, reading the files again still finds every change.
	if notices, err := fsnotify.NewWatcher(); err == nil {
		w.notices = notices
		w.follow()
	}
	ticker := time.NewTicker(restat)
	w.ticks = ticker.C
	go func() {
		defer close(w.source.done)
		defer ticker.Stop()
		w.run(ctx)
	}()
	return w.source, nil
}

// watcher is owned by the goroutine that runs it.
type watcher struct {
	path    string
	source  *Source
	report  func(*Set, error)
	files   []*file           // that were last attempted
	stamp   [sha256.Size]byte // of them
	notices *fsnotify.Watcher // nil: none to be had
	ticks   <-chan time.Time
}

func (w *watcher) run(ctx context.Context) {
	var events chan fsnotify.Event
	var failures chan error
	if w.notices != nil {
		defer w.notices.Close()
		events, failures = w.notices.Events, w.notices.Errors
		// A change between the first load and the watches would go unnoticed until the next tick.
		w.reload()
	}
	settled := time.NewTimer(settle)
	settled.Stop()
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			// A folder that never rests is still read at each tick.
			if w.concerns(event) {
				settled.Reset(settle)
			}
		case _, ok := <-failures:
			// Notices were lost, so anything may have changed.
			if !ok {
				failures = nil
				continue
			}
			settled.Reset(settle)
		case <-settled.C:
			w.reload()
		case <-w.ticks:
			w.reload()
		}
	}
}

// reload loads the files if their content is not that of the last attempt.
func (w *watcher) reload() {
	w.follow()
	files, err := gather(w.path, w.files)
	now := stamp(files, err)
	if now == w.stamp {
		return
	}
	w.files, w.stamp = files, now
	var set *Set
	if err == nil {
		set, err = compileFiles(files, w.source.Current())
	}
	if err == nil && len(set.Rules()) == 0 && len(w.source.Current().Rules()) > 0 {
		// A folder that is being replaced is empty for a moment, and then no rule would hold.
		err = Problems{{File: w.path, Message: "all policies are gone", Remedy: "bring one back, or restart the guard to run without any"}}
	}
	if err != nil {
		w.source.defect.Store(&err)
	} else {
		w.source.present.Store(set)
		w.source.defect.Store(nil)
	}
	if w.report != nil {
		w.report(w.source.Current(), err)
	}
}

// follow watches each folder that can hold policies, those that are new as well. Folders are watched rather than files, because
// editors and deployments replace files by renaming others over them. What cannot be watched is found by the ticks.
func (w *watcher) follow() {
	if w.notices == nil {
		return
	}
	if link, err := os.Lstat(w.path); err == nil && !link.IsDir() {
		_ = w.notices.Add(filepath.Dir(w.path))
	}
	root, err := filepath.EvalSymlinks(w.path)
	if err != nil {
		return
	}
	_ = filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if at != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		_ = w.notices.Add(at)
		return nil
	})
}

// concerns tells whether a notice can be about a policy. A folder that is only watched for one file or link can be full of other
// traffic.
func (w *watcher) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	name := filepath.Base(event.Name)
	if filepath.Dir(event.Name) == filepath.Dir(filepath.Clean(w.path)) {
		return name == filepath.Base(w.path) || strings.HasPrefix(name, "..")
	}
	return isPolicyFile(name) || filepath.Ext(name) == "" || strings.HasPrefix(name, "..")
}
