//go:build !unix

package sqlite

import (
	"errors"
	"os"
)

// hold refuses: without a hold that ends with its process, a second server could not be told from a dead one.
func hold(string) (*os.File, error) {
	return nil, errors.New("a ledger cannot be held exclusively on this operating system: use a Unix or the postgres store")
}

func release(*os.File) error { return nil }
