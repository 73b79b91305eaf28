package policy

import (
	"strings"
	"testing"
)

// The tests of endpoints are about what the language will say of them once the guard delivers.
func init() { delivers = true }

func TestEndpointsThatNobodyServesAreRefused(t *testing.T) {
	delivers = false
	defer func() { delivers = true }()
	_, err := Parse("p.yaml", []byte("version: 1\nnotify: {ops: {kind: slack, url: \"https://hooks.example/x\"}}\n"))
	if err == nil || !strings.Contains(err.Error(), "p.yaml:2:1: the guard tells no endpoint of held calls yet") {
		t.Errorf("got %v", err)
	}
}
