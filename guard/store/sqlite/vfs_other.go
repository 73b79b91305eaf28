//go:build !linux

package sqlite

import "zombiezen.com/go/sqlite"

// openWriter opens the file at an absolute path for the connection that writes.
func openWriter(path string) (*sqlite.Conn, error) {
	return sqlite.OpenConn(path, sqlite.OpenReadWrite)
}
