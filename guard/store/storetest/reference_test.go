package storetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReference(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c *storetest.Clock) guard.Store { return storetest.NewReference(c.Now) })
}

func TestIdleFaulty(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c *storetest.Clock) guard.Store {
		return &storetest.Faulty{Store: storetest.NewReference(c.Now)}
	})
}
