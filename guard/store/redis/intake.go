package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// IntakeOptions says where calls come from. Address and Stream are needed; a zero field means the default.
type IntakeOptions struct {
	Address string
	Stream  string // calls are read from it
	Replies string // answers are added to it; Stream with ":replies"
	Dead    string // entries that are given up are added to it; Stream with ":dead"
	Group   string // the consumer group that all servers share; "onceguard"
	// Consumer names this server in the group. The default is the name of the machine: a name that stays leaves no dead ones behind.
	Consumer string

	Workers    int           // calls under way at one time; 16
	Idle       time.Duration // after which an entry that its server does not renew is taken over; 1 min, at least 1 s
	Deliveries int           // after which an entry that ends its servers, or meets a defect, is given up; 5
	Keep       int64         // about how many replies, and how many dead entries, are kept; 10,000
	Log        *slog.Logger
}

// Answer decides on one entry and returns what the reply says. It is safe to run again. The kind of its error says what becomes of the entry:
//
//   - a *Refusal: no server will ever take it, so it is given up;
//   - a *guard.Error with CodeUnavailable, CodeUncertain, CodeBusy or CodeDraining: it is run again until it is answered;
//   - any other: it is run again, and given up after Deliveries times.
//
// The context does not end when the intake is told to stop: a call that was begun is answered.
type Answer func(context.Context, Entry) ([]byte, error)

// blocked is how long one read waits for entries, and so the longest that Run goes on reading after its context ended.
const blocked = time.Second

// Intake reads calls from a stream and answers them.
type Intake struct {
	options IntakeOptions
	answer  Answer
	client  *redis.Client
	slots   chan struct{} // one for each call under way
	working sync.WaitGroup
	held    held

	cursor string    // where the search for entries of dead servers goes on
	due    time.Time // when it begins anew
	outage bool      // told in the log
}

// NewIntake makes an intake. It connects when it runs.
func NewIntake(o IntakeOptions, answer Answer) (*Intake, error) {
	if o.Stream == "" || answer == nil {
		return nil, errors.New("redis: an intake needs a stream and what answers its calls")
	}
	o = o.orDefault()
	if o.Replies == o.Stream || o.Dead == o.Stream || o.Replies == o.Dead {
		return nil, errors.New("redis: calls, replies and dead entries need streams of their own")
	}
	if o.Idle < time.Second {
		return nil, fmt.Errorf("redis: entries cannot be taken over after %s: a server must have time to renew them, so name at least 1s", o.Idle)
	}
	client, err := newClient(o.Address)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return &Intake{options: o, answer: answer, client: client, slots: make(chan struct{}, o.Workers), cursor: firstEntry}, nil
}

func (o IntakeOptions) orDefault() IntakeOptions {
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	text(&o.Replies, o.Stream+":replies")
	text(&o.Dead, o.Stream+":dead")
	text(&o.Group, "onceguard")
	if host, err := os.Hostname(); err == nil {
		text(&o.Consumer, host)
	}
	text(&o.Consumer, "onceguard")
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	if o.Deliveries <= 0 {
		o.Deliveries = 5
	}
	if o.Keep <= 0 {
		o.Keep = 10_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Run answers calls until ctx ends, and returns when those under way are answered. What it could not answer by then stays with the
// group, and another server takes it over. It runs once.
func (i *Intake) Run(ctx context.Context) error {
	renewing, end := context.WithCancel(context.WithoutCancel(ctx))
	var renewer sync.WaitGroup
	renewer.Go(func() { i.renewAll(renewing) })
	for i.round(ctx) {
	}
	i.working.Wait()
	end()
	renewer.Wait()
	return i.client.Close()
}

// round reads as many entries as there is room for and begins to answer them. It returns false when ctx has ended.
func (i *Intake) round(ctx context.Context) bool {
	room := i.reserve(ctx)
	if room == 0 {
		return false
	}
	entries, err := i.next(context.WithoutCancel(ctx), room)
	for _, e := range entries {
		if !i.held.add(e.ID) {
			continue // Redis could not be told in time that it is under way here
		}
		room--
		i.working.Go(func() {
			defer func() { <-i.slots }()
			defer i.held.remove(e.ID)
			i.handle(ctx, e)
		})
	}
	for range room {
		<-i.slots
	}
	return i.tell(err) || sleep(ctx, time.Second)
}

// reserve takes a slot, and all others that are free. It returns 0 when ctx has ended.
func (i *Intake) reserve(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case i.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case i.slots <- struct{}{}:
		default:
			return n
		}
	}
}

// tell writes the begin and the end of an outage into the log. It returns whether there is none.
func (i *Intake) tell(err error) bool {
	if (err != nil) != i.outage {
		if i.outage = err != nil; i.outage {
			i.options.Log.Warn("no calls can be read from Redis", "stream", i.options.Stream, "error", err)
		} else {
			i.options.Log.Info("calls are read from Redis again", "stream", i.options.Stream)
		}
	}
	return err == nil
}

// next returns at most room entries: those of dead servers, when it is time to look for them, else new ones.
func (i *Intake) next(ctx context.Context, room int) ([]redis.XMessage, error) {
	read := i.readNew
	if !time.Now().Before(i.due) {
		read = i.takeOver
	}
	entries, err := read(ctx, room)
	if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
		// The group begins with the first entry, so that calls which came before any server are read.
		err = i.client.XGroupCreateMkStream(ctx, i.options.Stream, i.options.Group, "0").Err()
		if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
			err = nil // another server was faster
		}
	}
	return entries, err
}

func (i *Intake) readNew(ctx context.Context, room int) ([]redis.XMessage, error) {
	streams, err := i.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: i.options.Group, Consumer: i.options.Consumer, Streams: []string{i.options.Stream, ">"}, Count: int64(room), Block: blocked,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	var entries []redis.XMessage
	for _, s := range streams {
		entries = append(entries, s.Messages...)
	}
	return entries, err
}
