// Package guard decides, before an agent changes the outside world, whether the change it asks for is new.
//
// # The promise
//
// An effect is sent at most once for one fingerprint, scope and window, unless it is proven not to have been
// applied or a named person orders another. What has been acknowledged survives a crash. Nobody sees the result
// of another tenant. When the ledger is down, nothing is sent.
//
// This is not "exactly once", which no boundary can give: a call that left and never answered may or may not
// have been applied. Such an effect is recorded as unknown and stays so until evidence or a person settles it.
// No timer ever turns unknown into "send again".
//
// # The way of a call
//
//	Do: policy.Match -> Validate -> fingerprint.Sum -> Store.Lookup -> Check, limits -> decide -> Store.Claim
//	    -> Forwarder.Send (detached from the caller) -> Store.Settle -> Answer
//
// Where the policy's mode is off, and for reads, the call passes after Match and nothing is recorded. Where the mode is to
// warn, the rounds are the same, and then the call is sent as an effect of its own (warn.go).
//
// Lookup is a hint that spares replays the queue of writes; keys that this process has not met go without it. What is found
// done is replayed without asking the rule's conditions. Where no other process writes to the ledger, it is answered from
// memory (remember.go). Claim is
// the decision: one atomic, durable write that either wins the right to send or returns what stands in the way, upon
// which decide is asked again. decide is a pure function of what was found, what the policy says, and nothing else; its
// table is in decide.go and its test.
//
// # What stands in the way
//
// First of all the effect under the call's own key. A key depends on what the policy says, so the call is looked up under
// every edition that the rule of its tool has had (edition.go), and an edit reopens nothing. The installation key is a part of the
// edition (keys.go), and what a policy conceals is taken out of all that is shown (seal.go). Then, where the policy asks
// for it, its rivals (rival.go): an effect that differs in wording at most (near.go), an equal one in another scope, another
// one on the same thing. All rivals of a relation are looked at together, and one whose outcome is open is answered for
// before one that is done. A likeness never merges two effects unless the policy says so: a person is asked, or the agent, who
// may then declare with a token that one more is meant (confirm.go). Last come the policy's limits (limit.go). All of it is
// checked by the very write that claims, so that of two calls at one moment one meets the other.
//
// A done effect stops answering before its window ends when another effect on the same resource was done after it: to
// write A, then B, then A again are three effects.
//
// # The book
//
// Some things every replica must know before it claims: under which other keys a call may be recorded (edition.go), the policies
// that the ledger keeps (policies.go), and which tools and agents an admin has stopped (switch.go). They are entries of one append-only book in the ledger. A claim names
// the newest entry that its caller has read, and the store refuses it when there is a newer one (book.go). So an answer to
// Switch or to EditPolicy means that no replica claims past it: a call that was read under an older policy is read anew. An entry that this version cannot read stops claims.
//
// # States
//
// A claim is the permission to send and is recorded as "may have been sent". There is no state of a claim that
// was made but surely not sent, because a process that dies cannot tell the ledger which of the two it was.
//
//	              ┌────────► refused ◄──────────┐
//	              │ deny         ▲ reject, expire │
//	call ─────────┼─ hold ──► held ── approve ──► approved ──┐
//	              │                                  ▲       │ send
//	              └─ allow ──────────────► pending ◄─┼───────┘
//	                                        │  ▲     │ "send again"
//	           ┌──────────┬─────────┬───────┤  │     │
//	           ▼          ▼         ▼       ▼  │     │
//	         done      partial   unknown  failed     │
//	           ▲          ▲ │       │ │ ▲   (equal call: pending again)
//	           └──────────┴─┴───────┘ └─┼─────────────┘
//	            late answer, reviewer   └ lease over
//
// Transitions (state.go) is the whole list, as data. The guard refuses what is not on it, and so does every
// store, by compare-and-set on the state and the fence.
//
//	from      event      to        fence  by
//	          claimed    pending    1     replica: unique insert
//	          held       held       1     replica: unique insert
//	          refused    refused    1     replica: unique insert
//	held      approved   approved  +1     reviewer
//	held      rejected   refused   +1     reviewer
//	held      expired    refused   +1     sweeper
//	approved  claimed    pending   +1     replica
//	approved  expired    refused   +1     sweeper, if it was never sent
//	approved  expired    unknown   +1     sweeper, if it was a retry order
//	pending   settled    done       =     holder of the fence
//	pending   settled    failed     =     holder of the fence
//	pending   settled    partial    =     holder of the fence
//	pending   settled    unknown    =     holder of the fence
//	pending   lapsed     unknown    =     sweeper
//	unknown   settled    done       =     first holder, late
//	unknown   settled    failed     =     first holder, late
//	unknown   settled    partial    =     first holder, late
//	unknown   resolved   done      +1     reviewer: "it happened"
//	unknown   resolved   failed    +1     reviewer: "it did not"
//	unknown   ordered    approved  +1     reviewer: "send again"
//	unknown   claimed    pending   +1     replica, if the upstream is certified to honour our key
//	failed    claimed    pending   +1     replica: an equal call came
//	partial   resolved   done      +1     reviewer: the rest was completed elsewhere
//	partial   resolved   failed    +1     reviewer: what was done was undone elsewhere
//	failed    resolved   failed    +1     reviewer: it did not happen, although evidence said so
//	failed    resolved   done      +1     reviewer: it happened, as the evidence said
//	done      resolved   done      +1     reviewer: has seen the evidence of a second application
//
// A note is legal in every state and changes none: repeats, and evidence that contradicts the record, upon which a
// review is opened. Only a person closes that review, and a failed effect under such a review is not sent again.
//
// A failure proves only that its own attempt was not applied. While an earlier attempt of the same effect may have been,
// because a person or the policy ordered another send of an unknown one, a failure is recorded as unknown.
//
// A person who approves may change the arguments (amend.go). They must keep to the schema and to the rules that deny, and are sent
// under the effect's own key: the agent's call, as it came, is answered by what was sent in its place, and so is a call that comes with
// the edited arguments.
//
// An effect that stops answering (its window is over, it is superseded, its repeat was confirmed, or it was refused by
// the policy and no longer is) is never reopened: the next equal call begins a new generation, an effect of its own under the same key.
//
// # Fences and leases
//
// The fence of an effect grows with every claim and every decision of a person or a timer that takes the right
// to send away or gives it. A write that carries an older fence changes nothing; what it had to say is kept
// as evidence. The sweeper does not raise the fence when a lease lapses, because it gives no right to anybody:
// it only records that nobody knows. So a late answer of the first holder still settles the effect.
//
// The end of a lease means "look", never "run again".
//
// # Clocks
//
// The store's clock decides leases, expiries and windows; times of other clocks are never compared with it. A
// holder also keeps a stopwatch of its own (monotonic, started before it asked for the claim) and does not start
// to send when more than sendWindow has passed: it records "not sent" instead. A process that is stopped between that
// check and its system call can still send late; no client can close that gap without the upstream's help.
//
// # Crash points
//
//	before the claim is durable         nothing was sent; the caller tries again
//	claim not confirmed                 re-read by the random claim id; sent only if it is ours, else nothing is sent
//	claimed, before the first byte      the lease lapses: unknown (we cannot tell it from the next)
//	bytes written, no answer            unknown: the policy's on.unknown decides, by default a person
//	answer read, not recorded           recording is repeated for minutes; a crash leaves unknown
//	settlement not confirmed            repeated: settling is idempotent by claim id, fence and result
//	recorded, before or during reply    the next equal call is answered from the record
//	a decision or a sweep half way      one transaction of the store: it happened or it did not
//
// Start-up has no recovery of its own: the sweeper, which runs from the first second, treats what a dead process
// left exactly like what a slow one left.
//
// # Beside the calls
//
// Run sweeps, reads the book, sends what was approved and left (resume.go), writes down what was counted in memory
// (repeats.go, tally.go), tells the endpoints of the policies that reviews were opened (notify.go), passes on what the store hears of other replicas to those who follow changes (changes.go), and
// forgets what no longer answers (prune.go). Nothing of it is needed for a call to be decided rightly.
package guard
