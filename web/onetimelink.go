package web

import (
	"crypto/rand"
	"crypto/sha256"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// linkLife is how long a link for signing in can be used.
const linkLife = 15 * time.Minute

// oneTimeLinks are links that begin the session of a credential, once. They live in memory: a restart ends them.
type oneTimeLinks struct {
	mu   sync.Mutex
	open map[[32]byte]oneTimeLink // by the hash of the token
}

type oneTimeLink struct {
	credential [32]byte
	until      time.Time
}

func newOneTimeLinks() *oneTimeLinks { return &oneTimeLinks{open: map[[32]byte]oneTimeLink{}} }

// SignInLink makes a link under base, the address of the server, with which a person signs in as the owner of a credential: once,
// within 15 minutes, and only until the server ends. The credential must be a reviewer's or an admin's.
func (w *Web) SignInLink(base string, c guard.Credential) string {
	token := rand.Text()
	now := w.door.now()
	l := w.door.links
	l.mu.Lock()
	defer l.mu.Unlock()
	for hash, link := range l.open {
		if now.After(link.until) {
			delete(l.open, hash)
		}
	}
	l.open[sha256.Sum256([]byte(token))] = oneTimeLink{c.Hash, now.Add(linkLife)}
	return strings.TrimSuffix(base, "/") + "/signin/link?" + url.Values{"token": {token}}.Encode()
}

// look finds the credential of a link that can be used.
func (l *oneTimeLinks) look(token string, now time.Time) (credential [32]byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	link, ok := l.open[sha256.Sum256([]byte(token))]
	return link.credential, ok && now.Before(link.until)
}

// use is look, and ends the link.
func (l *oneTimeLinks) use(token string, now time.Time) (credential [32]byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := sha256.Sum256([]byte(token))
	link, ok := l.open[hash]
	delete(l.open, hash)
	return link.credential, ok && now.Before(link.until)
}
