// Package postgres keeps the ledger of the guard in a PostgreSQL database that any number of replicas share: a guard.Store,
// guard.Credentials and guard.Watcher on pgx.
//
// # Guarantee
//
// A write that returned without an error is committed, and flushed as the server promises (see Durability). Of several writers, in this
// process or in another one, one comes first, and the others see what it wrote. A write that failed with CodeUnavailable was not
// made and never will be. What was recorded is never changed, and is deleted by Prune alone: triggers refuse all else, and roles.sql
// gives the application no right to. Prune is a function with the rights of the ledger's owner that keeps the rules itself.
//
// # One statement
//
// Each write is one statement in one round trip (schema/3_claims.sql, 4_changes.sql), and its transaction ends with it. No lock
// outlives a statement and no session keeps a state that a write needs, so that the connections may go through a pooler in
// transaction mode. Open sees whether there is one: without it, statements are prepared and planned once for each connection.
// A claim that is alone and lost takes a second round trip, which finds what stands in its way.
//
// A claim that compares nothing inserts, and the unique index on key and generation decides. A claim that compares with
// other effects (CallerKey, Aliases, scope, identity, nearness) or is limited first takes transaction-level advisory locks on all
// digests by which it could find a rival or be found by one, and on its limits, sorted so that no two claims wait for each other,
// and looks only then. Equal calls of all scopes have keys that begin alike, and so one lock. Under READ COMMITTED the statements
// inside of a function have a snapshot each, so that the look sees what the rival before it wrote; Open and the function itself
// refuse another isolation. Claims hold the lock of the book in common, and an entry is made alone.
//
// Every other change is derived from the effect as it was read (or as it was remembered from its claim), and made only if
// the effect still has as many events as then. Else it is derived anew.
//
// # Coalescing
//
// Two goroutines take the claims that wait and two the settlements, each as many as there are, and send them as one
// statement; claims that have a lock in common follow each other in the same round trip. They never wait for more to come: a lonely
// caller pays one round trip, many callers share one and its flush. A request that the rules refuse leaves the others alone; when the
// server refuses the whole, each is tried alone.
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
// The clock of the database stamps the events and decides leases, expiries and windows, in microseconds. The statement that
// assigns the time also computes the hash of the event (guard.Event.SealWith) over it and the content that the program hashed.
//
// # Layout
//
// The table effects has one row for each effect and none of its bytes. The table events holds arguments and results and is only ever
// appended to, under (effect, seq). The view records joins both for reading: every answer with arguments or results verifies the hashes
// of the events that it was made from, and that the row agrees with the last one; else it is CodeCorrupt, and
// nothing is claimed. Outline alone reads the row and no event: it is for a cache that holds the bytes, bound to that row.
//
// No index of effects is about what a settlement changes, so that it writes the new row beside the old one and no index. What depends on
// the state and its times is found by small tables: due (when to look whether time has ended a state), answering (until when an
// effect answers for others of its identity or wording), finished (when effects on a resource were done) and uses (of limits). Triggers
// keep the second to the fourth; a sweep clears what is left in the first.
//
// An index exists for each question that is asked; tests hold each operation to the rows that it is about, and to as many pages in a
// large ledger as in a small one. Two answers grow with what they are about: OtherScope with the effects that one call ever made in
// all scopes, and a limit with the uses in its period.
//
// An effect of about 700 bytes of arguments and 300 of result takes about 2.8 kB with all indexes, before vacuum.
//
// # Wake-ups
//
// After a change the store tells others by NOTIFY what has changed: off the path, all changes of some 10 ms in one statement that waits for
// no flush, and only while another store listens. Watch listens on a connection of its own. Through a pooler in transaction mode it hears
// nothing.
//
// # Speed
//
// On a two-core machine that also ran the callers and much else, with the server's folder on the disk, claim and settle made 2.5 to 2.9
// times as many cycles as the naive pattern (two transactions of two statements each) at 64 callers (once 1.3, when fifteen
// processes waited for the two cores), 1.1 to 1.2 times at 16 and 0.9 to 1.2 times at one; the command is in cycle_bench_test.go. One caller alone waits most for the flushes, and then for some 300 µs of
// the server's time and some goroutines.
//
// # Upgrades
//
// The files under schema are steps, applied once and in order under a lock, with their checksums. A step says
// which program is the oldest that can work with it, so that two versions run side by side: a function that an older program calls is
// never changed in what it takes or gives; a new one gets a name of its own.
package postgres
