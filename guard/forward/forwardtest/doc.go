// Package forwardtest holds the promise of guard.Forwarder as tests, and an upstream to test with.
//
// Run is the contract of every forwarder that speaks HTTP: each case has a real listener that does one thing
// wrong, and says what the outcome must be and how many requests may arrive. Every outcome is also held against what
// is true of all of them (see check): a failure is proven, and a detail tells nothing of the arguments.
//
// Upstream is a server that really counts what it executed, for tests of the whole guard: it can commit and lose
// the reply, lose the request, hang, and more. What it counted is the truth that the ledger is compared with.
package forwardtest
