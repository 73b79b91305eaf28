package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// applicationID marks the file as a ledger of this program: "Once" in ASCII.
	applicationID = 0x4f6e6365

	// schemaVersion is the number of files under schema, which are applied in their order.
	schemaVersion = 1

	defaultMaxBatch = 512
	defaultReaders  = 4
)

// Options configures a Store. The zero value is ready for use.
type Options struct {
	// Now is the store's clock; time.Now when nil. The store never lets it go back while it is open.
	Now func() time.Time

	// MaxBatch is the most writes that one commit takes; 512 when 0.
	MaxBatch int

	// Readers is the number of connections for reads; 4 when 0.
	Readers int

	// Exclusive refuses to open a ledger that another exclusive store holds, and holds it until Close. A server
	// sets it; a command that adds a key beside a running server does not.
	Exclusive bool
}

// Open opens the ledger in the file at path and creates both the file (mode 0600) and its folder (mode 0700) where they
// are missing. It refuses a file that other users may read, that another program made, or that a newer version
// of this one has changed, and a file system on which SQLite cannot be made to flush each commit.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = defaultMaxBatch
	}
	if o.Readers <= 0 {
		o.Readers = defaultReaders
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := prepareFile(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	var held *os.File
	if o.Exclusive {
		if held, err = hold(path); err != nil {
			return nil, fmt.Errorf("sqlite: %w", err)
		}
	}
	s := newStore(path, o, held)
	if err := s.connect(ctx); err != nil {
		release(held)
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	go s.writer.run()
	return s, nil
}

// prepareFile creates the folder and the file with the right modes, which SQLite then also gives to its side files.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return errors.Join(f.Close(), syncFolder(filepath.Dir(path)))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o, so other users can reach the ledger: set it to 0600", path, info.Mode().Perm())
	}
	return nil
}

// syncFolder makes a new file's name durable: without it a power cut could lose a ledger that was acknowledged.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// connect opens the connection for writes, brings the schema up to date and opens the connections for reads.
func (s *Store) connect(ctx context.Context) error {
	w, err := openConn(openWriter, s.path, writing)
	if err != nil {
		return err
	}
	if err := migrate(ctx, w); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := checkDurable(w); err != nil {
		return errors.Join(err, w.Close())
	}
	readers := make([]*conn, 0, s.options.Readers)
	for range s.options.Readers {
		r, err := openConn(openReader, s.path, reading)
		if err != nil {
			for _, r := range readers {
				err = errors.Join(err, r.Close())
			}
			return errors.Join(err, w.Close())
		}
		readers = append(readers, r)
	}
	s.writer.conn = w
	for _, r := range readers {
		s.readers <- r
	}
	return nil
}

func migrate(ctx context.Context, c *conn) error {
	var id, version, tables int64
	for text, to := range map[string]*int64{
		"PRAGMA application_id":              &id,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		n, err := sqlitex.ResultInt64(c.Prep(text))
		if err != nil {
			return explain(err)
		}
		*to = n
	}
	if id != applicationID && (id != 0 || tables != 0 || version != 0) {
		return errors.New("the file is a database of another program: choose another file")
	}
	if version > schemaVersion {
		return fmt.Errorf("the ledger has schema %d and this program knows %d: run the newer program", version, schemaVersion)
	}
	schema := sqlitemigration.Schema{AppID: applicationID}
	for n := range schemaVersion {
		schema.Migrations = append(schema.Migrations, embedded(schemaFiles, fmt.Sprintf("schema/%d.sql", n+1)))
	}
	return sqlitemigration.Migrate(ctx, c.Conn, schema)
}

// checkDurable reads the settings back, because SQLite ignores what it cannot do without a word.
func checkDurable(c *conn) error {
	mode, err := sqlitex.ResultText(c.Prep("PRAGMA journal_mode"))
	if err != nil {
		return err
	}
	sync, err := sqlitex.ResultInt64(c.Prep("PRAGMA synchronous"))
	if err != nil {
		return err
	}
	const full = 2
	if mode != "wal" || sync < full {
		return fmt.Errorf("the ledger would not be durable here (journal_mode %s, synchronous %d): use a local disk", mode, sync)
	}
	return nil
}
