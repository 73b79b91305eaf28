package httpforward

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard/forward/forwardtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestContract holds both ways of connecting to the promise of guard.Forwarder.
func TestContract(t *testing.T) {
	for name, reuse := range map[string]time.Duration{"fresh": 0, "reused": time.Minute} {
		t.Run(name, func(t *testing.T) {
			forwardtest.Run(t, func(t *testing.T) forwardtest.Driver {
				o := Options{MaxBody: 32 << 10, MaxHeader: 32 << 10, Reuse: reuse}
				f := New(o)
				t.Cleanup(func() { f.Close() })
				return forwardtest.Driver{Forwarder: f, MaxBody: o.MaxBody, MaxHeader: o.MaxHeader}
			})
		})
	}
}
