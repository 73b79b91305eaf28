package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// How long a session lasts.
const (
	sessionIdle = 30 * time.Minute // without a request
	sessionMost = 12 * time.Hour   // in all
	renewAfter  = time.Minute      // a cookie that is older gets a new idle time
)

// session is what a person's browser keeps, sealed. It holds no key.
type session struct {
	ID     string           `json:"id"`               // random, so that one session can be ended
	Hash   [32]byte         `json:"hash,omitzero"`    // of the credential; zero where Person is set
	Person *guard.Principal `json:"person,omitempty"` // whom an identity provider vouched for
	Began  time.Time        `json:"began"`
	Seen   time.Time        `json:"seen"` // when the cookie was made
}

func newSession(now time.Time) session {
	return session{ID: rand.Text(), Began: now, Seen: now}
}

// valid reports whether the session lasts at a time.
func (s *session) valid(now time.Time) bool {
	return now.Before(s.Began.Add(sessionMost)) && now.Before(s.Seen.Add(sessionIdle))
}

// sealer writes and reads cookies that nobody else can read, make or change.
type sealer struct {
	aead   cipher.AEAD
	secure bool
}

// newSealer derives the key of cookies from the installation key, so that all servers of one ledger read them.
func newSealer(installation []byte, secure bool) (*sealer, error) {
	if len(installation) < 32 {
		return nil, errors.New("web: the installation key is needed, of at least 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, installation, nil, "onceguard dashboard cookies 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead, secure}, err
}

// The cookies, by what they hold.
const (
	sessionCookie = "onceguard_session"
	flowCookie    = "onceguard_flow" // of a sign-in at an identity provider
)

// name is a cookie's name. The prefix __Host- makes browsers refuse one that was set by a neighbour or without TLS.
func (s *sealer) name(cookie string) string {
	if s.secure {
		return "__Host-" + cookie
	}
	return cookie
}

// write sets a cookie. It is sent along when a person follows a link to the dashboard, but not with a foreign page's post.
func (s *sealer) write(w http.ResponseWriter, cookie string, value any, life time.Duration) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	sealed := s.aead.Seal(nil, nil, text, []byte(cookie))
	http.SetCookie(w, s.cookie(cookie, base64.RawURLEncoding.EncodeToString(sealed), int(life/time.Second)))
	return nil
}

// read opens a cookie and reports whether there was one of ours.
func (s *sealer) read(r *http.Request, cookie string, value any) bool {
	c, err := r.Cookie(s.name(cookie))
	if err != nil {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return false
	}
	text, err := s.aead.Open(nil, nil, sealed, []byte(cookie))
	return err == nil && json.Unmarshal(text, value) == nil
}

func (s *sealer) clear(w http.ResponseWriter, cookie string) {
	http.SetCookie(w, s.cookie(cookie, "", -1))
}

func (s *sealer) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.name(name), Value: value, Path: "/", MaxAge: maxAge, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
