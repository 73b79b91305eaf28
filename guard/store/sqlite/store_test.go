package sqlite_test

import (
	"context"
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if path := os.Getenv(victimEnv); path != "" {
		victim(path)
	}
	goleak.VerifyTestMain(m)
}

// empty is a ledger without effects.
var empty = storetest.NewTemplate(func(path string) (guard.Store, error) {
	return sqlite.Open(context.Background(), path, sqlite.Options{})
})

func open(t *testing.T, c *storetest.Clock) guard.Store {
	return openAt(t, empty.Copy(t), sqlite.Options{Now: c.Now})
}

// openAt opens a ledger and closes it with the test.
func openAt(t *testing.T, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestContract(t *testing.T) { storetest.Run(t, open) }

func TestContractFaulty(t *testing.T) {
	storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store { return &storetest.Faulty{Store: open(t, c)} })
}

func TestLockstep(t *testing.T) { storetest.Lockstep(t, openForStep) }

// openForStep leaves the closing to Lockstep, which opens many.
func openForStep(t *testing.T, c *storetest.Clock) guard.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), empty.Copy(t), sqlite.Options{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
