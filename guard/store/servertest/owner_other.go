//go:build !unix

package servertest

import (
	"errors"
	"os"
	"os/exec"
)

func newFolder() (string, error) { return os.MkdirTemp("", "onceguard-") }

func asOwner(*exec.Cmd) error {
	return errors.New("servertest: servers for tests are started on Unix only")
}
