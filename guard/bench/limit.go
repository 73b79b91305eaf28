package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onceguard/onceguard/guard/bench/load"
)

// The limits: what the parts that a guard is made of can do by themselves, on this machine and in this minute.

// record is as large as what the ledger keeps of a call.
var record = bytes.Repeat([]byte("x"), 1024)

// appendLimit appends to a file in dir and flushes each time. Each caller has a file of its own.
func appendLimit(dir string) work {
	return work{open: func(i int) (load.Caller, error) {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint("append-", i)))
		if err != nil {
			return load.Caller{}, err
		}
		return load.Caller{
			Call: func() error {
				if _, err := f.Write(record); err != nil {
					return err
				}
				return flush(f)
			},
			Close: func() { f.Close(); os.Remove(f.Name()) },
		}, nil
	}}
}

// rowsLimit is a durable INSERT and then a durable UPDATE of the same row, on a connection for each caller.
func rowsLimit(ctx context.Context, dsn string, callers int) (work, func(), error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return work{}, nil, err
	}
	config.MaxConns = int32(callers)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return work{}, nil, err
	}
	fresh := newIDs()
	return work{open: func(int) (load.Caller, error) {
		return load.Caller{Call: func() error {
			id := fresh.next()
			if _, err := pool.Exec(ctx, "INSERT INTO limits (id, arguments) VALUES ($1, $2)", id, record[:700]); err != nil {
				return err
			}
			_, err := pool.Exec(ctx, "UPDATE limits SET result = $2 WHERE id = $1", id, record[:300])
			return err
		}}, nil
	}}, pool.Close, nil
}

const rowsTable = "CREATE TABLE IF NOT EXISTS limits (id text PRIMARY KEY, arguments bytea, result bytea)"

// getLimit reads one value from Redis.
func getLimit(ctx context.Context, s *redis) (work, func(), error) {
	c := s.client()
	if err := c.Set(ctx, "bench", record[:300], 0).Err(); err != nil {
		c.Close()
		return work{}, nil, err
	}
	return work{open: func(int) (load.Caller, error) {
		return load.Caller{Call: func() error { return c.Get(ctx, "bench").Err() }}, nil
	}}, func() { c.Close() }, nil
}

// plain posts one message to a server that takes no notice of it, and holds the status against 200 and the answer against want.
func plain(addr string, m message, id func() string, want []byte, sends func() int64) work {
	return work{open: func(int) (load.Caller, error) {
		conn, err := load.Dial(addr)
		if err != nil {
			return load.Caller{}, err
		}
		var request []byte
		return load.Caller{Close: conn.Close, Call: func() error {
			request = m.with(request[:0], id())
			status, body, err := conn.Do(request)
			if err == nil && (status != http.StatusOK || !bytes.Equal(bytes.TrimSpace(body), want)) {
				err = fmt.Errorf("the answer is %d %.300s", status, body)
			}
			return err
		}}, nil
	}, sends: sends}
}
