// Package postgres keeps the ledger of the guard in a PostgreSQL database that any number of replicas share: a guard.Store
// and guard.Credentials on pgx.
//
// # Guarantee
//
// A write that returned without an error is committed, and flushed as the server promises (see Durability). Of several writers, in this
// process or in another one, one comes first, and the others see what it wrote. A write that failed with CodeUnavailable was not
// made and never will be. What was recorded is never changed or deleted: triggers refuse it, and roles.sql gives the
// application no right to.
//
// # One statement
//
// Each write is one statement in one round trip, a function that the schema brings along (schema/3_claims.sql,
// 4_changes.sql), and its transaction ends with it. No lock outlives a statement and no session keeps a state, so that the
// connections may go through a pooler in transaction mode. Statements are not prepared for longer than their
// round trip; where there is no such pooler, default_query_exec_mode=cache_statement in the dsn makes each claim and each settlement
// about 0.15 ms faster.
//
// A claim that compares nothing inserts, and the unique index on key and generation decides. A claim that compares with
// other effects (CallerKey, Aliases, Wide, Identity, Near) first takes transaction-level advisory locks on all digests by which it
// could find a rival or be found by one, sorted so that no two claims wait for each other, and looks only then. Under READ
// COMMITTED the statements inside of a function have a snapshot each, so that the look sees what the rival before it wrote; Open
// and the function itself refuse another isolation. Claims hold the lock of the book of editions in common, and an edition is
// added alone.
//
// Every other change is derived from the effect as it was read (or as it was remembered from its claim), and made only if
// the effect still has as many events as then. Else it is derived anew.
//
// # Coalescing
//
// Two goroutines take the claims that wait and two the changes, each as many as there are, and send them as one
// statement. They never wait for more to come: a lonely caller pays one round trip, many callers share one and its flush. A request
// that the rules refuse leaves the others alone; when the server refuses the whole, each is tried alone.
//
// # Durability
//
// Each new connection is refused if its server is a standby or has fsync, full_page_writes or synchronous_commit off. A deadlock, a
// serialization failure and a connection that had died before anything was sent are retried; a commit
// without an answer is CodeUncertain, and so is one whose server stopped waiting for its synchronous standby. A caller that leaves
// ends its own waiting and never cancels a statement, because PostgreSQL answers a cancelled wait for a standby as a success.
// With several hosts in the dsn the store finds the primary again by itself.
//
// # Clock
//
// The clock of the database stamps the events and decides leases, expiries and windows, in microseconds. The function that
// assigns the time also computes the hash of the event (guard.Event.SealWith) over it and the content that the program hashed.
//
// # Layout
//
// The table effects has one row for each effect and none of its bytes. The table events holds arguments and results and is only ever
// appended to, under (effect, seq). The view records joins both for reading: every answer with arguments or results verifies the hashes
// of the events that it was made from, and that the row agrees with the last one; else it is CodeCorrupt, and
// nothing is claimed. An index exists for each question that is asked, and a test holds each operation to the rows that it is about.
//
// An effect of about 700 bytes of arguments and 300 of result takes about 2.7 kB with all indexes, before vacuum.
//
// # Speed
//
// It is right before it is fast. Beside the naive pattern (two plain transactions on the same tables, no comparing, no hashes) it
// makes 0.15 to 0.22 of the cycles at one caller and 0.66 to 0.77 at 64, on a busy two-core machine without a disk to wait for; the
// command is in cycle_bench_test.go. A cycle takes about 350 µs of the server's time at 64 callers. Most of that is the
// insert with its indexes and the update that cannot stay in place because due and review are indexed: a side table for those two, and
// scalar functions for a request that is alone, are what to try next.
//
// # Upgrades
//
// The files under schema are steps, applied once and in order under a lock, with their checksums. A step says
// which program is the oldest that can work with it, so that two versions run side by side: a function that an older program calls is
// never changed in what it takes or gives; a new one gets a name of its own.
package postgres
