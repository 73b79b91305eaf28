package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor times in /proc, which is 10 ms on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// CPU is the processor time that a process and all its descendants have used so far. ok is false where the system does not
// tell.
func CPU(pid int) (used time.Duration, ok bool) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return 0, false
	}
	spent := map[int]time.Duration{}
	children := map[int][]int{}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		s, err := parseStat(string(text))
		if err != nil {
			return 0, false
		}
		spent[s.pid] = s.used
		children[s.parent] = append(children[s.parent], s.pid)
	}
	_, ok = spent[pid]
	for tree := []int{pid}; len(tree) > 0; tree = tree[1:] {
		used += spent[tree[0]]
		tree = append(tree, children[tree[0]]...)
	}
	return used, ok
}

type stat struct {
	pid, parent int
	used        time.Duration
}

// parseStat reads /proc/PID/stat as proc(5) describes it. The name of the program is in brackets and may hold anything.
func parseStat(text string) (s stat, err error) {
	from, to := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if from < 1 || to < from {
		return s, fmt.Errorf("%.60q is not the stat of a process", text)
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(text[:from])); err != nil {
		return s, err
	}
	// After the name come the fields from the third on; 14 to 17 are the times, those of children that were waited for included.
	fields := strings.Fields(text[to+1:])
	if len(fields) < 15 {
		return s, fmt.Errorf("the stat of process %d has %d fields after its name", s.pid, len(fields))
	}
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, err
	}
	for _, f := range fields[11:15] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return s, err
		}
		s.used += time.Duration(n) * tick
	}
	return s, nil
}

// Resident is the memory of one process that is in RAM, in bytes; 0 where the system does not tell.
func Resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// Descriptors is how many files and sockets one process has open; 0 where the system does not tell.
func Descriptors(pid int) int {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	return len(open)
}
