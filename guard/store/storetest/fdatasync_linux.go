package storetest

import (
	"os"
	"syscall"
)

// fdatasync flushes the bytes of a file and what is needed to read them, but not its times.
func fdatasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
