// Command bench measures Onceguard from outside: it knows only the public API, starts the real program as processes of
// its own, and sets what it measures beside what the machine can do at all and beside other systems that do the nearest
// equivalent, all in one run. README.md in this folder says how to run it and how to read what it prints.
//
// # What a figure is worth
//
// Absolute figures belong to the machine and the minute. What counts are ratios within one run, so every subject is measured in
// turn before the next repetition begins, and a ratio is the median of the ratios of each repetition. A figure counts only if all
// answers were right: each call must get the decision that its scenario demands, and the upstream's own count of calls must be what
// was to be sent. One wrong answer voids the measurement and fails the run.
//
// # How it is built
//
//	main.go      one run: flags to plan (plan.go), the world (world.go), measurements, results (result.go, bar.go)
//	world.go     starts guards (guard.go), databases (postgres.go, redis.go), helpers (role.go) and peers (package peer)
//	subject.go   what is measured: guards, limits (limit.go), peers
//	scenario.go  what callers do to a guard, in requests made beforehand (message.go)
//	measure.go   one subject under one load; size.go on ledgers of several sizes; soak.go for long
//	load         the callers; process: servers and what they cost; peer: other systems; report: statistics and printing
//
// The upstream and the bare echo handler are this program again, started with a variable that names the role, so that they
// run in processes of their own like everything else that is measured.
package main
