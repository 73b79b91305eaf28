package fingerprint

import (
	"encoding/hex"
	"fmt"
)

// Digest is a keyed digest. The zero Digest means "none".
type Digest [32]byte

// CommonBytes is the length of Digest.Common.
const CommonBytes = 16

// Common is the first half of an effect key, which the keys of equal calls in all scopes share. Halves of 128 bits are
// wide enough: who looks for a collision has no key to compute with, and would only be asked about a likeness.
func (d Digest) Common() []byte { return d[:CommonBytes:CommonBytes] }

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// String writes d as 64 lower-case hexadecimal digits; the zero Digest as "".
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// ParseDigest reads what String writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if s == "" {
		return d, nil
	}
	if n, err := hex.Decode(d[:], []byte(s[:min(len(s), 2*len(d))])); err != nil || n != len(d) || len(s) != 2*len(d) {
		return Digest{}, fmt.Errorf("a digest is %d hexadecimal digits, this has %d characters", 2*len(d), len(s))
	}
	return d, nil
}

// MarshalText writes d as String does.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	parsed, err := ParseDigest(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}
