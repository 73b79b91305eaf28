package policy

import (
	"maps"
	"slices"
)

// draftName is what problems and Rule.Source call a text that is kept nowhere yet.
const draftName = "draft"

// Draft returns the set that the files of s would make with one more file beside them: the text, which stands in place of what they say of
// the tools that it names. Their defaults, groups and endpoints hold for it, and its own for them. The error is a Problems; what
// is wrong with the text is in the file "draft".
func (s *Set) Draft(text []byte) (*Set, error) {
	draft := &file{name: draftName, label: draftName, text: text}
	named := make(map[string]bool)
	for _, t := range draft.document().tools {
		named[t.name] = true
	}
	// What is left of a file says the same of its other tools, whose rules are taken over.
	rest := sources{files: slices.Clone(s.sources.files), general: slices.Clone(s.sources.general), rules: maps.Clone(s.sources.rules)}
	for i, f := range rest.files {
		less := f.without(named)
		if less == f {
			continue
		}
		rest.files[i] = less
		rest.rules[less] = slices.DeleteFunc(slices.Clone(rest.rules[f]), func(r *Rule) bool { return named[r.Pattern] })
		if at := slices.Index(rest.general, f); at >= 0 {
			rest.general[at] = less
		}
	}
	return compileFiles(append(rest.files, draft), &Set{sources: rest})
}

// without is the file less its tools of these names; itself where it has none of them.
func (f *file) without(named map[string]bool) *file {
	whole := f.document()
	gone := func(t toolEntry) bool { return named[t.name] }
	if !slices.ContainsFunc(whole.tools, gone) {
		return f
	}
	rest := *whole
	rest.tools = slices.DeleteFunc(slices.Clone(whole.tools), gone)
	less := &file{name: f.name, label: f.label, text: f.text}
	less.reading.Do(func() { less.content = &rest })
	return less
}
