package process

import (
	"os/exec"
	"syscall"
)

// apart puts a process into a group of its own, so that an interrupt from the terminal reaches the harness alone, which
// then stops its servers in order, and has the kernel end it should the harness be killed.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// As makes a command run as another user.
func As(uid, gid uint32) Option {
	return func(c *exec.Cmd) { c.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid} }
}
