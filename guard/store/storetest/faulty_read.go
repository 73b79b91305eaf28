package storetest

import (
	"context"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Lookup implements guard.Store. It can be held up by Before and After, but not made to fail: Fail is for writes.
func (f *Faulty) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	idle := Faulty{Store: f.Store, Before: f.Before, After: f.After}
	return call(&idle, "lookup", func() (guard.Found, error) { return f.Store.Lookup(ctx, key) })
}
