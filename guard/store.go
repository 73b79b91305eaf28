package guard

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// Store is the durable ledger. Package storetest runs every sentence below against every driver.
//
// Atomic: each write changes an effect's row and appends its event together or not at all. Two writes to one effect
// happen one after the other, in an order that every later read agrees with.
//
// Durable: a write that returned without an error survives the death of the process and of the machine, and so does
// what any read has returned.
//
// Refusing: a write that Transitions does not list is refused with CodeConflict, a write with an older fence with
// CodeStaleFence; both leave the effect as it was and carry it in Error.Effect.
//
// Clock: the store's own clock stamps events and decides leases, expiries and windows. Event times of one effect never go
// back. A duration that is not positive is refused with CodeInvalid where a lease is due.
//
// Errors: CodeUnavailable means that nothing was and nothing will be written. CodeUncertain means that the write may
// or may not have been made, now or later: the caller reads again, by claim id or fence. A store retries by itself
// only where nothing can have been applied. Reads never return CodeUncertain. A store never deletes a row because of
// a failed write.
//
// Tenants: every read but Lookup and Unsent names the tenant, and an effect of another tenant is CodeNotFound.
// Lookup needs none, because the tenant is inside the key.
//
// Contexts: a context that ends while a write waits gives CodeUnavailable if the write was withdrawn in time, else the
// write's own result, or CodeUncertain. All methods may be called at the same time from many goroutines.
type Store interface {
	// Lookup returns the latest generation of the effect under a key, with its arguments and result. It makes no
	// write. Found.Effect is nil where there is none.
	Lookup(ctx context.Context, key fingerprint.Digest) (Found, error)

	// Rivals returns the newest RivalMost effects of a tenant that relate to a call as r says and still answer (held, approved,
	// pending, partial, unknown, or done within their window) under another key than key, newest first and with
	// their arguments. For OtherScope these are the effects whose keys have Common with key, and digest is not read;
	// for SameIdentity those with this Identity; for NearEffect those with this Near. It makes no write.
	Rivals(ctx context.Context, tenant string, r Relation, digest, key fingerprint.Digest) ([]Effect, error)

	// Book returns the entries of the book with a higher number than after, in order.
	Book(ctx context.Context, after int64) ([]Entry, error)

	// Enter appends an entry to the book and returns it with its number, which is higher than all before, and its time.
	// An edition that is in the book already, with the same Name and Text, is returned as it is. Of every other kind, Onto
	// must be the number of the latest entry of the same Kind and Name, 0 for none; else CodeConflict. Name and Text are
	// opaque to the store.
	Enter(ctx context.Context, e Entry) (Entry, error)

	// Claim records a new effect, a new generation or a new claim, or returns what stands in the way.
	//
	// With Prior nil it makes generation 1, unless an effect under the key exists. With Prior it makes the next
	// generation (Again false) or claims Prior itself once more (Again true), if Prior is still the latest generation
	// with this very state and fence. A next generation is made of done, failed and refused effects; of a done one, or of
	// one refused by a person, only after its window, unless Order is set or the done one is superseded. Of any number
	// of equal claims at once exactly one is won. A claim of Prior (Again) keeps the recorded Subject, Agent, Run, CallID and Arguments where the request
	// leaves them empty, and closes the review unless it is about a contradiction.
	//
	// Before that, an effect with the same CallerKey and another Key stands in the way (KeyConflict), unless it failed, was
	// refused, or its window is over. So does an effect under one of Aliases that is held, approved, pending, partial, unknown,
	// done or refused by a person within its window, or failed with a review about a contradiction (SameEffect; the
	// latest one is returned). So does, where the request asks for it, one of those that Rivals would return as
	// OtherScope, then as SameIdentity, then as NearEffect, unless Seen lists it with its present fence (the newest one
	// is returned). Effects under Aliases stand in no other way.
	//
	// Last of all, a claim of a Pending effect that Limits has no room for is not won (OverLimit); see Limit. It is not
	// recorded either.
	//
	// A claim whose Book is lower than the highest number in the book is refused with CodeOldBook before anything else:
	// its caller does not know all the keys under which the same call may be recorded, or not all that was ordered.
	Claim(ctx context.Context, r ClaimRequest) (Claimed, error)

	// Extend renews the lease of a pending claim to ttl from now and returns its end. It never shortens a lease and
	// appends no event. A lease that has ended is not renewed (CodeConflict), whether or not it was swept.
	Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error)

	// Settle records the outcome of an attempt. It is idempotent: the same claim, fence, state and result again succeed
	// and append nothing. Done and failed start the effect's window; failed sets Failures to Attempts. A review is opened
	// when Review is set, and closed by done and failed, except that a review about a contradiction stays.
	Settle(ctx context.Context, s Settlement) (Effect, error)

	// Decide records what a person decided, if state, fence and arguments are still those that were shown. It closes any
	// review, and starts the window like Settle. Arguments, where they are given, take the place of those that were shown.
	Decide(ctx context.Context, d Decision) (Effect, error)

	// Note appends facts that change no state, each to an existing effect of the named tenant, and opens a review where
	// Review is set; one about a contradiction takes the place of any other. Since stays. Facts about effects that the
	// tenant does not have are left out without an error.
	Note(ctx context.Context, notes []Note) error

	// Get returns one effect with its arguments and result.
	Get(ctx context.Context, tenant, id string) (Effect, error)

	// List returns effects, newest first, without arguments and results.
	List(ctx context.Context, q Query) ([]Effect, error)

	// Events returns all events of an effect in order.
	Events(ctx context.Context, tenant, id string) ([]Event, error)

	// Sweep settles what time has decided, at most limit effects: pending with its lease over becomes unknown (and
	// opens a review); held with its time over becomes refused; approved with its time over becomes refused if it was
	// never sent and unknown if it was. It returns the effects that it changed.
	Sweep(ctx context.Context, limit int) ([]Effect, error)

	// Unsent returns, for all tenants and oldest first, at most limit approved effects with Execute ByGuard that have been
	// so for at least age, with their arguments: the process that was about to send them is gone. It makes no write.
	Unsent(ctx context.Context, age time.Duration, limit int) ([]Effect, error)

	// Walk returns at most limit effects of all tenants, oldest first, that were made after the effect with the id
	// after; "" begins with the first. They come without arguments and results. An effect that was forgotten is CodeNotFound.
	Walk(ctx context.Context, after string, limit int) ([]Effect, error)

	// Prune forgets what no longer answers, at most limit effects, and returns how many. Only effects that are done, failed
	// or refused, whose window is over and that have no open review are touched: those that have not changed for r.Bodies lose the
	// bytes of their arguments and results, of which the events keep the hashes, so that their chains still hold; those that have not
	// changed for r.Rows are removed with all their events. An effect that was done later than another one on the
	// same Resource is kept until the window of that other one is over, and a generation is kept while an earlier one is there: so
	// nothing answers that did not before. It also removes tallies whose bucket began r.Rows ago or earlier. What limits count stays.
	Prune(ctx context.Context, r Retention, limit int) (Pruned, error)

	// AddTallies adds to the tenants' counters, in the bucket of now. They are for people to look at and decide nothing.
	AddTallies(ctx context.Context, add []Tally) error

	// Tallies returns a tenant's counters whose buckets begin in [from, until), oldest first, then by tool, kind and code.
	Tallies(ctx context.Context, tenant string, from, until time.Time) ([]Tally, error)

	// Ping reports whether a write would be possible now.
	Ping(ctx context.Context) error

	// Close waits for writes under way and releases the store. Later calls give CodeUnavailable.
	Close() error
}

// RivalMost is the most effects of one relation that are looked at: the newest ones.
const RivalMost = 50

// Watcher is a store that hears of changes that other processes make. What it hears is a hint: it may be lost, late,
// doubled or untrue, and whoever is woken by it looks at the ledger.
type Watcher interface {
	// Watch calls woken for each effect that it hears has changed, until ctx ends. It goes on by itself after a failure.
	Watch(ctx context.Context, woken func(tenant, id string)) error
}

// Found is an effect as it was at one moment of the store's clock.
type Found struct {
	Effect *Effect
	Now    time.Time
	// Superseded names the latest effect under another key on the same Resource that was done later than Effect, which is
	// done itself; "" where there is none.
	Superseded string
}

// Entry is one entry of the book: what every replica must have read before it claims. Entries are never changed.
type Entry struct {
	Number int64
	Kind   EntryKind
	Name   string // the pattern of a policy ("" for tools that no policy names), or what a switch is about
	Text   []byte
	Author string // the subject of who entered it; "" for the guard itself
	Reason string
	At     time.Time // by the store's clock
	Onto   int64     // of Enter: the entry that this one replaces
}

// EntryKind is what an entry is about.
type EntryKind string

// The kinds of entries.
const (
	// EntryEdition is one way in which the calls of some tools have been fingerprinted: under which other keys a call
	// may be recorded.
	EntryEdition EntryKind = "edition"
	// EntryPolicy is a version of a policy that is kept in the ledger.
	EntryPolicy EntryKind = "policy"
	// EntrySwitch stops or allows the sends of a tool or an agent.
	EntrySwitch EntryKind = "switch"
)

// Retention says how long after its last change an effect that no longer answers keeps what it has; zero is for ever.
type Retention struct{ Bodies, Rows time.Duration }

// Pruned is how many effects lost what.
type Pruned struct{ Bodies, Rows int }

// TallyBucket is the span of one counter.
const TallyBucket = 5 * time.Minute

// Tally counts equal happenings of one tenant within a bucket of time.
type Tally struct {
	Tenant string
	Start  time.Time // of the bucket; set by the store
	Tool   string
	Kind   string // an AnswerKind, or "outcome" for what attempts and reviews came to
	Code   Code   // of the answer; for an outcome, the state
	Count  int64
}

// MaxPeriod is the longest period of a Limit.
const MaxPeriod = 31 * 24 * time.Hour

// Limit bounds what effects may use up together. A claim of a Pending effect uses Amount from the moment of the claim, for as
// long as the effect is not failed: what turns out failed gives it back, and what then turns out done has used it again. An
// effect is counted once under a key, as of its latest claim with that key. A claim is refused when the amounts that other effects
// have used under Key within Period before it (not what was used Period ago or earlier), and its own, are more than Max.
// At most MaxLimits belong to one claim, and those with one Key have one Amount.
type Limit struct {
	Key    fingerprint.Digest // of the tenant, the rule and the values that it counts by
	Amount int64              // 1 for a count, else in the unit of the rule; not negative
	Max    int64
	Period time.Duration // positive, at most MaxPeriod
}

// MaxLimits is the most limits of one claim.
const MaxLimits = 8

// ClaimRequest asks for a claim, or records a held or refused call.
type ClaimRequest struct {
	// Effect is the effect to be made or claimed: ID (for a new effect), Tenant to Type, Execute, the digests, State
	// (Pending, Held or Refused), Code, Reason, Claim (a fresh random id, for Pending), Review, Policy, Arguments and
	// Window are read; the store sets the rest.
	Effect Effect
	Lease  time.Duration // for Pending
	Expiry time.Duration // for Held
	Actor  Actor

	Prior *Prior // what the caller has seen under the key; nil for nothing
	Again bool   // claim Prior itself: approved, failed or unknown
	Order bool   // a new generation although the window of Prior lasts (on.done: allow)

	CheckScope    bool
	CheckIdentity bool
	CheckNear     bool
	Seen          []Prior // effects that Rivals returned, of which ID and Fence count

	Aliases []fingerprint.Digest // other keys of the very same call, under other editions
	Book    int64                // highest number in the book that the caller knows

	Limits []Limit

	Seal bool // keep the arguments encrypted, where the store can (package sealed)
}

// Prior names an effect at a point of its life.
type Prior struct {
	ID    string
	State State
	Fence int64
}

// Relation says how an effect that stands in the way relates to the one asked for.
type Relation string

// The relations.
const (
	SameEffect   Relation = "same"          // the latest generation under the key
	KeyConflict  Relation = "key_conflict"  // same idempotency key of the caller, other fingerprint
	OtherScope   Relation = "other_scope"   // equal but for the scope
	SameIdentity Relation = "same_identity" // the same thing, other material
	NearEffect   Relation = "near"          // equal but for the wording of texts
	OverLimit    Relation = "limit"         // no effect: a limit has no room
	ToldEffect   Relation = "told"          // the same, as a person said; never of a store
)

// Claimed is the answer to a ClaimRequest.
type Claimed struct {
	Won      bool
	Effect   Effect   // the effect as recorded, or what stands in the way, with arguments and result
	Relation Relation // of what stands in the way
	Now      time.Time
	// Superseded is as in Found, when a SameEffect stands in the way.
	Superseded string
	Limit      int   // of OverLimit: the first of Limits without room
	Left       int64 // of OverLimit: what is left of it, not negative
}

// Settlement is the outcome of an attempt.
type Settlement struct {
	Tenant string
	ID     string
	Fence  int64
	Claim  string // "" when the reporter knows only the fence
	State  State  // Done, Failed, Partial or Unknown
	Code   Code
	Reason string
	Result *Result
	Review Code // opens a review
	Actor  Actor
	Seal   bool // keep the result encrypted, where the store can
}

// Decision is what a person decided.
type Decision struct {
	Tenant string
	ID     string
	Fence  int64     // as shown
	Digest [32]byte  // of the arguments as shown; zero where only the outcome is decided
	By     EventKind // EventApproved, EventRejected, EventResolved or EventOrdered
	State  State
	Code   Code
	Reason string
	Result *Result // for EventResolved to Done
	// Arguments, for EventApproved, are to be sent instead of those that were shown; nil for the same. The event keeps them.
	Arguments []byte
	Expiry    time.Duration // for Approved
	Actor     Actor
	Seal      bool // keep result and arguments encrypted, where the store can
}

// Note is a fact that changes no state.
type Note struct {
	Tenant string
	ID     string
	Code   Code
	Text   string
	Count  int
	Result *Result // evidence, such as the answer of a holder whose fence is old
	Review Code    // opens a review
	Actor  Actor
	Seal   bool // keep the evidence encrypted, where the store can
}

// Query selects effects of one tenant.
type Query struct {
	Tenant  string
	Subject string // "" for all
	States  []State
	Tool    string
	Run     string
	Agent   string
	Text    string    // only effects whose About has it, whatever the case of ASCII letters; at most MaxAbout bytes, else CodeInvalid
	From    time.Time // created at this time or later; zero for all
	Until   time.Time // created before this time; zero for all
	Review  bool      // only effects with an open review
	Execute Execute
	Before  string // effects older than this id: the last one of the page before
	Limit   int    // 1 to 500; 0 means 50
}

// Credentials keeps API keys. A store that can hold them implements it.
type Credentials interface {
	// AddCredential records a key. Its ID and Hash must be new (CodeConflict).
	AddCredential(ctx context.Context, c Credential) error
	// FindCredential returns the key with a hash, revoked or not; CodeNotFound where there is none.
	FindCredential(ctx context.Context, hash [32]byte) (Credential, error)
	// ListCredentials returns all keys, oldest first.
	ListCredentials(ctx context.Context) ([]Credential, error)
	// RevokeCredential ends a key now. To revoke it again changes nothing.
	RevokeCredential(ctx context.Context, id string) error
}
