// Package sealed keeps the bytes of effects encrypted in any ledger: who reads its files, its backups or its replicas sees
// what happened and when, but neither arguments nor results.
//
// # Guarantee
//
// What a request with Seal brings is stored encrypted, and comes back byte for byte from every read. The ledger beneath
// decides all it decided before: keys, fences, states and times are not touched, equal bytes of one effect are equal when they
// are sealed, and the hashes of the events are those of the sealed bytes, so that the chains can be
// verified without a key. Bytes that do not open, because they were changed, were moved to another effect or were sealed
// under a key that is not on the ring, are CodeCorrupt: nothing is answered from them.
//
// Sealed and plain effects stand side by side; what was recorded in the plain stays so.
//
// # Form
//
// Sealed bytes are: the three bytes "og\x01", four bytes that name the key, a nonce of twelve bytes, and the output of AES-256-GCM. A
// tenant has a key of its own, which HKDF-SHA-256 (RFC 5869) derives from the installation key and the tenant's name; an effect
// has one that is derived from that and its id. The associated data says what the bytes are: arguments or a result.
//
// The nonce is derived from the text (the construction of RFC 5297, with HMAC-SHA-256 for the synthetic part), because
// the ledger has to see that two settlements are the same. All that this tells is that two texts of one effect are equal.
package sealed
