//go:build unix

package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/policy"
)

const (
	replayCallers = 16
	replayRounds  = 5
	replaySpan    = 400 * time.Millisecond // of one measurement
)

// BenchmarkReplayRatio compares replays of a call of 1 KB over loopback HTTP, on the ledger of a single server, with a bare echo handler that
// answers the same bytes. Both are measured in turn, and what is reported is the median of the ratios: of answers in a second, and of
// processor time for one answer, which other programs on the machine disturb less. The callers' own time is in both. A client that tries again
// sends the same bytes, which is the ratio; the fresh ratio is that of calls with another call_id each, as a model sends them. Run it with
// -benchtime 1x.
func BenchmarkReplayRatio(b *testing.B) {
	guarded, token := replayServer(b)
	request := rawCall(token)
	first := &caller{request: []byte(request)}
	first.dial(b, guarded)
	if first.exchange(b); !strings.Contains(string(first.answer), `"decision":"forwarded"`) {
		b.Fatalf("the first answer is %s", first.answer)
	}
	if first.exchange(b); !strings.Contains(string(first.answer), `"decision":"replayed"`) {
		b.Fatalf("the second answer is %s", first.answer)
	}
	bare := bareServer(b, slices.Clone(first.answer))
	for b.Loop() {
		var ratios, ofCPU, fresh, freshOfCPU, replays, echoes []float64
		for range replayRounds {
			replay, replayCPU := throughput(b, guarded, request, false)
			echoed, echoCPU := throughput(b, bare, request, false)
			other, otherCPU := throughput(b, guarded, request, true)
			ratios, ofCPU = append(ratios, replay/echoed), append(ofCPU, echoCPU/replayCPU)
			fresh, freshOfCPU = append(fresh, other/echoed), append(freshOfCPU, echoCPU/otherCPU)
			replays, echoes = append(replays, replayCPU), append(echoes, echoCPU)
		}
		b.ReportMetric(median(ratios), "ratio")
		b.ReportMetric(median(ofCPU), "cpu-ratio")
		b.ReportMetric(median(fresh), "fresh-ratio")
		b.ReportMetric(median(freshOfCPU), "fresh-cpu-ratio")
		b.ReportMetric(median(replays), "replay-µs")
		b.ReportMetric(median(echoes), "echo-µs")
		b.ReportMetric(0, "ns/op")
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

const replayPolicies = `
version: 1
tools:
  - name: pay.refund
    upstream: {http: {url: "http://upstream.test/refunds", timeout: 5s, network: private}}
    arguments: {order_id: {role: identity, kind: id}, amount: {role: material, kind: money, currency: EUR}, reason: {role: commentary}}
    rules: [{if: "args.amount > 5000.0", then: hold}]
`

// instant is an upstream that answers at once.
type instantUpstream struct{}

func (instantUpstream) Send(context.Context, guard.Attempt) guard.Outcome {
	body := `{"refund_id":"R-1","amount":20.00,"note":"` + strings.Repeat("x", 900) + `"}`
	return guard.Outcome{State: guard.Done, Code: guard.CodeUpstreamDone, Sent: true,
		Result: &guard.Result{Status: 200, ContentType: "application/json", Body: []byte(body), Source: guard.FromUpstream}}
}

// replayServer is a server as "onceguard serve" sets one up, with its access log into nothing.
func replayServer(b *testing.B) (addr, token string) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	set, err := policy.Parse("bench.yaml", []byte(replayPolicies))
	if err != nil {
		b.Fatal(err)
	}
	metrics, log := NewMetrics("bench"), slog.New(slog.NewJSONHandler(io.Discard, nil))
	g, err := guard.New(guard.Config{Store: store, Policies: policy.Fixed(set), Forward: instantUpstream{}, Key: make([]byte, 32), Observe: metrics, Log: log, Sole: true})
	if err != nil {
		b.Fatal(err)
	}
	keys := newKeyring()
	token, _ = keys.add(guard.Principal{Tenant: "acme", Subject: "bot", Role: guard.RoleAgent})
	a, err := New(Config{Guard: g, Policies: rules{set: set}, Credentials: keys, Metrics: metrics, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- g.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			b.Error(err)
		}
		if err := g.Drain(context.Background()); err != nil {
			b.Error(err)
		}
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	e := echo.New()
	a.Register(e)
	return listen(b, e), token
}

// bareServer answers every call with the same bytes, after it has read the request.
func bareServer(b *testing.B, answer []byte) (addr string) {
	e := echo.New()
	e.POST("/v1/calls", func(c echo.Context) error {
		if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "application/json", answer)
	})
	return listen(b, e)
}

func listen(b *testing.B, h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := Server("", h)
	go srv.Serve(l) //nolint:errcheck // it ends with the benchmark
	b.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// freshDigits are the digits of the id in a call, at its end.
const freshDigits = "000000000000"

func rawCall(token string) string {
	body := `{"tool":"pay.refund","arguments":{"order_id":"A-1001","amount":20.00,"reason":"` + strings.Repeat("x", 900) + `"},"run":"ticket-481","call_id":"call_` + freshDigits + `"}`
	return fmt.Sprintf("POST /v1/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		token, len(body), body)
}

// caller sends one request again and again over one connection, and costs next to nothing itself.
type caller struct {
	request []byte
	conn    net.Conn
	in      *bufio.Reader
	answer  []byte
}

func (c *caller) dial(b testing.TB, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 16<<10)
}

func (c *caller) exchange(b testing.TB) {
	if _, err := c.conn.Write(c.request); err != nil {
		b.Error(err)
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			b.Error(err)
			return
		}
		if len(line) == 2 {
			break
		}
		if text, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			fmt.Sscan(text, &length)
		}
	}
	c.answer = slices.Grow(c.answer[:0], max(length, 0))[:max(length, 0)]
	if _, err := io.ReadFull(c.in, c.answer); err != nil {
		b.Error(err)
	}
}

// renew gives the call the next id.
func (c *caller) renew() {
	for at := len(c.request) - len(`"}`) - 1; ; at-- {
		if c.request[at]++; c.request[at] <= '9' {
			return
		}
		c.request[at] = '0'
	}
}

// throughput is how many answers all callers together get in a second, and the processor time for one in microseconds.
func throughput(b testing.TB, addr, request string, fresh bool) (perSecond, cpu float64) {
	var answers atomic.Int64
	var callers sync.WaitGroup
	ready := make([]*caller, replayCallers)
	for i := range ready {
		ready[i] = &caller{request: []byte(request)}
		if fresh { // each counts in a range of its own
			copy(ready[i].request[len(request)-len(freshDigits+`"}`):], fmt.Sprintf("%02d", i))
		}
		ready[i].dial(b, addr)
		ready[i].exchange(b)
	}
	began, used := time.Now(), processorTime(b)
	for _, c := range ready {
		callers.Go(func() {
			for time.Since(began) < replaySpan {
				if fresh {
					c.renew()
				}
				c.exchange(b)
				answers.Add(1)
			}
		})
	}
	callers.Wait()
	took := time.Since(began)
	used = processorTime(b) - used
	for _, c := range ready {
		c.conn.Close()
	}
	n := float64(answers.Load())
	return n / took.Seconds(), float64(used.Microseconds()) / n
}

func processorTime(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
