// Package storetest is the contract of guard.Store, executed.
//
// Run has a case for each sentence of the interface's promise, named after it; a driver passes by giving it a
// constructor:
//
//	storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store { … })
//
// Lockstep drives a driver and Reference with the same random operations and compares every answer. After each
// case, Check reads the whole ledger and verifies what must hold at every moment: that guard.Audit finds no fault in any effect,
// that all reads agree, and that what was superseded is named so.
//
// Reference is a store in memory, written to be read as the specification. Faulty wraps any store and makes its writes
// fail before or after they were applied, and holds up what a caller reads before it claims. RawLog is the least that a
// durable ledger can do, and the measure of speed.
package storetest
