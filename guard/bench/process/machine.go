package process

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

// Busy is the time that all processors together have spent on anything but waiting since the machine started. ok is false where
// the system does not tell.
func Busy() (busy time.Duration, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	busy, err = parseBusy(string(text))
	return busy, err == nil
}

// parseBusy reads the first line of /proc/stat as proc(5) describes it: user, nice, system, idle, iowait, irq, softirq, steal, and
// two that user and nice hold already.
func parseBusy(text string) (busy time.Duration, err error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, errors.New("it does not begin with the times of all processors")
	}
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return 0, err
		}
		busy += time.Duration(n) * tick
	}
	return busy, nil
}
