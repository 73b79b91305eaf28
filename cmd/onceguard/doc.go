// Command onceguard is a guard service between AI agents and the tools that change the world. It is the only
// main package of the module and the only place that knows which ledger and which forwarder are used.
//
//	serve      decide on calls over HTTP
//	keys       make, list and revoke API keys, also beside a running server
//	migrate    show or bring up to date the tables of a shared ledger
//	fsck       check the whole ledger, each effect against its history
//	check      validate policies without a server
//	policy     show the effective rule of a tool, and where each line of it was written
//	schema     print the policy language as a JSON Schema for editors
//	test       run the tests that stand beside policies
//	backtest   show what a draft of the policies would have done to recorded calls
//	suggest    write policies for tools from their descriptions or recorded calls
//	explain    show why a call has its fingerprint, and whether two calls are the same effect
//	eval       measure how well policies tell calls apart, on labelled pairs
//	demo       a short story on this machine, to see what the guard does
//	replay     feed recorded calls through a guard and count double effects
//	version    the build
//
// Exit codes: 0 for success, 1 for failure, 2 for a command line, environment or configuration file that cannot
// be understood. Errors are sentences on standard error; reports go to standard output, with --json as one JSON
// document.
//
// # The data folder
//
// serve keeps its state in one folder (mode 0700, each file 0600):
//
//	ledger.db          effects, their events and the hashes of API keys; SQLite, with its side files
//	installation.key   the secrets under which fingerprints are made and bytes are sealed, one a line
//
// Neither is of use without the other: a ledger under another key answers no call, so every effect would look
// new. A folder that holds only one of them is therefore refused instead of being taken for a first start. The
// key of a first start is called installation.key.new until the ledger stands beside it, so that a first start
// that was cut off can be repeated.
//
// With --ledger the effects are in a PostgreSQL database that several servers share, and only the key is in the
// folder. The first server makes it and ties the database to it; a server with another key, or without one, is refused.
//
// # Shutdown
//
// On SIGTERM or SIGINT the server stops deciding (readyz says 503, calls get a problem with code draining),
// waits until the calls under way have their outcome in the ledger, closes its connections, ends the sweeper
// and closes the ledger. Another signal, a second or more after the first, ends the process at once, which the
// ledger survives like any other crash.
package main
