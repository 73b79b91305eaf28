package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxSetBytes bounds all policy files of a set together.
const maxSetBytes = 64 << 20

// file is one policy file. The sets of which it is a part share what was read of it.
type file struct {
	name  string // as a person finds it
	label string // relative to the folder that was loaded
	text  []byte
	only  string // the one tool that it may hold; "" for a file that may hold anything

	reading sync.Once
	content *document
}

// document is what the file says.
func (f *file) document() *document {
	f.reading.Do(func() { f.content = readDocument(f) })
	return f.content
}

// Load reads every *.yaml and *.yml below a folder, or one file. Files ending in _test.yaml or _test.yml and hidden files and
// folders are left out; links to files are followed. The error is a Problems with everything that is wrong in any file.
func Load(path string) (*Set, error) {
	files, err := gather(path, nil)
	if err != nil {
		return nil, err
	}
	return compileFiles(files, nil)
}

// Parse reads one policy document; name is used in errors and in Rule.Source. The error is a Problems.
func Parse(name string, text []byte) (*Set, error) {
	return compileFiles([]*file{{name: name, label: name, text: text}}, nil)
}

// gather reads the policy files at path, in order of their names. A file that is as it is among the known ones is that one.
func gather(path string, known []*file) ([]*file, error) {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, Problems{fileProblem(path, err)}
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, Problems{fileProblem(path, err)}
	}
	g := gatherer{path: path, root: root, known: make(map[string]*file, len(known))}
	for _, f := range known {
		g.known[f.name] = f
	}
	if !info.IsDir() {
		g.read(path, filepath.Base(path))
	} else if err := filepath.WalkDir(root, g.visit); err != nil {
		g.problems = append(g.problems, fileProblem(path, err))
	}
	return g.files, g.problems.asError()
}

type gatherer struct {
	path, root string
	known      map[string]*file // by name
	files      []*file
	size       int
	problems   Problems
}

// visit is called by filepath.WalkDir.
func (g *gatherer) visit(at string, entry fs.DirEntry, err error) error {
	rel, relErr := filepath.Rel(g.root, at)
	if relErr != nil {
		rel = at
	}
	name := filepath.Join(g.path, rel)
	if err != nil {
		g.problems = append(g.problems, fileProblem(name, err))
		return nil
	}
	if rel == "." {
		return nil
	}
	// Kubernetes keeps the versions of a mounted ConfigMap in hidden folders beside links to the present one.
	if strings.HasPrefix(entry.Name(), ".") {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := os.Stat(at)
		if err == nil && target.IsDir() {
			g.problems = append(g.problems, Problem{File: name, Message: "a link to a folder is not followed", Remedy: "put the folder itself here, or link each file"})
			return nil
		}
	}
	if !entry.IsDir() && isPolicyFile(entry.Name()) {
		g.read(name, filepath.ToSlash(rel))
	}
	return nil
}

func isPolicyFile(name string) bool {
	base, ok := strings.CutSuffix(name, ".yaml")
	if !ok {
		base, ok = strings.CutSuffix(name, ".yml")
	}
	return ok && !strings.HasSuffix(base, "_test")
}

func (g *gatherer) read(name, label string) {
	text, err := readFile(name)
	if err != nil {
		g.problems = append(g.problems, fileProblem(name, err))
		return
	}
	if g.size += len(text); g.size > maxSetBytes {
		g.problems = append(g.problems, Problem{File: name, Message: fmt.Sprintf("the policy files have more than %d bytes together", maxSetBytes), Remedy: "remove what is not a policy"})
		return
	}
	f, ok := g.known[name]
	if !ok || f.label != label || !bytes.Equal(f.text, text) {
		f = &file{name: name, label: label, text: text}
	}
	g.files = append(g.files, f)
}

// readFile reads one regular file up to just over the limit, which parseYAML then reports.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFileBytes+1))
}

func fileProblem(name string, err error) Problem {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return Problem{File: name, Message: "the policy cannot be read: " + err.Error(), Remedy: "check that it is there and that the guard may read it"}
}

// stamp identifies the content of the files, so that a touched file is not loaded again and a changed one always is.
func stamp(files []*file, err error) [sha256.Size]byte {
	h := sha256.New()
	part := func(b []byte) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	for _, f := range files {
		part([]byte(f.name))
		part(f.text)
	}
	if err != nil {
		part([]byte(err.Error()))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
