package httpforward

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// BenchmarkSend is the cost of one attempt towards a server that does nothing, both ends on this machine. The package
// comment quotes it.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"ok":true}`)
	}))
	defer server.Close()
	a := guard.Attempt{Method: "POST", URL: server.URL + "/refunds", Body: []byte(`{"order":"1","amount":"25.00"}`), Private: true}

	for _, mode := range []struct {
		name  string
		reuse time.Duration
	}{{"fresh", 0}, {"reused", time.Second}} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", mode.name, callers), func(b *testing.B) {
				f := New(Options{})
				defer f.Close()
				a := a
				a.Reuse = mode.reuse
				together(b, callers, func() {
					if out := f.Send(b.Context(), a); out.State != guard.Done {
						b.Error(out.Detail)
					}
				})
			})
		}
	}
}

// BenchmarkNetHTTP is the same with the client of net/http, for comparison.
func BenchmarkNetHTTP(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"ok":true}`)
	}))
	defer server.Close()
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			t := &http.Transport{MaxIdleConnsPerHost: 64}
			defer t.CloseIdleConnections()
			together(b, callers, func() {
				req, _ := http.NewRequest("POST", server.URL+"/refunds", strings.NewReader(`{"order":"1","amount":"25.00"}`))
				resp, err := t.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			})
		})
	}
}

// together runs b.N calls of f by so many callers at once.
func together(b *testing.B, callers int, f func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				f()
			}
		})
	}
	all.Wait()
}
