//go:build race

package main

// raced says that the race detector is on, with which times mean nothing.
const raced = true
