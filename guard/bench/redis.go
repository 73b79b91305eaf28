package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	goredis "github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/guard/bench/process"
)

// redisSetting is how Redis is made durable here: its usual setting, which may lose the last second.
const redisSetting = "AOF, everysec"

// redis is a Redis server of our own.
type redis struct {
	*process.Process
	addr string
}

func startRedis(ctx context.Context, dir string) (*redis, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("no Redis on this machine: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(program, []string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec"}, process.In(dir))
	if err != nil {
		return nil, err
	}
	s := &redis{Process: p, addr: "127.0.0.1:" + port}
	c := s.client()
	defer c.Close()
	if err := p.Until(ctx, func(ctx context.Context) error { return c.Ping(ctx).Err() }); err != nil {
		p.Stop()
		return nil, err
	}
	return s, nil
}

// url is the address of one of the server's 16 databases.
func (s *redis) url(database int) string { return fmt.Sprintf("redis://%s/%d", s.addr, database) }

func (s *redis) client() *goredis.Client {
	return goredis.NewClient(&goredis.Options{Addr: s.addr, DB: limitDatabase, PoolSize: 256})
}

// The databases of Redis and who uses them.
const (
	limitDatabase = iota
	fiberDatabase
	guardDatabase // and those after it, one for each ledger
)
