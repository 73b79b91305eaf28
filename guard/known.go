package guard

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/onceguard/onceguard/fingerprint"
)

// known remembers which keys have effects, as far as this process has seen them. It saves new calls the look before the
// claim: a key that is not remembered goes straight to the claim, which finds whatever is there. It decides nothing. A slot
// is overwritten by the next key that falls into it, and then costs that key's next repeat one pass through the claim.
type known struct {
	slots [1 << 17]atomic.Uint64 // the second eight bytes of a key, in the slot that its first eight bytes name
}

func (k *known) slot(d fingerprint.Digest) (*atomic.Uint64, uint64) {
	return &k.slots[binary.BigEndian.Uint64(d[:8])%uint64(len(k.slots))], binary.BigEndian.Uint64(d[8:16])
}

func (k *known) add(d fingerprint.Digest) {
	slot, tag := k.slot(d)
	slot.Store(tag)
}

func (k *known) has(d fingerprint.Digest) bool {
	slot, tag := k.slot(d)
	return slot.Load() == tag
}
