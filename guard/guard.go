package guard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// Guard is the one boundary. All its methods may be called at the same time.
type Guard struct {
	store     Store
	watcher   Watcher // the store, where it hears of other replicas; else nil
	policies  *Rulebook
	forward   Forwarder
	keys      *keyring
	maker     *fingerprint.Maker // under the key in use
	book      *book
	operators string
	// similarity compares wordings; nil for what each rule says.
	similarity fingerprint.Similarity
	confirms   confirmCounts
	observe    Observer
	log        *slog.Logger
	times      Times

	notifier    Notifier         // nil: nobody is told of reviews
	credentials CredentialLister // of all tenants
	reviewURL   string
	outbox      *outbox
	sole        bool

	known     known
	hub       *hub
	repeats   *repeats
	tallies   *tallies
	retention Retention
	now       func() time.Time // for conditions
	flights   sync.WaitGroup
	slots     chan struct{}
	draining  atomic.Bool
	gate      sync.RWMutex // held for reading from the check of draining to flights.Add
}

// Policies gives the present set of the files' rules. policy.Source implements it.
type Policies interface {
	Current() *policy.Set
}

// Config is what a Guard is made of. Store, Policies, Forward and Key are needed.
type Config struct {
	Store    Store
	Policies Policies
	Forward  Forwarder
	Key      []byte // the installation key for fingerprints under which the ledger was made, at least 32 bytes
	// LaterKeys are the keys that the installation was given since, oldest first. InUse says under which one new effects are
	// recorded: 0 is Key, 1 the first of LaterKeys, and so on. See keys.go.
	LaterKeys [][]byte
	InUse     int
	// Operators is the tenant whose admins write the policies that the ledger keeps, which hold for all tenants; "" for nobody.
	Operators string
	// Sole says that no other process, and no other Guard, writes effects to Store. Replays are then answered from memory.
	Sole bool
	// Notify tells endpoints of the policies that a review was opened, while Run runs; nil for nobody. It needs Credentials, whose
	// tenants are all that can have effects.
	Notify      Notifier
	Credentials CredentialLister
	// ReviewURL is the address of a review's page without the review's id, for those who are told of it; "" where it is not known.
	ReviewURL string
	// Similarity compares wordings in place of the built-in comparison; nil for that.
	Similarity fingerprint.Similarity
	// Retention says when Run forgets what no longer answers; the zero Retention keeps everything.
	Retention Retention
	Observe   Observer
	Log       *slog.Logger
	Times     Times
	// Flights is the most calls under way at one time; more are refused with CodeBusy. 0 means 4,096.
	Flights int
	// Now is the time that conditions see; nil for that of this machine. Leases and windows go by the store's clock.
	Now func() time.Time
}

// MaxWait is the longest that a call waits, whatever its caller asks for: MCP clients give up after 60 seconds.
const MaxWait = 50 * time.Second

// Times are the guard's durations. A zero field means the default.
type Times struct {
	Wait      time.Duration // a call's waiting budget when the caller names none; 25 s
	SendGrace time.Duration // added to the upstream's timeout to make the lease of a send; 10 s
	Write     time.Duration // for one write to the store; 10 s
	Record    time.Duration // how long recording an outcome is repeated; 2 min
	Poll      time.Duration // first pause between looks of a waiter that nobody wakes; 250 ms, doubling to 2 s
	Sweep     time.Duration // between sweeps; 1 s
	Settle    time.Duration // after an unknown outcome, before a person may say that it did not happen; 10 s
}

func (t Times) orDefault() Times {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.Wait, 25*time.Second)
	set(&t.SendGrace, 10*time.Second)
	set(&t.Write, 10*time.Second)
	set(&t.Record, 2*time.Minute)
	set(&t.Poll, 250*time.Millisecond)
	set(&t.Sweep, time.Second)
	set(&t.Settle, 10*time.Second)
	return t
}

// Observer is told what the guard does, for metrics. Its methods must return at once.
type Observer interface {
	Answered(tool string, kind AnswerKind, code Code, took time.Duration)
	Attempted(tool string, state State, code Code, took time.Duration)
	Swept(changed int)
}

type noObserver struct{}

func (noObserver) Answered(string, AnswerKind, Code, time.Duration) {}
func (noObserver) Attempted(string, State, Code, time.Duration)     {}
func (noObserver) Swept(int)                                        {}

// New makes a Guard. Nothing runs until Run is called, but Do may be called at once.
func New(c Config) (*Guard, error) {
	if c.Store == nil || c.Policies == nil || c.Forward == nil {
		return nil, errors.New("guard: a store, policies and a forwarder are needed")
	}
	if c.Notify != nil && c.Credentials == nil {
		return nil, errors.New("guard: to tell endpoints of reviews, the credentials are needed")
	}
	keys, err := newKeyring(&c)
	if err != nil {
		return nil, err
	}
	if c.Observe == nil {
		c.Observe = noObserver{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Flights == 0 {
		c.Flights = 4096
	}
	book := newBook(c.Store, keys)
	watcher, _ := c.Store.(Watcher)
	if c.Sole {
		c.Store = newMemory(c.Store)
	}
	return &Guard{
		store: c.Store, watcher: watcher, policies: &Rulebook{files: c.Policies, book: book, log: c.Log}, forward: c.Forward, keys: keys, maker: keys.inUse, observe: c.Observe, log: c.Log,
		book: book, operators: c.Operators, similarity: c.Similarity,
		notifier: c.Notify, credentials: c.Credentials, reviewURL: c.ReviewURL, outbox: newOutbox(), sole: c.Sole,
		times: c.Times.orDefault(), hub: newHub(), repeats: newRepeats(), tallies: newTallies(), retention: c.Retention, now: c.Now, slots: make(chan struct{}, c.Flights),
	}, nil
}

// Ready reports whether calls can be decided now: the ledger answers and the guard is not draining.
func (g *Guard) Ready(ctx context.Context) error {
	if g.draining.Load() {
		return &Error{Code: CodeDraining, Message: "this server is shutting down"}
	}
	return g.store.Ping(ctx)
}

// Drain refuses new calls from now on, waits until every call under way has its outcome recorded, and writes down the
// repeats and tallies that were counted. It returns early with the context's error. The store may be closed afterwards.
func (g *Guard) Drain(ctx context.Context) error {
	g.gate.Lock()
	g.draining.Store(true)
	g.gate.Unlock()
	landed := make(chan struct{})
	go func() {
		g.flights.Wait()
		close(landed)
	}()
	select {
	case <-landed:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.flushRepeats(ctx)
	g.flushTallies(ctx)
	return nil
}
