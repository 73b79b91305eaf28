package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// applicationID marks the file as a ledger of this program: "Once" in ASCII.
	applicationID = 0x4f6e6365

	// schemaVersion is the number of files under schema, which are applied in their order.
	schemaVersion = 1

	// busyTimeout is how long a statement waits for another process that uses the same file.
	busyTimeout = 5 * time.Second

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
	conn, err := openConn(s.path, writing)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := checkDurable(conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	readers := make([]*sqlite.Conn, 0, s.options.Readers)
	for range s.options.Readers {
		r, err := openConn(s.path, reading)
		if err != nil {
			for _, r := range readers {
				err = errors.Join(err, r.Close())
			}
			return errors.Join(err, conn.Close())
		}
		readers = append(readers, r)
	}
	s.writer.conn = conn
	for _, r := range readers {
		s.readers <- r
	}
	return nil
}

// The settings of a connection. Pages of 8 KiB hold more of the long event rows than the default of 4 KiB. The
// write-ahead log is folded into the file every 2,000 pages (16 MiB), inside a commit: a folding that runs beside
// the writer never catches up with it. synchronous = FULL flushes the log at each commit; fullfsync does so on macOS.
const (
	writing = `PRAGMA page_size = 8192;
		PRAGMA journal_mode = wal;
		PRAGMA synchronous = full;
		PRAGMA fullfsync = on;
		PRAGMA checkpoint_fullfsync = on;
		PRAGMA wal_autocheckpoint = 2000;
		PRAGMA journal_size_limit = 67108864;
		PRAGMA cache_size = -16384;
		PRAGMA temp_store = memory;
		PRAGMA trusted_schema = off;`
	reading = `PRAGMA query_only = on;
		PRAGMA cache_size = -16384;
		PRAGMA temp_store = memory;
		PRAGMA trusted_schema = off;`
)

func openConn(path, settings string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	// Settings are applied one by one, because they cannot be changed inside a transaction.
	for rest := settings; ; {
		stmt, trailing, err := conn.PrepareTransient(rest)
		if err != nil {
			return nil, errors.Join(explain(err), conn.Close())
		}
		if stmt == nil {
			return conn, nil
		}
		for more := true; more && err == nil; {
			more, err = stmt.Step()
		}
		if err := errors.Join(err, stmt.Finalize()); err != nil {
			return nil, errors.Join(explain(err), conn.Close())
		}
		if trailing == 0 {
			return conn, nil
		}
		rest = rest[len(rest)-trailing:]
	}
}

func explain(err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultNotADB {
		return fmt.Errorf("the file is not a ledger, nor any SQLite database: choose another file: %w", err)
	}
	return err
}

func migrate(ctx context.Context, conn *sqlite.Conn) error {
	var id, version, tables int64
	for text, to := range map[string]*int64{
		"PRAGMA application_id":              &id,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		n, err := sqlitex.ResultInt64(conn.Prep(text))
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
	return sqlitemigration.Migrate(ctx, conn, schema)
}

// checkDurable reads the settings back, because SQLite ignores what it cannot do without a word.
func checkDurable(conn *sqlite.Conn) error {
	mode, err := sqlitex.ResultText(conn.Prep("PRAGMA journal_mode"))
	if err != nil {
		return err
	}
	sync, err := sqlitex.ResultInt64(conn.Prep("PRAGMA synchronous"))
	if err != nil {
		return err
	}
	const full = 2
	if mode != "wal" || sync < full {
		return fmt.Errorf("the ledger would not be durable here (journal_mode %s, synchronous %d): use a local disk", mode, sync)
	}
	return nil
}
