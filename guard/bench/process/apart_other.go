//go:build !unix

package process

import "os/exec"

func apart(*exec.Cmd) {}

// As makes a command run as another user, where the system has numbered ones.
func As(_, _ uint32) Option { return func(*exec.Cmd) {} }
