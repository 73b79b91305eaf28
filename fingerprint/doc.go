// Package fingerprint decides when two tool calls ask for the same effect. No other package knows how arguments are
// compared, and this one imports nothing of the module.
//
// # The way of the arguments
//
//	text ─Decode─> Value ─normalise by Kind─> normal forms ─keep by Role─> HMAC ─> Sum
//
// Decode is strict and exact: what two JSON readers could understand differently (a name given twice, text that is
// not UTF-8, half a surrogate pair, NaN) is an error, and numbers are exact decimals that never pass through a
// float64. A Value keeps the bytes as they came. Normal forms exist only to compare: what is sent on is the raw text.
//
// A Spec says of each argument what it is to the effect (Role) and how its spellings are told apart (Kind). An
// argument that nobody declared is Material and compared exactly, so that forgetting a rule splits effects and never
// merges them. A Spec for tools that nobody described at all infers instead (NewInferringSpec), and errs to the same side.
//
// # What is guaranteed
//
//   - Two values have the same canonical form exactly when they are equal as JSON values under exact arithmetic, with
//     objects as unordered and strings as sequences of code points.
//   - Every normal form starts with a tag that names how it was read ("money 25 EUR", "exact \"25\""). A value that
//     its kind cannot read is compared exactly, its Term says so in Note, and the call goes on: the two ways of
//     reading a value can never meet, nor can two values that were not read under different options.
//   - Two calls have the same Key exactly when tenant, effect type, scope, occurrence, the names, roles and kinds of the arguments
//     that decide, and the normal forms of all identity and material arguments are equal. Arguments are named by their
//     common names (Argument.As), so that tools of one effect type share keys; an undeclared argument never passes for
//     one that is compared under its name. Every part is length-prefixed, so no two lists of parts have the
//     same bytes, and every digest has a purpose of its own, so that a key is never equal to an identity or a mark.
//   - Absent, null and "" are three different things. Only Argument.NullIsAbsent and Argument.Default join them.
//   - Nothing here panics on bad input, waits, or looks at a clock.
//
// The digests are HMAC-SHA-256 (RFC 2104, FIPS 180-4) under the installation's key: without it, nobody who holds a
// copy of the ledger can test guesses of a PIN or an address against it.
//
// # Wordings
//
// Texts for people (material arguments of kind text, markdown or html) have exact keys like all others. Sum.Near is equal
// for calls that differ in such texts at most; a Similarity compares the texts of those, and Judge says what that makes of
// the calls. Lexical is the Similarity that needs nothing else. A likeness never changes a key.
//
// # Versions
//
// The number in the labels of sum.go is the version of the algorithm. It is part of every digest and of Spec.Digest.
// Whatever makes a published vector in testdata come out differently needs a new number. The spec is part of
// a key: a changed rule makes new keys, and earlier effects are found by fingerprinting the call under the earlier
// spec as well. Only the declarations of arguments that decide are in keys (sum.go), while Spec.Digest covers all.
//
// This is version 2: it has common names, and leaves out of keys what does not decide. Version 1 was never released.
package fingerprint
