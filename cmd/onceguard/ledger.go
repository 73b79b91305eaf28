package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/sealed"
	"github.com/onceguard/onceguard/web"
)

// ledger is what a server needs of a store.
type ledger interface {
	guard.Store
	guard.Credentials
	binder
}

type binder interface {
	// Bind ties the ledger to the key under which its fingerprints are made.
	Bind(ctx context.Context, mark [32]byte) error
}

// shared is the address of a ledger that several servers use: a PostgreSQL database.
type shared string

// isShared reports whether a setting names a database. Anything else but "" is a mistake.
func isShared(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// open opens the ledger and the installation key, which stays in the data folder. All servers of one ledger need the same key: the
// first one makes it, and it has to be brought to the others.
func (s shared) open(ctx context.Context, f folder) (*installation, error) {
	if f == "" {
		return nil, errNoData
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	if exists(f.ledger()) {
		return nil, fmt.Errorf("%s is there, so this folder belongs to a server with a ledger of its own: name another one with --data", f.ledger())
	}
	l, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	i, err := f.bind(ctx, l)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return i, nil
}

// bind finds the key in the folder, or makes it if the ledger has none yet.
func (f folder) bind(ctx context.Context, l ledger) (*installation, error) {
	first := !exists(f.key())
	if first && !exists(f.newKey()) {
		if err := f.writeNewKey(); err != nil {
			return nil, err
		}
	}
	name := f.key()
	if first {
		name = f.newKey()
	}
	keys, err := readKeyFile(name)
	if err != nil {
		return nil, err
	}
	err = l.Bind(ctx, keys.mark())
	switch {
	case guard.CodeOf(err) == guard.CodeConflict && first:
		return nil, errors.Join(os.Remove(name), fmt.Errorf("the ledger was made under another installation key, and %s is not there: "+
			"copy the file from the data folder of the server that made it", f.key()))
	case guard.CodeOf(err) == guard.CodeConflict:
		return nil, fmt.Errorf("%s is not the key with which the ledger was made: under another key every effect would look new. "+
			"Copy the key from the data folder of a server of this ledger, or bring it back from a backup", f.key())
	case err != nil:
		return nil, err
	case first:
		if err := errors.Join(os.Rename(f.newKey(), f.key()), f.sync()); err != nil {
			return nil, fmt.Errorf("the installation key cannot be written: %w", err)
		}
	}
	return &installation{ledger: l, keys: keys, first: first}, nil
}

func (s shared) connect(ctx context.Context) (ledger, error) {
	l, err := postgres.Open(ctx, string(s), postgres.Options{})
	if err != nil {
		return nil, fmt.Errorf("the ledger cannot be opened: %w", err)
	}
	return l, nil
}

// openInstallation opens the ledger that the settings name, and its key.
func (c *Config) openInstallation(ctx context.Context) (*installation, error) {
	if c.Ledger != "" {
		return shared(c.Ledger).open(ctx, folder(c.Data))
	}
	return folder(c.Data).open(ctx)
}

// besideRedis is a ledger with Redis beside it, which has nothing to do with keys and with the tie to an installation.
type besideRedis struct {
	*redis.Store
	guard.Credentials
	binder
}

// useRedis puts Redis beside the ledger.
func (i *installation) useRedis(address string, log *slog.Logger) error {
	s, err := redis.New(i.ledger, redis.Options{Address: address, Key: i.keys.current(), Log: log})
	if err != nil {
		return err
	}
	i.ledger, i.redis = besideRedis{s, i.ledger, i.ledger}, s
	return nil
}

// health tells the dashboard about the parts beside the ledger.
func (i *installation) health(context.Context) []web.Health {
	if i.redis == nil {
		return nil
	}
	s := i.redis.State()
	h := web.Health{Name: "Redis", Well: s.Answers, Since: s.Since}
	if !s.Answers {
		h.Detail = "It is not asked, because it does not answer. Calls are decided without it, and wake-ups between servers come late."
		return []web.Health{h}
	}
	h.Detail = "It wakes the other servers."
	if s.Looks > 0 {
		h.Detail += fmt.Sprintf(" It had the bytes for %d of %d looks.", s.Hits, s.Looks)
	}
	return []web.Health{h}
}

// aboveSealed is a ledger with encryption above it, which has nothing to do with keys of callers and with the tie to an installation.
type aboveSealed struct {
	*sealed.Store
	guard.Credentials
	binder
}

// seal encrypts from here on what policies seal.
func (i *installation) seal() error {
	ring, err := sealed.NewRing(i.keys.current(), i.keys.others()...)
	if err != nil {
		return err
	}
	i.ledger = aboveSealed{sealed.New(i.ledger, ring), i.ledger, i.ledger}
	return nil
}

// openLedger opens it beside running servers.
func (c *Config) openLedger(ctx context.Context) (ledger, error) {
	if c.Ledger != "" {
		return shared(c.Ledger).connect(ctx)
	}
	return folder(c.Data).openLedger(ctx)
}

// addresses are the settings that may hold a password.
var addresses = []string{"ledger", "redis", "intake-redis"}

// withoutPassword is an address as it may be shown.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "…"
	}
	return u.Redacted()
}
