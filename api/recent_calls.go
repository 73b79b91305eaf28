package api

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"

	"github.com/onceguard/onceguard/guard"
)

// recentCalls remembers calls as they were read last: who got no answer sends the same bytes again. Nobody meets what another one has sent, lest
// the time of an answer tell of it.
type recentCalls struct {
	seed maphash.Seed
	sets [1024]recentSet // by the hash of who sent it and what
}

// recentSet are the calls of one place, the latest first. Who writes into it at the same moment as another one may lose what that one remembers.
type recentSet [4]atomic.Pointer[recentCall]

// recentCall is the body of a principal's call and what was read from it. Nothing ever changes it.
type recentCall struct {
	hash            uint64
	tenant, subject string
	body            []byte
	request         callRequest
}

// The bounds of a body that is remembered. A value takes some 50 bytes beside its text, so that all together hold at most 34 MiB; a tenth of
// that is usual.
const (
	maxRecent       = 2 << 10 // bytes
	maxRecentValues = 128
)

func newRecentCalls() *recentCalls { return &recentCalls{seed: maphash.MakeSeed()} }

// find sets to to what was read from the same body of the same principal; false where it is not remembered.
func (c *recentCalls) find(p *guard.Principal, body []byte, to *callRequest) bool {
	hash := c.hash(p, body)
	set := c.set(hash)
	for i := range set {
		known := set[i].Load()
		if known != nil && known.hash == hash && known.tenant == p.Tenant && known.subject == p.Subject && bytes.Equal(known.body, body) {
			*to = known.request
			return true
		}
	}
	return false
}

// keep remembers what was read from a body, which nobody may change afterwards.
func (c *recentCalls) keep(p *guard.Principal, body []byte, r *callRequest) {
	if len(body) > maxRecent || atMostValues(body) > maxRecentValues {
		return
	}
	hash := c.hash(p, body)
	set := c.set(hash)
	for i := len(set) - 1; i > 0; i-- {
		set[i].Store(set[i-1].Load())
	}
	set[0].Store(&recentCall{hash, p.Tenant, p.Subject, body, *r})
}

// atMostValues is at least the number of values in a JSON text, less one.
func atMostValues(text []byte) int {
	return bytes.Count(text, []byte(",")) + bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
}

func (c *recentCalls) hash(p *guard.Principal, body []byte) uint64 {
	return maphash.Comparable(c.seed, [2]string{p.Tenant, p.Subject}) ^ maphash.Bytes(c.seed, body)
}

func (c *recentCalls) set(hash uint64) *recentSet { return &c.sets[hash%uint64(len(c.sets))] }
