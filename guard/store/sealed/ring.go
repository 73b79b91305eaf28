package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// minKey is the least length of an installation key, in bytes.
const minKey = 32

// Sizes of the parts of sealed bytes.
const (
	nameSize  = 4
	nonceSize = 12
	headSize  = len(magic) + nameSize + nonceSize
)

// magic begins sealed bytes. No JSON text begins so.
const magic = "og\x01"

// Ring holds the installation keys under which bytes are or were sealed. It is safe for concurrent use.
type Ring struct {
	newest key
	all    map[[nameSize]byte]key
}

// key is an installation key in the form in which other keys are derived from it.
type key struct {
	name   [nameSize]byte
	secret []byte
}

// NewRing makes a ring. Bytes are sealed under the first key; those that were sealed under the others can be opened.
func NewRing(newest []byte, older ...[]byte) (*Ring, error) {
	r := &Ring{all: map[[nameSize]byte]key{}}
	for i, installation := range append([][]byte{newest}, older...) {
		if len(installation) < minKey {
			return nil, fmt.Errorf("sealed: a key has %d bytes, at least %d are needed", len(installation), minKey)
		}
		secret, err := hkdf.Extract(sha256.New, installation, []byte("onceguard sealed 1"))
		if err != nil {
			return nil, fmt.Errorf("sealed: %w", err)
		}
		k := key{secret: secret}
		name, err := hkdf.Expand(sha256.New, secret, "name", nameSize)
		if err != nil {
			return nil, fmt.Errorf("sealed: %w", err)
		}
		copy(k.name[:], name)
		if i == 0 {
			r.newest = k
		}
		r.all[k.name] = k
	}
	return r, nil
}

// place is where bytes belong. They open nowhere else.
type place struct{ tenant, effect, what string }

var errClosed = errors.New("the bytes were not sealed for this effect, or were changed")

// errNoKey says that bytes are of a key that was taken off the ring.
var errNoKey = errors.New("the bytes are sealed under an installation key that this server does not have")

// derive makes the keys for one effect: one that encrypts and one that makes nonces.
func (k key) derive(p place) (cipher.AEAD, []byte, error) {
	tenant, err := hkdf.Expand(sha256.New, k.secret, "tenant "+p.tenant, sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	both, err := hkdf.Expand(sha256.New, tenant, "effect "+p.effect, 64)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(both[:32])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, both[32:], err
}

// seal encrypts text for its place. No text stays none.
func (r *Ring) seal(text []byte, p place) ([]byte, error) {
	if len(text) == 0 {
		return text, nil
	}
	aead, nonces, err := r.newest.derive(p)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, nonces)
	h.Write([]byte(p.what))
	h.Write([]byte{0})
	h.Write(text)
	nonce := h.Sum(nil)[:nonceSize]

	sealed := make([]byte, 0, headSize+len(text)+aead.Overhead())
	sealed = append(sealed, magic...)
	sealed = append(sealed, r.newest.name[:]...)
	sealed = append(sealed, nonce...)
	return aead.Seal(sealed, nonce, text, []byte(p.what)), nil
}

// IsSealed reports whether bytes of a ledger are encrypted, and not as a caller sent them.
func IsSealed(b []byte) bool { return len(b) > headSize && string(b[:len(magic)]) == magic }

// open decrypts what seal made, and returns other bytes as they are.
func (r *Ring) open(b []byte, p place) ([]byte, error) {
	if !IsSealed(b) {
		return b, nil
	}
	k, ok := r.all[[nameSize]byte(b[len(magic):])]
	if !ok {
		return nil, errNoKey
	}
	aead, _, err := k.derive(p)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, b[headSize-nonceSize:headSize], b[headSize:], []byte(p.what))
	if err != nil {
		return nil, errClosed
	}
	return text, nil
}
