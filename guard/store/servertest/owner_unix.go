//go:build unix

package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// memory is where Linux has a file system in memory, and room is the least that must be free in it.
const (
	memory = "/dev/shm"
	room   = 1 << 30
)

// newFolder creates a folder that belongs to the user of the servers, in memory where there is room.
func newFolder() (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && uint64(fs.Bavail)*uint64(fs.Bsize) >= room {
		return newFolderIn(memory)
	}
	return newFolderIn("")
}

// newFolderIn creates one in a parent; "" is the usual place for temporary files.
func newFolderIn(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "onceguard-")
	if err != nil {
		return "", err
	}
	owner, err := owner()
	if err != nil || owner == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(owner.Uid), int(owner.Gid))
}

// owner returns whom the servers run as: nil for the user of this process, and an ordinary one for root.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("servertest: run as root, and there is no user postgres or nobody to give the servers to")
}

// asOwner makes a command run as the servers' user, and apart from this process's group: an interrupt that ends the
// tests must not end what cleans up after them.
func asOwner(cmd *exec.Cmd) error {
	owner, err := owner()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	return err
}
