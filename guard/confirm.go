package guard

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// A token lets an agent declare that a call which looks like an earlier one is meant. It names, under the installation's
// key, the call, all the earlier effects that it is declared beside, and what stood under the call's own key when the token was
// made. So it needs no record of its own: it is worth nothing for another call, against another effect, to another
// subject or in another run, and the claim that it allows changes what stands under the key, so that it is used once. A call
// may be asked about effects of several relations, one after the other; the token of each question answers those before, too.

const (
	tokenLife   = 15 * time.Minute
	tokenPrefix = "ct_"
	tokenMark   = 18 // bytes of the digest that a token holds
)

// Confirm declares that a call is meant although it looks like an earlier one.
type Confirm struct {
	Token  string // as the answer to the call gave it
	Reason string // why one more is meant; at most 500 bytes, recorded
}

// Offer is a token that an answer carries.
type Offer struct {
	Token   string
	Expires time.Time
}

func checkConfirm(c *Confirm) error {
	switch {
	case c.Token == "" && c.Reason == "":
		return nil
	case c.Token == "":
		return invalid("/confirm/token", "is missing: it is in the answer to the first try of this call")
	case c.Reason == "":
		return invalid("/confirm/reason", "is missing: say in one sentence why one more is meant")
	}
	if err := checkText("/confirm/token", c.Token, MaxHandle); err != nil {
		return err
	}
	return checkText("/confirm/reason", c.Reason, maxConfirmReason)
}

const maxConfirmReason = 500

// offer makes a token for the situation in which a call is answered.
func (r *proposal) offer(s situation) *Offer {
	expires := time.Now().Add(tokenLife).Truncate(time.Second)
	text := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	for _, earlier := range append(slices.Clone(r.meant), s) {
		mark := r.tokenDigest(earlier, expires)
		text = append(text, mark[:tokenMark]...)
	}
	return &Offer{Token: tokenPrefix + base64.RawURLEncoding.EncodeToString(text), Expires: expires}
}

// confirms reports whether the call carries a token for this very situation.
func (r *proposal) confirms(s situation) bool {
	given := r.call.Confirm.Token
	if len(given) <= len(tokenPrefix) || given[:len(tokenPrefix)] != tokenPrefix {
		return false
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(given[len(tokenPrefix):])
	if err != nil || len(text) < 8+tokenMark || (len(text)-8)%tokenMark != 0 {
		return false
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(text)), 0)
	if left := time.Until(expires); left <= 0 || left > tokenLife {
		return false
	}
	mark := r.tokenDigest(s, expires)
	for given := range slices.Chunk(text[8:], tokenMark) {
		if subtle.ConstantTimeCompare(mark[:tokenMark], given) == 1 {
			return true
		}
	}
	return false
}

// declare remembers that the call carries a token for a situation.
func (r *proposal) declare(s situation) {
	r.meant = slices.DeleteFunc(r.meant, func(m situation) bool { return m.relation == s.relation })
	r.meant = append(r.meant, s)
}

// declaration tells a reviewer beside which effects the agent has declared the call, and why.
func (r *proposal) declaration() string {
	var beside []string
	for _, s := range r.meant {
		beside = append(beside, s.found.ID)
	}
	reason := r.call.Confirm.Reason
	if v, concealing := veilOf(r.maker, r.rule, &Effect{Tenant: r.principal.Tenant, Arguments: r.bytes}); concealing {
		for _, s := range r.meant {
			v.learn(s.found.Arguments)
		}
		reason = v.spoken(reason)
	}
	return "The agent declared it as meant beside " + strings.Join(beside, ", ") + ": " + reason
}

func (r *proposal) tokenDigest(s situation, expires time.Time) fingerprint.Digest {
	parts := []string{
		r.principal.Tenant, r.principal.Subject, r.call.Run, r.call.Agent,
		string(r.sum.Key[:]), strconv.FormatInt(expires.Unix(), 10), string(s.relation),
	}
	// What stands under the call's own key: once the token was used, it is another effect or has another fence.
	own := Prior{}
	if r.own != nil {
		own = Prior{r.own.ID, r.own.State, r.own.Fence}
	}
	beside := s.likeness.alike
	if !s.relation.compared() {
		beside = []Prior{{s.found.ID, s.found.State, s.found.Fence}}
	}
	for _, p := range append([]Prior{own}, beside...) {
		parts = append(parts, p.ID, string(p.State), strconv.FormatInt(p.Fence, 10))
	}
	return r.maker.Mark("confirm token", parts...)
}

// A run that confirms again and again is in a loop; after this many in an hour it is a person who is asked. The count is
// kept in memory, so that each replica, and each start, begins a new one: it bounds loops, not malice, for which a policy has
// hold.
const (
	maxConfirms   = 10
	confirmPeriod = time.Hour
	maxCounted    = 10_000
)

// confirmCounts counts the declared effects of each run.
type confirmCounts struct {
	mu    sync.Mutex
	since time.Time
	runs  map[confirmRun]int
}

type confirmRun struct{ tenant, subject, run string }

func (c *confirmCounts) exhausted(p Principal, call Call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn()
	return c.runs[confirmRun{p.Tenant, p.Subject, call.Run}] >= maxConfirms
}

func (c *confirmCounts) add(p Principal, call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn()
	c.runs[confirmRun{p.Tenant, p.Subject, call.Run}]++
}

func (c *confirmCounts) turn() {
	if now := time.Now(); c.runs == nil || now.Sub(c.since) >= confirmPeriod || len(c.runs) >= maxCounted {
		c.since, c.runs = now, map[confirmRun]int{}
	}
}
