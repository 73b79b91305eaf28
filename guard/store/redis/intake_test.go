package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
)

// desk is a stream of calls with who reads and who writes it.
type desk struct {
	*testing.T
	server *servertest.RedisServer
	client *driver.Client
}

func newDesk(t *testing.T) *desk {
	r := servertest.StartRedis(t)
	c := driver.NewClient(&driver.Options{Addr: strings.TrimPrefix(r.Address(), "redis://")})
	t.Cleanup(func() { c.Close() })
	return &desk{T: t, server: r, client: c}
}

// open starts an intake, which ends with the test or before, by the function that is returned.
func (d *desk) open(o redis.IntakeOptions, answer redis.Answer) (end func()) {
	d.Helper()
	o.Address, o.Stream = d.server.Address(), "calls"
	i, err := redis.NewIntake(o, answer)
	if err != nil {
		d.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			d.Errorf("run: %v", err)
		}
	})
	d.Cleanup(end)
	return end
}

// put adds an entry and returns its id.
func (d *desk) put(fields ...any) string {
	d.Helper()
	id, err := d.client.XAdd(context.Background(), &driver.XAddArgs{Stream: "calls", Values: fields}).Result()
	if err != nil {
		d.Fatal(err)
	}
	return id
}

// next returns the first entry of a stream after an id; "0" for the first of all.
func (d *desk) next(stream, after string) driver.XMessage {
	d.Helper()
	got, err := d.client.XRead(context.Background(), &driver.XReadArgs{Streams: []string{stream, after}, Count: 1, Block: patience}).Result()
	if err != nil {
		d.Fatalf("no entry in %s: %v", stream, err)
	}
	return got[0].Messages[0]
}

// finished expects that nothing is left to be answered, and nothing of it is kept.
func (d *desk) finished() {
	d.Helper()
	ctx := context.Background()
	if n := d.client.XLen(ctx, "calls").Val(); n != 0 {
		d.Errorf("%d entries are still in the stream", n)
	}
	if p, err := d.client.XPending(ctx, "calls", "onceguard").Result(); err != nil || p.Count != 0 {
		d.Errorf("still pending: %+v, %v", p, err)
	}
}

func TestIntakeAnswers(t *testing.T) {
	d := newDesk(t)
	before := d.put("key", "ogk_1", "call", `{"n":0}`) // before there is a group
	end := d.open(redis.IntakeOptions{}, func(_ context.Context, e redis.Entry) ([]byte, error) {
		return fmt.Appendf(nil, "%s %s %s", e.ID, e.Key, e.Call), nil
	})
	want := map[string]string{before: before + ` ogk_1 {"n":0}`}
	for n := range 50 {
		call := fmt.Sprintf(`{"n":%d}`, n)
		id := d.put("call", call)
		want[id] = id + "  " + call
	}
	for last := "0"; len(want) > 0; {
		m := d.next("calls:replies", last)
		last = m.ID
		entry := m.Values["entry"].(string)
		if len(m.Values) != 2 || m.Values["answer"] != want[entry] {
			t.Fatalf("%v is not the answer %q", m.Values, want[entry])
		}
		delete(want, entry)
	}
	end()
	d.finished()
}

func TestIntakeRefusesForm(t *testing.T) {
	d := newDesk(t)
	d.open(redis.IntakeOptions{}, func(_ context.Context, e redis.Entry) ([]byte, error) {
		t.Errorf("%s was asked for", e.Call)
		return nil, nil
	})
	last := "0"
	for _, c := range []struct {
		fields []any
		reason string
	}{
		{[]any{"key", "ogk_secret"}, `the field "call" must have`},
		{[]any{"call", ""}, `the field "call" must have`},
		{[]any{"call", strings.Repeat("x", redis.MaxCall+1), "key", "ogk_secret"}, `the field "call" must have`},
		{[]any{"call", "{}", "reply_to", "calls"}, "and no other"},
		{[]any{"call", "{}", "key", "ogk_secret\r\nHost: x"}, "printable"},
		{[]any{"call", "{}", "key", strings.Repeat("x", redis.MaxKey+1)}, "at most"},
	} {
		id := d.put(c.fields...)
		m := d.next("calls:dead", last)
		last = m.ID
		if m.Values["entry"] != id || !strings.Contains(m.Values["reason"].(string), c.reason) || len(m.Values) != 3 {
			t.Errorf("%.60v: %.200v", c.fields, m.Values)
		}
		if strings.Contains(fmt.Sprint(m.Values), "ogk_secret") {
			t.Error("a dead entry keeps a key")
		}
	}
	d.finished()
}

func TestIntakeErrors(t *testing.T) {
	d := newDesk(t)
	var runs sync.Map
	d.open(redis.IntakeOptions{Deliveries: 3}, func(_ context.Context, e redis.Entry) ([]byte, error) {
		n, _ := runs.LoadOrStore(string(e.Call), new(atomic.Int64))
		run := n.(*atomic.Int64).Add(1)
		switch string(e.Call) {
		case "refused":
			return nil, &redis.Refusal{Reason: "no such tool"}
		case "down":
			if run < 5 {
				return nil, &guard.Error{Code: guard.CodeUnavailable}
			}
		case "defect":
			return nil, errors.New("password=hunter2")
		case "panic":
			panic("at the disco")
		}
		return e.Call, nil
	})
	for _, call := range []string{"refused", "down", "defect", "panic", "fine"} {
		d.put("call", call)
	}
	reasons := map[string]string{}
	for last := "0"; len(reasons) < 3; {
		m := d.next("calls:dead", last)
		last = m.ID
		reasons[m.Values["call"].(string)] = m.Values["reason"].(string)
	}
	if reasons["refused"] != "no such tool" || !strings.Contains(reasons["defect"], "a defect") || !strings.Contains(reasons["panic"], "a defect") {
		t.Errorf("given up: %q", reasons)
	}
	first := d.next("calls:replies", "0")
	second := d.next("calls:replies", first.ID)
	if first.Values["answer"] != "fine" || second.Values["answer"] != "down" {
		t.Errorf("answered: %v, %v", first.Values, second.Values)
	}
	for call, want := range map[string]int64{"refused": 1, "down": 5, "defect": 3, "panic": 3, "fine": 1} {
		n, _ := runs.Load(call)
		if got := n.(*atomic.Int64).Load(); got != want {
			t.Errorf("%s was run %d times, want %d", call, got, want)
		}
	}
	d.finished()
}

// TestIntakeTakesOver answers what a server read, perhaps even ran, and did not confirm.
func TestIntakeTakesOver(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	if err := d.client.XGroupCreateMkStream(ctx, "calls", "onceguard", "0").Err(); err != nil {
		t.Fatal(err)
	}
	id := d.put("call", "left behind")
	poison := d.put("call", "poison")
	err := d.client.XReadGroup(ctx, &driver.XReadGroupArgs{Group: "onceguard", Consumer: "dead", Streams: []string{"calls", ">"}}).Err()
	if err == nil {
		err = d.client.Do(ctx, "XCLAIM", "calls", "onceguard", "dead", 0, poison, "RETRYCOUNT", 5).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.open(redis.IntakeOptions{Idle: time.Second}, func(_ context.Context, e redis.Entry) ([]byte, error) { return e.Call, nil })
	if m := d.next("calls:replies", "0"); m.Values["entry"] != id || m.Values["answer"] != "left behind" {
		t.Errorf("answered: %v", m.Values)
	}
	if m := d.next("calls:dead", "0"); m.Values["entry"] != poison || !strings.Contains(m.Values["reason"].(string), "5 times") {
		t.Errorf("given up: %v", m.Values)
	}
	d.finished()
}

// TestIntakeRenews lets a call take longer than Idle: nobody takes it over.
func TestIntakeRenews(t *testing.T) {
	d := newDesk(t)
	var runs atomic.Int64
	leave := make(chan struct{})
	for _, name := range []string{"one", "two"} {
		d.open(redis.IntakeOptions{Idle: time.Second, Consumer: name}, func(_ context.Context, e redis.Entry) ([]byte, error) {
			runs.Add(1)
			<-leave
			return e.Call, nil
		})
	}
	id := d.put("call", "slow")
	began := time.Now()
	for time.Since(began) < 3*time.Second {
		p, err := d.client.XPendingExt(t.Context(), &driver.XPendingExtArgs{Stream: "calls", Group: "onceguard", Start: "-", End: "+", Count: 10}).Result()
		if err == nil && len(p) == 1 && (p[0].RetryCount != 1 || p[0].Idle > 900*time.Millisecond) {
			t.Fatalf("not renewed: %+v", p[0])
		}
	}
	close(leave)
	if m := d.next("calls:replies", "0"); m.Values["entry"] != id || runs.Load() != 1 {
		t.Errorf("%v after %d runs", m.Values, runs.Load())
	}
}

// TestIntakeDrains ends an intake while calls are under way, with more of them waiting.
func TestIntakeDrains(t *testing.T) {
	d := newDesk(t)
	const workers = 4
	begun, leave := make(chan struct{}, 100), make(chan struct{})
	var now, most atomic.Int64
	end := d.open(redis.IntakeOptions{Workers: workers}, func(ctx context.Context, e redis.Entry) ([]byte, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		begun <- struct{}{}
		<-leave
		return e.Call, ctx.Err()
	})
	for range 20 {
		d.put("call", "x")
	}
	for range workers {
		<-begun
	}
	ended := make(chan struct{})
	go func() { end(); close(ended) }()
	select {
	case <-ended:
		t.Fatal("it ended before its calls")
	case <-begun:
		t.Fatal("more calls than workers")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	<-ended
	answered := d.client.XLen(t.Context(), "calls:replies").Val()
	if left := d.client.XLen(t.Context(), "calls").Val(); answered < workers || answered+left != 20 || most.Load() > workers {
		t.Errorf("%d answered, %d left, at most %d at a time", answered, left, most.Load())
	}
	if p, err := d.client.XPending(t.Context(), "calls", "onceguard").Result(); err != nil || p.Count != 0 {
		t.Errorf("still pending: %+v, %v", p, err)
	}
}

// TestIntakeOutlivesRedis loses Redis, with the group and all, while a call is under way, and goes on with a new one.
func TestIntakeOutlivesRedis(t *testing.T) {
	d := newDesk(t)
	begun, leave := make(chan struct{}, 10), make(chan struct{})
	d.open(redis.IntakeOptions{}, func(_ context.Context, e redis.Entry) ([]byte, error) {
		begun <- struct{}{}
		<-leave
		return e.Call, nil
	})
	d.put("call", "under way")
	<-begun
	d.server.Kill(t)
	close(leave)
	d.server.Start(t)
	m := d.next("calls:replies", "0")
	if m.Values["answer"] != "under way" {
		t.Errorf("answered: %v", m.Values)
	}
	d.put("call", "afterwards")
	if m = d.next("calls:replies", m.ID); m.Values["answer"] != "afterwards" {
		t.Errorf("answered: %v", m.Values)
	}
}

// TestIntakeKeepsReplies keeps about as many replies as it is told.
func TestIntakeKeepsReplies(t *testing.T) {
	d := newDesk(t)
	end := d.open(redis.IntakeOptions{Keep: 100}, func(_ context.Context, e redis.Entry) ([]byte, error) { return e.Call, nil })
	var last string
	for range 1000 {
		last = d.put("call", "x")
	}
	for after := "0"; ; {
		m := d.next("calls:replies", after)
		if after = m.ID; m.Values["entry"] == last {
			break
		}
	}
	end()
	if n := d.client.XLen(t.Context(), "calls:replies").Val(); n < 100 || n > 300 {
		t.Errorf("%d replies are kept", n)
	}
}

func TestNewIntakeRefuses(t *testing.T) {
	answer := func(context.Context, redis.Entry) ([]byte, error) { return nil, nil }
	for want, o := range map[string]redis.IntakeOptions{
		"needs a stream":        {Address: "redis://h"},
		"streams of their own":  {Address: "redis://h", Stream: "s", Replies: "s"},
		"cannot be taken over":  {Address: "redis://h", Stream: "s", Idle: time.Millisecond},
		"redis://host":          {Address: "h", Stream: "s"},
		"streams of their own ": {Address: "redis://h", Stream: "s", Replies: "x", Dead: "x"},
	} {
		if _, err := redis.NewIntake(o, answer); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
