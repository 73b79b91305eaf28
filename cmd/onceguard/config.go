package main

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onceguard/onceguard/fingerprint/httpsimilarity"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/forward/httpforward"
	"github.com/onceguard/onceguard/guard/store/redis"
)

// Config is everything that can be set about a server. Each setting is a flag (--log-format), an environment
// variable (ONCEGUARD_LOG_FORMAT) and a key of the configuration file (log_format); flags win over the
// environment, and the environment over the file. An empty variable counts as not set. No setting need hold a
// secret, save the password of a Redis in its URL: they are in the data folder, in variables that policies name, and for
// a database in PGPASSWORD or .pgpass.
type Config struct {
	Addr     string // host:port to listen on; port 0 takes any free one
	Data     string // folder of the ledger and the installation key
	Ledger   string // URL of a PostgreSQL database that several servers share; "" for a file in Data
	Policies string // folder or file of policies; "" runs without any
	Dev      bool   // no API keys; only on a loopback address

	Operators string // tenant whose admins write policies that the ledger keeps, for all tenants; "" for nobody

	Wait         time.Duration // how long a call waits for an outcome when it does not say; up to 50s
	Sweep        time.Duration // between two looks for leases that are over
	Settle       time.Duration // from an unknown outcome to the moment when a person may say that it did not happen
	SendGrace    time.Duration // added to an upstream's timeout to make the lease of a send
	DrainTimeout time.Duration // how long a shutdown waits for the calls under way
	Flights      int           // most calls under way at one time; further ones are refused
	MaxAnswer    int64         // bytes of an upstream's answer; a larger one makes the outcome unknown

	Redis       string // URL of a Redis beside the ledger, for wake-ups between servers; "" for none
	Intake      string // stream of a Redis that calls are read from; "" for none
	IntakeRedis string // URL of that Redis; "" for Redis

	SimilarityURL     string        // service that scores how alike two wordings are; "" for the built-in comparison
	SimilarityTimeout time.Duration // for one question to it, after which the built-in comparison counts

	LogFormat   string // json or text
	LogLevel    string // debug, info, warn or error
	OpenMetrics bool   // serve /metrics without a key

	URL      string // where people reach the server, such as https://guard.example.com; "" for its own address
	Identity identity

	KeepBodies time.Duration // how long effects that no longer answer keep arguments and results; 0 for ever
	KeepRows   time.Duration // how long they are kept at all; 0 for ever
}

var (
	logFormats = []string{"json", "text"}
	logLevels  = []string{"debug", "info", "warn", "error"}
)

// flags declares the settings with their defaults. The order is that of the help.
func (c *Config) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	f.SortFlags = false
	f.StringVar(&c.Addr, "addr", "127.0.0.1:7411", "`host:port` to listen on; port 0 takes any free one")
	f.StringVar(&c.Data, "data", "", "`folder` of the ledger and the installation key (default ~/.onceguard)")
	f.StringVar(&c.Ledger, "ledger", "", "`URL` of a PostgreSQL database, postgres://…, for a ledger that several servers share (default: a file in the data folder)")
	f.StringVar(&c.Policies, "policies", "", "`folder` or file of policies, reloaded when it changes; none: every tool is guarded as unknown")
	f.StringVar(&c.Operators, "operators", defaultTenant, "`tenant` whose admins may write policies that hold for all tenants and are kept in the ledger; none: files only")
	f.BoolVar(&c.Dev, "dev", false, "run without API keys, on a loopback address only")
	f.DurationVar(&c.Wait, "wait", 25*time.Second, "how long a call waits for an outcome when it does not say, at most 50s")
	f.DurationVar(&c.Sweep, "sweep", time.Second, "time between two looks for leases that are over")
	f.DurationVar(&c.Settle, "settle", 10*time.Second, "time after an unknown outcome before a person may say that it did not happen")
	f.DurationVar(&c.SendGrace, "send-grace", 10*time.Second, "time added to an upstream's timeout to make the lease of a send")
	f.DurationVar(&c.DrainTimeout, "drain-timeout", 60*time.Second, "how long a shutdown waits for the calls under way")
	f.IntVar(&c.Flights, "flights", 4096, "most calls under way at one time; further ones are refused")
	f.Int64Var(&c.MaxAnswer, "max-answer", httpforward.DefaultMaxBody, "`bytes` of an upstream's answer; a larger one makes the outcome unknown")
	f.StringVar(&c.Redis, "redis", "", "`URL` of a Redis beside the ledger, redis://… or rediss://…, for wake-ups between servers; it decides nothing")
	f.StringVar(&c.Intake, "intake", "", "`stream` of Redis to read calls from; replies go to STREAM:replies, what is given up to STREAM:dead")
	f.StringVar(&c.IntakeRedis, "intake-redis", "", "`URL` of the Redis of that stream, which must keep what it is given (default: that of --redis)")
	f.StringVar(&c.SimilarityURL, "similarity-url", "", "`URL` of a service that scores how alike two wordings are (default: the built-in comparison)")
	f.DurationVar(&c.SimilarityTimeout, "similarity-timeout", httpsimilarity.DefaultTimeout, "time for one question to that service, after which the built-in comparison counts")
	f.StringVar(&c.LogFormat, "log-format", "json", "json or text")
	f.StringVar(&c.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVar(&c.OpenMetrics, "open-metrics", false, "serve /metrics without a key")
	f.StringVar(&c.URL, "url", "", "`URL` where people reach the server, for links to its pages and for sign-in; https:// where TLS ends before it")
	c.Identity.flags(f)
	f.DurationVar(&c.KeepBodies, "keep-bodies", 0, "how long an effect that no longer answers keeps arguments and result, such as 720h; 0 for ever")
	f.DurationVar(&c.KeepRows, "keep-rows", 0, "how long an effect that no longer answers is kept at all; 0 for ever")
	return f
}

// paths are the settings that name a file or folder. In the configuration file they are relative to it.
var paths = []string{"data", "policies"}

// envName is the variable of a setting, fileKey its key in the configuration file. flag is the name of its
// flag.
func envName(flag string) string { return envPrefix + strings.ToUpper(fileKey(flag)) }
func fileKey(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

const envPrefix = "ONCEGUARD_"

// leastRetention is the least that can be set: what a slip of the finger forgets never comes back.
const leastRetention = time.Hour

// intakeRedis is the address of the Redis that calls are read from.
func (c *Config) intakeRedis() string {
	if c.IntakeRedis != "" {
		return c.IntakeRedis
	}
	return c.Redis
}

// loopback reports whether addr can only be reached from this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	return guard.LoopbackHost(host)
}

func (c *Config) logLevel() slog.Level {
	var l slog.Level
	// validate has refused everything that is not a level.
	_ = l.UnmarshalText([]byte(c.LogLevel))
	return l
}

// validate refuses what cannot be served. Each complaint begins with the name of a setting.
func (s *settings) validate() error {
	c := s.config
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		s.complain("addr", "%q is not host:port, such as 127.0.0.1:7411", c.Addr)
	}
	if c.Ledger != "" && !isShared(c.Ledger) {
		s.complain("ledger", "it is not a postgres:// URL; leave it out for a ledger in the data folder")
	}
	for _, r := range []struct{ name, address string }{{"redis", c.Redis}, {"intake-redis", c.IntakeRedis}} {
		if r.address == "" {
			continue
		}
		if err := redis.CheckAddress(r.address); err != nil {
			s.complain(r.name, "%v", err)
		}
	}
	if c.Intake != "" && c.intakeRedis() == "" {
		s.complain("intake", "calls are read from a Redis: name it with --intake-redis, or with --redis")
	}
	if c.Dev && !loopback(c.Addr) {
		s.complain("dev", "without keys the server must not be reachable from elsewhere, and %s is: listen on 127.0.0.1, or run with keys", c.Addr)
	}
	for _, d := range []struct {
		name        string
		value       time.Duration
		least, most time.Duration
	}{
		{"wait", c.Wait, time.Millisecond, guard.MaxWait},
		{"sweep", c.Sweep, 10 * time.Millisecond, time.Minute},
		{"settle", c.Settle, time.Millisecond, 24 * time.Hour},
		{"send-grace", c.SendGrace, 200 * time.Millisecond, time.Hour},
		{"drain-timeout", c.DrainTimeout, 100 * time.Millisecond, time.Hour},
		{"similarity-timeout", c.SimilarityTimeout, 10 * time.Millisecond, 10 * time.Second},
	} {
		if d.value < d.least || d.value > d.most {
			s.complain(d.name, "%s is not between %s and %s", d.value, d.least, d.most)
		}
	}
	if _, err := c.similarity(nil); err != nil {
		s.complain("similarity-url", "%v", err)
	}
	c.Identity.validate(s)
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
		s.complain("url", "%q is not the address of a server, such as https://guard.example.com", c.URL)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"keep-bodies", c.KeepBodies}, {"keep-rows", c.KeepRows}} {
		if d.value != 0 && d.value < leastRetention {
			s.complain(d.name, "%s is less than %s, within which people look at what has happened; 0 keeps everything", d.value, leastRetention)
		}
	}
	if c.KeepRows != 0 && c.KeepRows < c.KeepBodies {
		s.complain("keep-rows", "effects cannot go before their arguments do: %s is less than --keep-bodies", c.KeepRows)
	}
	if c.Flights < 1 || c.Flights > 1<<20 {
		s.complain("flights", "%d is not between 1 and %d", c.Flights, 1<<20)
	}
	if c.MaxAnswer < 1<<10 || c.MaxAnswer > 1<<30 {
		s.complain("max-answer", "%d is not between %d and %d bytes", c.MaxAnswer, 1<<10, 1<<30)
	}
	for _, w := range []struct {
		name, value string
		choices     []string
	}{{"log-format", c.LogFormat, logFormats}, {"log-level", c.LogLevel, logLevels}} {
		if !slices.Contains(w.choices, w.value) {
			s.complain(w.name, "%q is not one of %s", w.value, strings.Join(w.choices, ", "))
		}
	}
	return s.err()
}

// defaultData is .onceguard in the home folder of the environment; "" where there is none.
func defaultData(e environment) string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home, ok := e.lookup(name); ok {
			return filepath.Join(home, ".onceguard")
		}
	}
	return ""
}

// environment is what os.Environ returns.
type environment []string

// lookup returns a variable that is set and not empty. The last of several counts.
func (e environment) lookup(name string) (string, bool) {
	for _, entry := range slices.Backward(e) {
		if n, v, _ := strings.Cut(entry, "="); n == name {
			return v, v != ""
		}
	}
	return "", false
}
