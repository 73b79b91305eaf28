//go:build unix && !aix && !solaris

package httpforward

import "syscall"

// nothingToRead asks the kernel for a byte without taking it. Go's sockets do not block: EAGAIN means open and empty,
// no error means data or the end of the stream, and any other error means a broken connection.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		if err != syscall.EINTR {
			return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		}
	}
}
