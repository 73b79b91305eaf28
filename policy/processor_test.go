//go:build unix

package policy

import (
	"syscall"
	"testing"
	"time"
)

// processorTime is what the process has used so far. Unlike the time of a clock it says something on a busy machine.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
