//go:build !linux

package main

import "os"

// flush makes what was written to f survive a loss of power.
func flush(f *os.File) error { return f.Sync() }
