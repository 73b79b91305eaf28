package servertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisPatience is how long a Redis server may take to answer its first question, or to be gone after it was killed.
const redisPatience = 20 * time.Second

// RedisServer is a Redis server that one test has for itself. It keeps nothing: what was in it is gone when it is started again.
type RedisServer struct {
	program  string
	dir      string // holds the configuration, the number of the process and the log
	port     int
	settings []string
	warden   *warden
}

// StartRedis starts a server. The settings are as in redis.conf: "name value".
func StartRedis(t testing.TB, settings ...string) *RedisServer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redis-server", "redis-server")
	}
	s, err := newRedis(program, settings)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(func() { s.warden.end(t) })
	s.Start(t)
	return s
}

// newRedis makes the folder of a server and sees to its end.
func newRedis(program string, settings []string) (*RedisServer, error) {
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &RedisServer{program: program, dir: dir, port: port, settings: settings}
	s.warden, err = watch(`test ! -f "$1/pid" || kill -9 "$(cat "$1/pid")"; rm -rf "$1"`, dir)
	return s, err
}

// Start starts the server again, after Kill, and returns when it answers.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	config := append([]string{
		"bind 127.0.0.1",
		"port " + strconv.Itoa(s.port),
		"daemonize yes",
		"dir " + s.dir,
		"pidfile " + s.pidFile(),
		"logfile " + filepath.Join(s.dir, "log"),
		`save ""`,
	}, s.settings...)
	name := filepath.Join(s.dir, "conf")
	// The server's user reads it, who need not be the one of this process.
	if err := os.WriteFile(name, []byte(strings.Join(config, "\n")+"\n"), 0o644); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	if err := run(s.program, name); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	client := s.client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), redisPatience)
	defer cancel()
	for client.Ping(ctx).Err() != nil {
		if ctx.Err() != nil {
			said, _ := os.ReadFile(filepath.Join(s.dir, "log")) // that it does not answer is what counts
			t.Fatalf("servertest: redis-server does not answer\n%s", said)
		}
	}
}

// Kill ends the server's process at once and returns when nobody listens at its address.
func (s *RedisServer) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(s.pidFile())
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("servertest: %s: %v", s.pidFile(), err)
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err == nil {
		err = os.Remove(s.pidFile()) // the number may be another process's from now on
	}
	if err != nil {
		t.Fatalf("servertest: redis-server cannot be killed: %v", err)
	}
	for began := time.Now(); ; {
		conn, err := net.Dial("tcp", s.hostPort())
		if err != nil {
			return
		}
		conn.Close()
		if time.Since(began) > redisPatience {
			t.Fatal("servertest: redis-server was killed and still accepts connections")
		}
	}
}

// Address is the URL of the server.
func (s *RedisServer) Address() string { return "redis://" + s.hostPort() }

// Do runs one command, such as "FLUSHALL", and returns its answer.
func (s *RedisServer) Do(t testing.TB, command ...any) any {
	t.Helper()
	client := s.client()
	defer client.Close()
	answer, err := client.Do(context.Background(), command...).Result() // not the test's context, which has ended in its cleanup
	if err != nil && err != redis.Nil {
		t.Fatalf("servertest: %v: %v", command, err)
	}
	return answer
}

func (s *RedisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.hostPort(), MaxRetries: -1, DialerRetries: 1, PoolSize: 1})
}

func (s *RedisServer) hostPort() string { return fmt.Sprint("127.0.0.1:", s.port) }
func (s *RedisServer) pidFile() string  { return filepath.Join(s.dir, "pid") }
