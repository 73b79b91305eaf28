package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard/bench/process"
)

// postgresSetting is how PostgreSQL is made durable here, for the table.
const postgresSetting = "fsync on, synchronous_commit on"

// postgres is a PostgreSQL server of our own.
type postgres struct {
	*process.Process
	port string
}

// startPostgres starts a server with its data in dir/cluster, which it makes when it is not there.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "cluster")
	as, err := ordinaryUser()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return nil, err
		}
		var options []process.Option
		if as != nil {
			if err := os.Chown(data, int(as.uid), int(as.gid)); err != nil {
				return nil, err
			}
			options = append(options, process.As(as.uid, as.gid))
		}
		if err := initialise(ctx, initdb, data, options); err != nil {
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	options := []process.Option{process.In(data)}
	if as != nil {
		options = append(options, process.As(as.uid, as.gid))
	}
	args := []string{"-D", data, "-p", port}
	for _, setting := range []string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=500",
		"shared_buffers=512MB", "max_wal_size=4GB", "fsync=on", "synchronous_commit=on"} {
		args = append(args, "-c", setting)
	}
	p, err := process.Start(server, args, options...)
	if err != nil {
		return nil, err
	}
	s := &postgres{Process: p, port: port}
	err = p.Until(ctx, func(ctx context.Context) error { return s.exec(ctx, "postgres", "SELECT 1") })
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// initialise runs initdb to its end.
func initialise(ctx context.Context, program, data string, options []process.Option) error {
	p, err := process.Start(program, []string{"--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", data},
		append(options, process.In(data))...)
	if err != nil {
		return err
	}
	defer p.Stop()
	return p.Ended(ctx)
}

func (s *postgres) stop() { s.Interrupt() }

// dsn is the address of one of the server's databases.
func (s *postgres) dsn(database string) string {
	return "postgres://postgres@127.0.0.1:" + s.port + "/" + database + "?sslmode=disable"
}

func (s *postgres) exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.dsn(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// database creates an empty database.
func (s *postgres) database(ctx context.Context, name string) (dsn string, err error) {
	return s.dsn(name), s.exec(ctx, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// size is how many bytes a database takes on the disk.
func (s *postgres) size(ctx context.Context, database string) (n int64, err error) {
	conn, err := pgx.Connect(ctx, s.dsn(database))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return n, conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&n)
}

// postgresProgram finds a program of PostgreSQL: of the newest version that Debian keeps out of PATH, or in PATH.
func postgresProgram(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0 // comes last
		}
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	if len(found) > 0 {
		return found[0], nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("no %s of PostgreSQL on this machine: %w", name, err)
	}
	return path, nil
}

type credential struct{ uid, gid uint32 }

// ordinaryUser is whom PostgreSQL runs as, because it refuses root; nil for the user of the harness.
func ordinaryUser() (*credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return &credential{uint32(uid), uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("run as root, and there is no user postgres or nobody to give PostgreSQL to")
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
