// Package redis puts Redis beside a ledger, for speed between several servers. It decides nothing: with Redis flushed, evicting, slow, lying
// or dead, every answer of a Store is that of the ledger beneath it, and so is every decision.
//
// # Wake-ups
//
// A Store tells the other servers of an installation which effects it has changed, and Watch hears it, so that a call which waits for
// another server's send learns of the outcome at once (0.2 ms after the write, in the median, on one machine), and not at its next look. A wake-up is a hint. It is published in
// the background after the write has returned; equal ones that wait are one, and beyond 4,096 they are dropped. It may be lost, late, doubled or
// the repetition of an old one, and all that it causes is a look at the ledger.
//
// # Bytes of settled results
//
// What decides on an equal call can change at any moment, by a write that another server makes: a done effect is superseded, a next generation begins,
// a review is opened, its window ends. A cache that is told of such changes answers wrongly as soon as one message is lost. So there is none
// to invalidate here: the row of an effect is read from the ledger for every look, and Redis is trusted with nothing but the
// bytes that belong to this very row.
//
// Lookup asks Redis for what it has under the fingerprint. If there is something, it reads the row alone (Outliner), and opens what Redis gave with the
// whole row as associated data: the tenant, the fingerprint, the state, the fence, the hash of the last event and all else. Bytes of another tenant or
// another effect, of an earlier state of this one, or with one bit turned do not open, and then the ledger is asked for everything, as it is where
// Redis has nothing. Only effects that are done and within their window are kept, for 10 minutes at most. So the answer is the same to the byte, with
// one exception in Redis's favour: a ledger whose stored bytes were damaged says so (CodeCorrupt) only when it reads them.
//
// What that is worth depends on the ledger. Reading a row of PostgreSQL without the events that hold its bytes took a third of the time of a whole
// look in a trial with 32 callers on two cores that PostgreSQL and Redis shared: 112 µs instead of 314 µs for an answer of 1 kB, 121 µs instead of
// 1,190 µs for 256 kB. With the exchange with Redis it was 171 µs and 510 µs. One caller alone gained nothing at 1 kB (0.63 ms instead of 0.57 ms) and half
// at 256 kB. It is a means against a busy PostgreSQL, not against a slow one. Where the ledger is no Outliner, Redis is not asked, and nothing is kept.
//
// # What Redis learns
//
// All that is put into it is sealed with AES-256-GCM, under keys that are derived from the installation key: no argument, result, tenant or id of an effect
// can be read there. It does see fingerprints, which are keyed digests, as names, and sizes and times. Names begin with a digest of the
// installation key, so that several installations may share one Redis. Streams of calls are not sealed; see below.
//
// # When Redis fails
//
// A look waits for Redis 50 ms at most. After one failure nobody asks it until it has answered a ping in the background, a second later or, while
// it stays away, some more. Nothing is ever sent to it twice. Give it maxmemory and the policy allkeys-lru; it need not keep anything on a disk.
//
// # Calls from a stream
//
// An Intake reads calls that agents add to a Redis stream, with a consumer group that all servers share:
//
//	XADD calls * key ogk_… call '{"tool": "payments.refund", "arguments": {…}}'
//
// The entry carries the API key of who asks, and the principal comes from it and from nothing else. The answer is added to another
// stream, which the server's configuration names and no entry can:
//
//	calls:replies   entry 1700000000000-0  answer '{"decision": "forwarded", …}'
//
// An entry is confirmed only after its answer was added, and it was answered only after its effect was durable. If a server dies before that, another one takes
// the entry over and runs it again, upon which the guard replays: the effect is sent at most once, and a reply is added at least once. The id
// of the entry, which XADD returned, says to which call a reply belongs.
//
// An entry that breaks the form, whose key is not valid, or that was given to five servers of which none lived to answer it, goes to
// the stream calls:dead with the reason and without its key. A call that cannot be decided now, because the ledger is down, is not given up: it is run again until it
// is answered, and keeps its place among those under way. Redis loses what it loses: a call that it forgot before a server read it was
// never asked for, so a stream of calls needs a Redis that keeps (appendonly yes) and evicts nothing (noeviction), other than the one above. Who
// can read the stream can read keys and arguments: use TLS (rediss://) and an ACL.
package redis
