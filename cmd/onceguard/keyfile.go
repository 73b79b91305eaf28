package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// installationKeys are the keys of a data folder. The file has one on each line, as hexadecimal digits, in the order in which they
// were made. The one under which new effects are recorded has the word "use" after it; where none has, it is the first.
type installationKeys struct {
	all   [][]byte
	inUse int
}

const inUseMark = "use"

// first is the key that the ledger is bound to.
func (k installationKeys) first() []byte { return k.all[0] }

// current is the key in use.
func (k installationKeys) current() []byte { return k.all[k.inUse] }

// others are the keys that are not in use.
func (k installationKeys) others() [][]byte {
	return slices.Delete(slices.Clone(k.all), k.inUse, k.inUse+1)
}

// mark tells a ledger's first key from others without telling anything about it: keys are random, so that a digest cannot be
// guessed back.
func (k installationKeys) mark() [32]byte {
	return sha256.Sum256(append([]byte("onceguard installation key\x00"), k.first()...))
}

func newInstallationKey() []byte {
	key := make([]byte, fingerprint.MinKey)
	rand.Read(key) // never fails: see crypto/rand
	return key
}

func (k installationKeys) text() []byte {
	var b bytes.Buffer
	for i, key := range k.all {
		b.WriteString(hex.EncodeToString(key))
		if i == k.inUse && len(k.all) > 1 {
			b.WriteString(" " + inUseMark)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// parseKeys reads what text makes.
func parseKeys(text string) (k installationKeys, ok bool) {
	marks := 0
	for line := range strings.Lines(text) {
		digits, mark, marked := strings.Cut(strings.TrimSpace(line), " ")
		key, err := hex.DecodeString(digits)
		if err != nil || len(key) != fingerprint.MinKey || marked && mark != inUseMark {
			return k, false
		}
		if slices.ContainsFunc(k.all, func(other []byte) bool { return bytes.Equal(other, key) }) {
			return k, false
		}
		if marked {
			marks++
			k.inUse = len(k.all)
		}
		k.all = append(k.all, key)
	}
	return k, len(k.all) > 0 && marks <= 1
}

func readKeyFile(name string) (installationKeys, error) {
	info, err := os.Stat(name)
	if err != nil {
		return installationKeys{}, fmt.Errorf("the installation key cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return installationKeys{}, fmt.Errorf("%s has mode %04o, so other users can reach the installation key: run \"chmod 600 %[1]s\"", name, info.Mode().Perm())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return installationKeys{}, fmt.Errorf("the installation key cannot be read: %w", err)
	}
	keys, ok := parseKeys(string(text))
	if !ok {
		return installationKeys{}, fmt.Errorf("%s does not hold %d hexadecimal digits on each line, with %q after at most one: bring it back from a backup",
			name, 2*fingerprint.MinKey, inUseMark)
	}
	return keys, nil
}

// writeKeyFile puts the keys under a name, completely or not at all.
func (f folder) writeKeyFile(name string, k installationKeys) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the installation key cannot be written: %w", err)
		}
	}()
	// CreateTemp gives the file mode 0600.
	file, err := os.CreateTemp(string(f), "installation.key.*")
	if err != nil {
		return err
	}
	_, err = file.Write(k.text())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return errors.Join(os.Rename(file.Name(), name), f.sync())
}

// prepareKey adds a key that is used for nothing yet.
func (f folder) prepareKey() error {
	k, err := readKeyFile(f.key())
	if err != nil {
		return err
	}
	if k.inUse != len(k.all)-1 {
		return fmt.Errorf("%s has a key that was prepared already: bring the file to every server, start them again, then run \"onceguard keys rotate --activate\"", f.key())
	}
	k.all = append(k.all, newInstallationKey())
	return f.writeKeyFile(f.key(), k)
}

// activateKey puts the newest key to use.
func (f folder) activateKey() error {
	k, err := readKeyFile(f.key())
	if err != nil {
		return err
	}
	if k.inUse == len(k.all)-1 {
		return fmt.Errorf("the newest key in %s is in use already: make another one with \"onceguard keys rotate --prepare\"", f.key())
	}
	k.inUse = len(k.all) - 1
	return f.writeKeyFile(f.key(), k)
}
