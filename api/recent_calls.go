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
	seed  maphash.Seed
	slots [2048]atomic.Pointer[recentCall]
}

// recentCall is the body of a principal's call and what was read from it. Nothing ever changes it.
type recentCall struct {
	tenant, subject string
	body            []byte
	request         callRequest
}

// The bounds of a body that is remembered. A value takes some 50 bytes beside its text, so that all together hold at most 48 MiB; a tenth of
// that is usual.
const (
	maxRecent       = 4 << 10 // bytes
	maxRecentValues = 256
)

func newRecentCalls() *recentCalls { return &recentCalls{seed: maphash.MakeSeed()} }

// find sets to to what was read from the same body of the same principal; false where it is not remembered.
func (c *recentCalls) find(p *guard.Principal, body []byte, to *callRequest) bool {
	known := c.slot(p, body).Load()
	if known == nil || known.tenant != p.Tenant || known.subject != p.Subject || !bytes.Equal(known.body, body) {
		return false
	}
	*to = known.request
	return true
}

// keep remembers what was read from a body, which nobody may change afterwards.
func (c *recentCalls) keep(p *guard.Principal, body []byte, r *callRequest) {
	if len(body) <= maxRecent && atMostValues(body) <= maxRecentValues {
		c.slot(p, body).Store(&recentCall{p.Tenant, p.Subject, body, *r})
	}
}

// atMostValues is at least the number of values in a JSON text, less one.
func atMostValues(text []byte) int {
	return bytes.Count(text, []byte(",")) + bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
}

func (c *recentCalls) slot(p *guard.Principal, body []byte) *atomic.Pointer[recentCall] {
	who := maphash.Comparable(c.seed, [2]string{p.Tenant, p.Subject})
	return &c.slots[(who^maphash.Bytes(c.seed, body))%uint64(len(c.slots))]
}
