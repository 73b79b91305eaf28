// Package servertest starts throw-away PostgreSQL and Redis servers for tests, from the programs that the machine has.
//
// A test that needs a database asks for one and gets its address:
//
//	dsn := servertest.Postgres(t)
//
// All tests of a process share one PostgreSQL server, and each has a database of its own, which is
// empty or a copy of one that was prepared once (Template). A test that stops, restarts or
// promotes its server has one of its own: StartPostgres. A Redis server starts in some milliseconds, so each test has one of its
// own: StartRedis. PostgreSQL servers flush to the disk as in production (fsync is on),
// but their folders are in memory where there is enough of it.
//
// A server never outlives the process that asked for it, not even one that was killed: a small shell waits for the
// end of a pipe that the process holds, then stops the server and removes its folder. Run as root, the servers belong to an
// ordinary user, because PostgreSQL refuses root.
//
// Programs are looked for in PATH and in the folders where Debian keeps the versions of PostgreSQL; the newest one is
// taken. Where one is missing, the test is skipped, and fails if the environment variable CI is set.
package servertest
