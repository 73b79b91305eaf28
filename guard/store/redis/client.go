package redis

import (
	"errors"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The library writes each lost connection to stderr. What a person needs to know is in our own log, once for each outage.
func init() { logging.Disable() }

// The limits of one exchange with Redis, where its caller has none of its own.
const (
	dialTimeout = time.Second
	replyTime   = 2 * time.Second
)

// CheckAddress says what is wrong with the URL of a Redis, without quoting it, because a password may be in it.
func CheckAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

func parseAddress(address string) (*redis.Options, error) {
	o, err := redis.ParseURL(address)
	if err != nil || o.Network == "unix" {
		return nil, errors.New("the address of a Redis is redis://host:port/database, or rediss:// for TLS, with user:password@ before the host if it needs one")
	}
	return o, nil
}

// newClient makes a client, which connects when it is first used.
func newClient(address string) (*redis.Client, error) {
	o, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	// A write whose answer was lost may have been made. Nobody here needs it made again.
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, replyTime, replyTime
	o.ContextTimeoutEnabled = true
	if o.PoolSize == 0 {
		o.PoolSize = 8 * runtime.GOMAXPROCS(0)
	}
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}
