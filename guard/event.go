package guard

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"
)

// Actor is who caused an event.
type Actor struct {
	Kind string // "agent", "reviewer", "guard" or "sweeper"
	Name string // the subject of a principal; "" for the guard's own parts
}

// Event is one append-only fact about an effect.
type Event struct {
	Effect    string    // id
	Seq       int       // 1, 2, 3 … without gaps
	At        time.Time // by the store's clock, microseconds
	Kind      EventKind
	From, To  State
	Fence     int64 // after the event
	Actor     Actor
	Code      Code
	Note      string // one sentence; holds no argument value
	Claim     string
	Count     int    // for notes: how many equal facts this one stands for; else 0
	Arguments []byte // exact bytes, where the event brought new ones
	// ArgumentsHash is the SHA-256 of the bytes as the store keeps or kept them, set where Arguments are not these: they were
	// pruned, or are kept encrypted. Else it is zero.
	ArgumentsHash [32]byte
	Result        *Result
	Hash          [32]byte
}

// Seal returns the hash of e, given the hash of the event before it (zero for the first). Together the hashes of an
// effect form a chain: no event can be changed, dropped from the middle or reordered without breaking every later
// one. The head of the chain stands on the effect's row.
//
// The hash is SHA-256 over prev, Seq and the time in microseconds as 8 bytes big-endian each, and then SHA-256 of
// all other fields, each prefixed with its length. The split lets a database that assigns the time compute it.
func (e *Event) Seal(prev [32]byte) [32]byte { return e.SealWith(prev, e.Content()) }

// SealWith is Seal, given the Content of e: a store computes that while a write still waits for its turn.
func (e *Event) SealWith(prev, content [32]byte) [32]byte {
	h := sha256.New()
	h.Write(prev[:])
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], uint64(e.Seq))
	binary.BigEndian.PutUint64(n[8:], uint64(e.At.UnixMicro()))
	h.Write(n[:])
	h.Write(content[:])
	return [32]byte(h.Sum(nil))
}

// Content returns the hash of all fields but Seq, At and Hash. Of the bytes of arguments and result only the hashes go into
// it, so that it can be computed when they were pruned.
func (e *Event) Content() [32]byte {
	h := sha256.New()
	for _, s := range []string{e.Effect, string(e.Kind), string(e.From), string(e.To), e.Actor.Kind, e.Actor.Name, string(e.Code), e.Note, e.Claim} {
		writePart(h, []byte(s))
	}
	writeNumber(h, e.Fence)
	writeNumber(h, int64(e.Count))
	writeBytes(h, e.Arguments, e.ArgumentsHash)
	if r := e.Result; r != nil {
		writeNumber(h, int64(r.Status))
		writePart(h, []byte(r.ContentType))
		writeBytes(h, r.Body, r.BodyHash)
		writePart(h, []byte(r.Source))
		if r.IsError {
			writeNumber(h, 1)
		}
	}
	return [32]byte(h.Sum(nil))
}

func writePart(h hash.Hash, b []byte) {
	writeNumber(h, int64(len(b)))
	h.Write(b)
}

// writeBytes writes the hash of b, or the one that the store gave for it. No bytes are the zero hash.
func writeBytes(h hash.Hash, b []byte, given [32]byte) {
	if len(b) > 0 && given == [32]byte{} {
		given = sha256.Sum256(b)
	}
	h.Write(given[:])
}

func writeNumber(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
