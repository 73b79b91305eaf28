package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one defect of a policy file. It never contains the value of a header or of an environment variable.
type Problem struct {
	File         string
	Line, Column int    // both count from 1 and columns in characters; 0 when the whole file is meant
	Message      string // what is wrong
	Remedy       string // what to do
}

// String gives the problem in the form that editors and terminals turn into a link.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.place())
	b.WriteString(": ")
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(p.Remedy)
	}
	return b.String()
}

func (p Problem) place() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problems lists every defect found, in order of file and line.
type Problems []Problem

// Error gives one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// asError returns the sorted problems as an error, or nil when there is none. One that was noted several times is listed once.
func (p Problems) asError() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(p)
}

// place is a position in a file, with line and column as in Problem. The zero place is that of what nobody wrote.
type place struct {
	file         *file
	line, column int
}

// report collects problems.
type report struct{ problems Problems }

// maxProblems keeps the report about a file that is no policy at all readable.
const maxProblems = 100

// add notes a problem once: what several tools inherit is read for each of them.
func (r *report) add(at place, message, remedy string) {
	p := Problem{Line: at.line, Column: at.column, Message: message, Remedy: remedy}
	if at.file != nil {
		p.File = at.file.name
	}
	switch {
	case len(r.problems) > maxProblems, slices.Contains(r.problems, p):
	case len(r.problems) < maxProblems:
		r.problems = append(r.problems, p)
	case len(r.problems) == maxProblems:
		p.Message, p.Remedy = fmt.Sprintf("more than %d problems; the rest is not listed", maxProblems), "mend these first"
		r.problems = append(r.problems, p)
	}
}

// source names a line as Rule.Source does; "" where nobody wrote it.
func (p place) source() string {
	if p.file == nil {
		return ""
	}
	return p.file.label + ":" + strconv.Itoa(p.line)
}
