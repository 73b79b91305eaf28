//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// hold makes this process the only one that serves the ledger at path, until release or its death. The kernel drops
// the hold with the process, so that nothing is left behind to clean up.
func hold(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".pid", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		return nil, fmt.Errorf("another server (process %s) holds %s: stop it or choose another file", strings.TrimSpace(string(holder)), path)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("hold %s: %w", path, err)
	}
	return f, nil
}

func release(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}
