//go:build !unix

package servertest

import (
	"errors"
	"os"
	"os/exec"
)

func newFolder() (string, error) { return newFolderIn("") }

func newFolderIn(parent string) (string, error) { return os.MkdirTemp(parent, "onceguard-") }

func asOwner(*exec.Cmd) error {
	return errors.New("servertest: servers for tests are started on Unix only")
}
