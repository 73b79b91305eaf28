package policy

import (
	"testing"
)

func filesOf(texts ...string) []*file {
	var files []*file
	for i, text := range texts {
		name := string(rune('a'+i)) + ".yaml"
		files = append(files, &file{name: name, label: name, text: []byte("version: 1\n" + text)})
	}
	return files
}

func compiled(t *testing.T, files []*file, before *Set) *Set {
	t.Helper()
	set, err := compileFiles(files, before)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A rule is taken over from the set before when nothing that it is made of has changed, and only then.
func TestReloadKeepsWhatHasNotChanged(t *testing.T) {
	files := filesOf("tools: [{name: one}]\n", "tools: [{name: two}]\n", "defaults: {window: 1h}\ngroups: [{apply_to: ['t*'], lease: 1m}]\n")
	first := compiled(t, files, nil)

	files[0] = filesOf("tools: [{name: one, mode: warn}]\n")[0]
	second := compiled(t, files, first)
	if second.Match("two") != first.Match("two") || second.Match("one") == first.Match("one") || second.Match("one").Mode != ModeWarn {
		t.Error("a change of one file did not change its rule alone")
	}

	files[2] = filesOf("", "", "defaults: {window: 2h}\ngroups: [{apply_to: ['t*'], lease: 2m}]\n")[2]
	third := compiled(t, files, second)
	if two := third.Match("two"); two.Window.Hours() != 2 || two.Lease.Minutes() != 2 || third.Match("none").Window.Hours() != 2 {
		t.Errorf("a change of defaults and groups did not change a rule: %+v", two)
	}

	fourth := compiled(t, files[:2], third)
	if two := fourth.Match("two"); two.Window != day || first.Match("two").Window.Hours() != 1 {
		t.Errorf("defaults that were removed still hold, or an older set was changed: %+v", two)
	}
}

// A defect between files is no part of what is remembered of either.
func TestReloadForgetsDefectsBetweenFiles(t *testing.T) {
	files := filesOf("tools: [{name: one}]\n", "tools: [{name: one}]\n")
	good := compiled(t, files[:1], nil)
	for range 2 {
		if _, err := compileFiles(files, good); err == nil || len(err.(Problems)) != 1 {
			t.Errorf("the twin was reported as %v", err)
		}
	}
	if again := compiled(t, files[:1], good); again.Match("one") != good.Match("one") {
		t.Error("the rule was compiled again")
	}
}

func TestReloadReadsAgainOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", policyOf("one"))
	write(t, dir, "b.yaml", policyOf("two"))
	before, err := gather(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b.yaml", policyOf("three"))
	after, err := gather(dir, before)
	if err != nil {
		t.Fatal(err)
	}
	if after[0] != before[0] || after[1] == before[1] {
		t.Error("not only the changed file is new")
	}
}
