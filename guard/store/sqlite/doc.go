// Package sqlite keeps the ledger of the guard in one file: a guard.Store and guard.Credentials on SQLite, without CGO.
//
// # Guarantee
//
// A write that returned without an error is on the disk. One of several writers, be it in this process or in another
// that opened the same file, comes first, and the others see what it wrote. A write that failed with CodeUnavailable was not
// made and never will be. What was recorded is never changed, and deleted only by Prune: triggers hold others that use
// the tables to the same.
//
// # Durability
//
// The file is in write-ahead mode with synchronous = FULL: each commit is flushed before it is answered. Open reads
// these settings back and refuses to serve without them. SQLite flushes with fdatasync where the system has it, in the
// whole process. On Linux what a commit appends to the log is gathered and written at once, before that flush (vfs_linux.go).
//
// A commit that fails may still be found in the log after a crash. Its callers get CodeUncertain, and the store closes
// all its connections, so that the next write reads the log from the disk, folds it into the file, flushes that and goes on from there;
// until that succeeds every call gives CodeUnavailable. A commit that found the disk full, or the file in use by another
// process for too long, is known not to have been made.
//
// # Group commit
//
// One goroutine owns the connection that writes. It takes all requests that wait, up to Options.MaxBatch, applies them inside
// one BEGIN IMMEDIATE … COMMIT, and answers them when the commit is durable. It never waits for more to come, so that
// a lonely caller pays one flush and many callers share one. What needs neither the time nor the state of an effect, such
// as the hashes of its bytes, is computed by the callers, because the writer's time bounds them all.
//
// A request that the rules refuse has written nothing, and leaves the others of its batch alone. A request that SQLite
// itself refuses takes the batch back; then each request is tried alone. An answer, a refusal too, is only
// given after the commit that it rests on.
//
// Reads have connections of their own. Each sees one moment, with every commit that was answered; none waits for the writer or makes it wait.
//
// # Layout
//
// The table effects has one narrow row for each effect. The table events has one row for each event and holds the bytes
// of arguments and results, which a change of state so never copies. An effect's row names its last event and the
// events that brought its arguments and its result; each event names the one before it. The events of an effect thus form a list that is
// only ever appended to and needs no index, besides the chain of hashes (guard.Event.Seal) that proves it.
// Every answer with arguments or results verifies the hashes of the events that it was made from, and that the row
// agrees with the last one; else it is CodeCorrupt, and nothing is claimed.
//
// An index exists for each question that is asked: key and generation, id, tenant and time of creation, what is due, what waits
// for a person, what was approved and not sent, what may be forgotten; and, only where they are set, the digests of the
// identity, of the caller's key, of what texts leave out and of the resource. Those of identity, texts and resource also hold until
// when an effect answers or since when it is done, so that a claim reads what is like it or has superseded its effect, and
// not all that ever was: it takes the same work in a ledger of 20,000 effects as in one of 1,000. Two questions take more. The same
// call in other scopes is found by the first half of its key, and all that is recorded of it is read. A limit sums up the uses
// within its period, one entry of an index each. The statements stand in queries, one a file, and a test holds each to its index.
//
// The table book is only ever appended to. Each batch reads its highest number once, together with those of effects and
// events, because another process may have made an entry: so no claim is won by an old book.
//
// The table uses has one row for each effect and key of a limit. It says whether the effect has given back what it used, so that
// a claim need not look at the effect, and outlives the effect for as long as a limit may look back.
//
// # Size
//
// An effect of about 700 bytes of arguments and 300 of result takes about 2 kB of the file, and about 1 kB when Prune has taken
// these bytes. What is forgotten leaves its pages to what comes; the file does not shrink. No number of an effect or an event is
// used twice, so that nothing new is taken for what was forgotten.
//
// # Several processes
//
// A command may open the file beside a running server, such as one that adds a key. A second server is refused
// (Options.Exclusive), because two would wait for each other at each commit, not because it would be unsafe. The file
// must be on a local disk: network file systems do not keep SQLite's promises.
package sqlite
