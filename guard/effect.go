package guard

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// Execute says who runs the tool.
type Execute string

// The executors.
const (
	ByGuard  Execute = "guard"  // the guard forwards the call to the upstream of the policy
	ByCaller Execute = "caller" // the caller runs the tool under a lease and reports the outcome
)

// Code says why an effect is in its state, or why a call was answered as it was. Codes are part of the API.
type Code string

// Effect is the one change in the outside world that a call asks for: the unit of the ledger. Its row is the
// fold of its events.
type Effect struct {
	ID      string // opaque, ordered by time of creation, unguessable
	Tenant  string
	Subject string // of the principal whose call was recorded last
	Agent   string
	Run     string
	CallID  string // the provider's id of the latest claim's call; correlation, never identity
	Tool    string
	Type    string // effect type: tools that share it share effects
	Execute Execute
	About   string // what identifies the thing acted on, for lists and searches; at most MaxAbout bytes
	Related string // the effect for which it was held when it was made, in the same tenant; "" for none

	Key        fingerprint.Digest // what equal calls share; holds tenant and scope
	Generation int                // 1, and one more each time an equal call becomes a new intent
	Identity   fingerprint.Digest // the thing acted on; zero when the rule does not compare identities
	Near       fingerprint.Digest // all but the wording of texts; zero when there are none or the rule compares no wordings
	Resource   fingerprint.Digest // what several effects act on in turn; zero when the rule names none
	CallerKey  fingerprint.Digest // the caller's idempotency key; zero when none was given

	State    State
	Code     Code   // why it is in this state
	Reason   string // one sentence for people: a rule's why, a reviewer's note; holds no argument value
	Fence    int64
	Claim    string // random id of the latest claim, "" before the first
	Attempts int    // claims so far
	Failures int    // attempts that were surely not applied; all of them while the state is failed
	Review   Code   // why a person is needed; "" when none is

	Policy    string          // digest of the rule that decided
	Arguments json.RawMessage // the bytes as they came with the latest claim, hold or refusal
	Digest    [32]byte        // of the bytes on record, where Arguments are shown without what the policy conceals; a store leaves it zero
	Result    *Result         // of the latest settlement; nil while there is none
	Window    time.Duration   // how long a settled effect answers

	Created     time.Time
	Updated     time.Time // of the last event
	Since       time.Time // of the last event that was not a note: since when it is as it is
	LeaseUntil  time.Time // pending: when the claim is no longer trusted
	ExpiresAt   time.Time // held and approved: when the matter is closed
	WindowUntil time.Time // done, failed, and refused by a person: until when it answers

	Events int      // number of events; the last one has this Seq
	Head   [32]byte // hash of the last event
}

// MaxAbout is the greatest length of Effect.About in bytes.
const MaxAbout = 256

// Doubtful reports whether an attempt before the latest one may have been applied, so that a failure of the latest
// says nothing about the effect.
func (e *Effect) Doubtful() bool { return e.Attempts-1 > e.Failures }

// ArgumentsDigest identifies the exact bytes that an approval is bound to.
func (e *Effect) ArgumentsDigest() [32]byte {
	if e.Digest != [32]byte{} {
		return e.Digest
	}
	return sha256.Sum256(e.Arguments)
}

// Result is what an attempt brought back, byte for byte.
type Result struct {
	Status      int    // the upstream's status, 0 where there is none
	ContentType string // "application/json" for results that callers report
	Body        []byte
	BodyHash    [32]byte // as Event.ArgumentsHash
	IsError     bool     // the tool ran and reports an error
	Source      Source   // who says so
}

// Source says where a result comes from. Only what the guard saw itself is verified.
type Source string

// The sources.
const (
	FromUpstream Source = "upstream" // the guard read it
	FromCaller   Source = "caller"   // the caller who ran the tool reported it
	FromReviewer Source = "reviewer" // a person entered it
)
