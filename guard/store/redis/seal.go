package redis

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// minKey is the least length of an installation key, in bytes.
const minKey = 32

// version is the first part of everything that is derived from the installation key, so that another format has other keys.
const version = "onceguard redis 1 "

const saltSize = 16

var errSeal = errors.New("it was not sealed by a server of this installation, or not for this place")

// sealer encrypts what goes into Redis with AES-256-GCM, under keys that HKDF-SHA-256 (RFC 5869) derives from the installation key.
//
// Each message has a key of its own, made with 16 random bytes that stand before it: with one key for all, random nonces
// would be safe for no more than 2^32 messages (NIST SP 800-38D, section 8.3), which is some weeks of wake-ups.
type sealer struct {
	secret []byte // pseudo-random key of HKDF
}

func newSealer(installation []byte) (*sealer, error) {
	if len(installation) < minKey {
		return nil, errors.New("the installation key is too short")
	}
	secret, err := hkdf.Extract(sha256.New, installation, nil)
	return &sealer{secret}, err
}

// name is what the keys and channels of this installation begin with. Several installations may share one Redis.
func (s *sealer) name() (string, error) {
	b, err := hkdf.Expand(sha256.New, s.secret, version+"name", 8)
	return "onceguard:" + hex.EncodeToString(b) + ":", err
}

func (s *sealer) aead(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, s.secret, version+"seal"+string(salt), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts text for one place: it opens with the very same place only.
func (s *sealer) seal(text, place []byte) ([]byte, error) {
	salt := make([]byte, saltSize, saltSize+len(text)+64)
	rand.Read(salt) // never fails
	a, err := s.aead(salt)
	if err != nil {
		return nil, err
	}
	return a.Seal(salt, nil, text, place), nil
}

func (s *sealer) open(sealed, place []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, errSeal
	}
	a, err := s.aead(sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	text, err := a.Open(nil, nil, sealed[saltSize:], place)
	if err != nil {
		return nil, errSeal
	}
	return text, nil
}
