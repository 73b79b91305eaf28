package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/sqlite"
)

// folder is the path of a data folder. doc.go says what is in it.
type folder string

func (f folder) ledger() string { return filepath.Join(string(f), "ledger.db") }
func (f folder) key() string    { return filepath.Join(string(f), "installation.key") }
func (f folder) newKey() string { return f.key() + ".new" }

var errNoData = usageError{errors.New("there is no home folder to keep the ledger in: name a folder with --data or ONCEGUARD_DATA")}

// installation is an opened data folder. Nobody else can serve it until its ledger is closed.
type installation struct {
	ledger ledger
	redis  *redis.Store // beside the ledger, within it; nil for none
	keys   installationKeys
	first  bool // it was made just now
}

// open opens the folder for a server, and makes it where there is none.
func (f folder) open(ctx context.Context) (*installation, error) {
	if f == "" {
		return nil, errNoData
	}
	first, err := f.prepare()
	if err != nil {
		return nil, err
	}
	ledger, err := sqlite.Open(ctx, f.ledger(), sqlite.Options{Exclusive: true})
	if err != nil {
		return nil, fmt.Errorf("the ledger cannot be opened: %w", err)
	}
	keys, err := f.readKey(first)
	if err != nil {
		return nil, errors.Join(err, ledger.Close())
	}
	if err := ledger.Bind(ctx, keys.mark()); err != nil {
		if guard.CodeOf(err) == guard.CodeConflict {
			err = fmt.Errorf("%s is not the key with which %s was made: under another key every effect would look new. "+
				"Bring the right key back from a backup, or begin anew in another folder", f.key(), f.ledger())
		}
		return nil, errors.Join(err, ledger.Close())
	}
	return &installation{ledger: ledger, keys: keys, first: first}, nil
}

// openLedger opens the ledger of a folder that a server has made, also while one runs on it.
func (f folder) openLedger(ctx context.Context) (ledger, error) {
	if f == "" {
		return nil, errNoData
	}
	if !exists(f.ledger()) {
		return nil, fmt.Errorf("there is no ledger in %s: name the server's folder with --data, or start the server once", f)
	}
	ledger, err := sqlite.Open(ctx, f.ledger(), sqlite.Options{})
	if err != nil {
		return nil, fmt.Errorf("the ledger cannot be opened: %w", err)
	}
	return ledger, nil
}

// prepare tells a first start from the loss of one of the two files that need each other.
func (f folder) prepare() (first bool, err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return false, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	key, ledger, begun := exists(f.key()), exists(f.ledger()), exists(f.newKey())
	switch {
	case key && ledger:
		return false, nil
	case key:
		return false, fmt.Errorf("%s is there but %s is not: without the ledger every effect would look new. "+
			"Bring the ledger back from a backup, or begin anew in another folder", f.key(), f.ledger())
	case begun:
		return true, nil // a first start that was cut off before it served anything
	case ledger:
		return false, fmt.Errorf("%s is there but %s is not: under another key every effect would look new. "+
			"Bring the key back from a backup, or begin anew in another folder", f.ledger(), f.key())
	}
	return true, f.writeNewKey()
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// writeNewKey makes a key that is either completely there or not at all.
func (f folder) writeNewKey() error {
	return f.writeKeyFile(f.newKey(), installationKeys{all: [][]byte{newInstallationKey()}})
}

// readKey reads the installation key. After a first start it gives it its final name; the caller holds the
// ledger, so that no other server does the same.
func (f folder) readKey(first bool) (installationKeys, error) {
	if first && !exists(f.key()) {
		if err := errors.Join(os.Rename(f.newKey(), f.key()), f.sync()); err != nil {
			return installationKeys{}, fmt.Errorf("the installation key cannot be written: %w", err)
		}
	}
	return readKeyFile(f.key())
}

// sync makes new names in the folder survive a power cut.
func (f folder) sync() error {
	d, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
