package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultMaxBatch = 512
	defaultReaders  = 16

	// flushers is how many goroutines, each with a connection, flush claims, and how many flush changes: while one waits for
	// the disk, the other fills the next statement.
	flushers = 2

	// others is the number of connections for the rare writes: leases, notes, sweeps and keys.
	others = 4

	connectTimeout = 5 * time.Second
	oldestServer   = 140000 // server_version_num
)

// Options configures a Store. The zero value is ready for use.
type Options struct {
	// NoMigrate refuses to open a ledger that is not up to date, instead of bringing it there: for a role that may not
	// change tables.
	NoMigrate bool

	// MaxBatch is the most writes that one statement takes; 512 when 0.
	MaxBatch int

	// Now replaces the clock of the database, which all replicas share; for tests. It must be nil in a server.
	Now func() time.Time
}

// Open opens the ledger in the database that dsn names: a URL (postgres://user@host,host/database) or a list of
// settings, as PostgreSQL's own programs take them, with those of pgxpool besides (pool_max_conns limits the
// connections for reads). Of several hosts the primary is taken. It refuses a database on which the ledger would not be durable, and a
// schema that a newer program made and this one does not know.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := configure(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := prepare(ctx, config, o); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return openPools(ctx, config, o)
}

func openPools(ctx context.Context, config *pgxpool.Config, o Options) (*Store, error) {
	if o.MaxBatch <= 0 {
		o.MaxBatch = defaultMaxBatch
	}
	readers, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	config = config.Copy()
	config.MaxConns, config.MinConns, config.MinIdleConns = 2*flushers+others, 0, 0
	writers, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		readers.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return newStore(o, writers, readers), nil
}

// configure reads a dsn and adds what the ledger needs. Nothing of it is a state of the session that a transaction could
// find missing: the connections may go through a pooler that gives each transaction another session.
func configure(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	c := config.ConnConfig
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = defaultReaders
	}
	if !strings.Contains(dsn, "default_query_exec_mode") {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // no prepared statement outlives its round trip
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "onceguard"
	}
	if c.ValidateConnect == nil && len(c.Fallbacks) > 0 {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	c.OnNotice = noteWarning
	config.AfterConnect = checkServer
	return config, nil
}

// prepare checks the server and brings the schema up to date.
func prepare(ctx context.Context, config *pgxpool.Config, o Options) error {
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheDescribe {
		direct, err := isDirect(ctx, conn)
		if err != nil {
			return err
		}
		if direct {
			config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
			maps.Copy(config.ConnConfig.RuntimeParams, planning)
			config.AfterConnect = checkDirect
		}
	}
	state, err := readSchema(ctx, conn)
	switch {
	case err != nil:
		return err
	case state.upToDate():
		return nil
	case o.NoMigrate:
		return errors.New("the schema of the ledger is older than this program: run \"onceguard migrate up\" as the owner of the ledger")
	}
	return migrate(ctx, conn)
}

// planning is how the sessions of this store's own plan: once for each statement, and by the indexes, which there are for each question.
// A plan that was made while the tables were small would else be kept when they are not. The functions of the schema say the
// same for sessions that are not the store's own.
var planning = map[string]string{
	"plan_cache_mode": "force_generic_plan", "jit": "off", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
}

// isDirect tells whether a connection ends at the server itself. A pooler in between answers with another process number than
// that of the session in which the statement runs, and may run the next one elsewhere, where what was prepared is not known.
func isDirect(ctx context.Context, c *pgx.Conn) (bool, error) {
	var pid uint32
	err := c.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
	return pid == c.PgConn().PID(), err
}

// checkDirect is checkServer for connections that keep prepared statements.
func checkDirect(ctx context.Context, c *pgx.Conn) error {
	if err := checkServer(ctx, c); err != nil {
		return err
	}
	direct, err := isDirect(ctx, c)
	if err == nil && !direct {
		err = errors.New("a pooler has come between this program and its server: start it again, or set default_query_exec_mode=cache_describe")
	}
	return err
}

// checkServer refuses a server on which an acknowledged write could be lost. It sees each new connection, because a server
// may have been restarted with other settings.
func checkServer(ctx context.Context, c *pgx.Conn) error {
	var version int
	var standby bool
	var fsync, pages, commit, isolation string
	// A session of a pooler may have settings of its own, so that they are asked for and not assumed.
	err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('default_transaction_isolation')`).
		Scan(&version, &standby, &fsync, &pages, &commit, &isolation)
	switch {
	case err != nil:
		return err
	case version < oldestServer:
		return fmt.Errorf("the server is PostgreSQL %d: upgrade it to %d or newer", version/10000, oldestServer/10000)
	case standby:
		return errors.New("the server is a standby, which cannot be written and may be behind: name the primary, or all hosts of the cluster")
	case fsync != "on", pages != "on":
		return fmt.Errorf("a crash of the server's machine would lose acknowledged effects (fsync %s, full_page_writes %s): set both to on", fsync, pages)
	case commit == "off", commit == "local":
		return fmt.Errorf("commits are acknowledged before they are safe (synchronous_commit %s): set it to on for this role and database", commit)
	case isolation != "read committed":
		return fmt.Errorf("claims are sound under READ COMMITTED only: reset default_transaction_isolation (%s) for this role and database", isolation)
	}
	return nil
}
